/* Code texts: the hot loop of reading a log.
 *
 * For each text, a line of some bytes or a cell of an Arrow column of string views: its shape (matches of a pattern
 * replaced), the distinct ids that it names (matches of another pattern), and its stamp (its first characters), each
 * as the number of a name in first-seen order. Texts are valid UTF-8. A pattern is a table of states, made by
 * `byte_patterns.py`: the only place that knows regular expressions. Nothing here knows a format, keeps state between
 * calls, or writes to its input, so calls may run in threads.
 */
#include "kernel.h"

#ifndef SOURCE
#define SOURCE "unknown"
#endif
enum { DEAD = 255, SMALL = 256 };

/* From here on the structures are those of `kernel.py`, field by field. */
struct Pattern {
    const uint8_t *next;    /* [states][256]: the next state, or DEAD; null: no pattern */
    const uint8_t *accepts; /* [states] */
    const uint8_t *ranges;  /* [states][2]: the bytes, all ASCII, that stay in the state; of the first one, those
                               that begin a match; 1, 0 where they are no range */
    int32_t first;          /* the only byte that a match begins with, or -1 */
    uint8_t runs;           /* 1: matches are runs of bytes of the first range, see `shape_of_runs` */
    uint8_t joins[2];       /* of runs: bytes that join two; twice the same if it is one, 0 if there is none */
};
struct Rules {
    const uint8_t *after; /* the message begins after the first of these bytes, without them with the text */
    size_t after_size;    /* 0: the message is the whole text */
    struct Pattern shape;
    const uint8_t *with; /* what matches of `shape` are replaced by */
    size_t with_size;
    struct Pattern id; /* looked for in the whole text */
    size_t stamp;      /* characters of a stamp; 0: none */
    uint64_t seed;     /* of hashes, so that nobody can write a log whose names fall on one place */
};
struct Names {
    uint8_t *bytes; /* each name, and \r\n */
    size_t size, room;
    uint64_t *ends; /* where each name ends, without \r\n */
    uint64_t *hashes;
    uint32_t *places; /* number + 1 by hash; 0: free */
    uint32_t count, slots;
};
struct Codes {
    uint64_t texts, events, room, without; /* without: texts without an id, where ids are looked for */
    uint32_t *text;                        /* [events] from here on: number of the text */
    int32_t *id, *shape, *stamp;           /* numbers of names; -1: no id, and no shape of a text without one */
    struct Names ids, shapes, stamps;
};

static uint64_t mixed(uint64_t h, uint64_t word) {
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

static uint64_t hash_of(const uint8_t *text, size_t size, uint64_t seed) {
    uint64_t h = seed ^ size, word = 0;
    const uint8_t *end = text + size;
    if (size < 8) {
        while (text < end) word = word << 8 | *text++;
        return mixed(mixed(h, word), seed);
    }
    for (; end - text > 8; text += 8) {
        memcpy(&word, text, 8);
        h = mixed(h, word);
    }
    memcpy(&word, end - 8, 8); /* may lie over the word before */
    return mixed(mixed(h, word), seed);
}

static int more_slots(struct Names *names) {
    uint32_t slots = names->slots ? names->slots * 2 : SMALL;
    if (names->count >= UINT32_C(1) << 30) return 0;
    if (!grown((void **)&names->ends, slots * sizeof(uint64_t))) return 0;
    if (!grown((void **)&names->hashes, slots * sizeof(uint64_t))) return 0;
    uint32_t *places = places_of(names->hashes, names->count, slots);
    if (!places) return 0;
    free(names->places);
    names->places = places;
    names->slots = slots;
    return 1;
}

/* Where the name of a number begins. */
static inline uint64_t begin_of(const struct Names *names, uint32_t i) { return i ? names->ends[i - 1] + 2 : 0; }

static inline int is_name(const struct Names *names, uint32_t i, const uint8_t *text, size_t size) {
    uint64_t begin = begin_of(names, i);
    return names->ends[i] - begin == size && !memcmp(names->bytes + begin, text, size);
}

/* The number of a name with this hash, a new one if it is new; -1: no memory. */
static int64_t number_by(struct Names *names, const uint8_t *text, size_t size, uint64_t hash) {
    if (names->count >= names->slots / 2 && !more_slots(names)) return -1;
    uint32_t mask = names->slots - 1, at = (uint32_t)hash & mask;
    for (; names->places[at]; at = (at + 1) & mask) {
        uint32_t i = names->places[at] - 1;
        if (names->hashes[i] == hash && is_name(names, i, text, size)) return i;
    }
    if (names->room - names->size < size + 2) {
        size_t room = (names->size + size + 2) * 2;
        if (!grown((void **)&names->bytes, room)) return -1;
        names->room = room;
    }
    memcpy(names->bytes + names->size, text, size);
    memcpy(names->bytes + names->size + size, "\r\n", 2);
    names->ends[names->count] = names->size + size;
    names->hashes[names->count] = hash;
    names->size += size + 2;
    names->places[at] = ++names->count;
    return names->count - 1;
}

static int64_t number_of(struct Names *names, const uint8_t *text, size_t size, uint64_t seed) {
    return number_by(names, text, size, hash_of(text, size, seed));
}

/* How many of 8 bytes come before the first that is in a range, or (`within`) that is not; 8: all. */
static inline int before(const uint8_t *at, const uint8_t *range, int within) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t word, low;
    memcpy(&word, at, 8);
    low = word & ~high;
    low = (low + ones * (0x80u - range[0])) & ~(low + ones * (0x7Fu - range[1])) & ~word & high;
    if (within) low ^= high;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return low ? __builtin_clzll(low) / 8 : 8;
#else
    return low ? __builtin_ctzll(low) / 8 : 8;
#endif
}

/* Where the longest match at `at` ends; null: there is none. */
static const uint8_t *match(const struct Pattern *pattern, const uint8_t *at, const uint8_t *end) {
    const uint8_t *row = pattern->next, *last = NULL;
    while (at < end) {
        uint8_t state = row[*at++];
        if (state == DEAD) break;
        const uint8_t *range = pattern->ranges + 2 * (size_t)state;
        row = pattern->next + 256 * (size_t)state;
        if (range[0] <= range[1])
            for (int same = 8; same == 8 && end - at >= 8; at += same) same = before(at, range, 1);
        while (at < end && row[*at] == state) at++;
        if (pattern->accepts[state]) last = at;
    }
    return last;
}

/* Where a match may begin, from `at` on. */
static const uint8_t *possible(const struct Pattern *pattern, const uint8_t *at, const uint8_t *end) {
    if (pattern->first >= 0) {
        const uint8_t *found = at < end ? memchr(at, pattern->first, (size_t)(end - at)) : NULL;
        return found ? found : end;
    }
    while (at < end && pattern->next[*at] == DEAD) at++;
    return at;
}

static const uint8_t *message_of(const struct Rules *rules, const uint8_t *text, const uint8_t *end) {
    size_t size = rules->after_size;
    for (const uint8_t *at = text; size && (size_t)(end - at) >= size; at++) {
        at = memchr(at, rules->after[0], (size_t)(end - at) - size + 1);
        if (!at) break;
        if (!memcmp(at, rules->after, size)) return at + size;
    }
    return text;
}

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_BIG_ENDIAN__
#define RUNS 1
#else
#define RUNS 0
#endif

/* Marks of some bytes: which are in the first range of a pattern, and which join two runs. */
struct Marks {
    uint64_t in, joins;
};

#if defined(__SSE2__)
enum { STEP = 16 };

static inline struct Marks marks_of_step(const struct Pattern *pattern, const uint8_t *at) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)at); /* signed: no byte of others is in the range */
    const __m128i least = _mm_set1_epi8((char)(pattern->ranges[0] - 1)), most = _mm_set1_epi8((char)pattern->ranges[1]);
    const __m128i in = _mm_andnot_si128(_mm_cmpgt_epi8(bytes, most), _mm_cmpgt_epi8(bytes, least));
    const __m128i one = _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)pattern->joins[0]));
    const __m128i other = _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)pattern->joins[1]));
    return (struct Marks){(uint32_t)_mm_movemask_epi8(in), (uint32_t)_mm_movemask_epi8(_mm_or_si128(one, other))};
}
#else
enum { STEP = 8 };

/* The high bits of 8 bytes as 8 bits. */
static inline uint64_t bits(uint64_t word) {
    return ((word >> 7 & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080)) >> 56;
}

static inline uint64_t equal(uint64_t word, uint8_t byte) {
    const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);
    word ^= byte * UINT64_C(0x0101010101010101);
    return ~(((word & low) + low) | word) & ~low;
}

static inline struct Marks marks_of_step(const struct Pattern *pattern, const uint8_t *at) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t word;
    memcpy(&word, at, 8);
    uint64_t low = word & ~high, least = low + ones * (0x80u - pattern->ranges[0]);
    uint64_t in = least & ~(low + ones * (0x7Fu - pattern->ranges[1])) & ~word & high;
    return (struct Marks){bits(in), bits(equal(word, pattern->joins[0]) | equal(word, pattern->joins[1]))};
}
#endif

/* The marks of at most 64 bytes. */
static struct Marks marks(const struct Pattern *pattern, const uint8_t *at, size_t size) {
    struct Marks all = {0, 0}, some;
    uint8_t rest[STEP] = {0}; /* zero is neither in a range nor joins, see `byte_patterns.py` */
    for (size_t i = 0; i < size; i += STEP) {
        const uint8_t *from = at + i;
        if (size - i < STEP) from = memcpy(rest, from, size - i);
        some = marks_of_step(pattern, from);
        all.in |= some.in << i;
        all.joins |= some.joins << i;
    }
    if (!pattern->joins[0]) all.joins = 0;
    return all;
}

static inline uint8_t *copied(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *end) {
    if (end - from >= 64) /* both have room: `size` is at most 64 */
        for (size_t i = 0; i < size; i += 16) memcpy(to + i, from + i, 16);
    else
        memcpy(to, from, size);
    return to + size;
}

/* As `shape_of`, of a pattern like [0-9]+(?:[.:][0-9]+)*: 64 bytes at a time, a bit for each. */
static size_t shape_of_runs(const struct Rules *rules, const uint8_t *at, const uint8_t *end, uint8_t *to) {
    const uint8_t *begin = to;
    uint64_t in_before = 0, run_before = 0;
    struct Marks here, next = {0, 0};
    if (at < end) next = marks(&rules->shape, at, end - at < 64 ? (size_t)(end - at) : 64);
    while (at < end) {
        size_t size = end - at < 64 ? (size_t)(end - at) : 64, rest = (size_t)(end - at) - size;
        here = next;
        next = (struct Marks){0, 0};
        if (rest) next = marks(&rules->shape, at + 64, rest < 64 ? rest : 64);
        uint64_t run = here.in | (here.joins & (here.in << 1 | in_before) & (here.in >> 1 | next.in << 63));
        uint64_t starts = run & ~(run << 1 | run_before);
        for (size_t i = 0; i < size;) {
            uint64_t left = run >> i;
            size_t same = left & 1 ? (~left ? (size_t)__builtin_ctzll(~left) : 64)
                                   : (left ? (size_t)__builtin_ctzll(left) : 64);
            if (same > size - i) same = size - i;
            if (!(left & 1)) {
                to = copied(to, at + i, same, end);
            } else if (starts >> i & 1) {
                memcpy(to, rules->with, rules->with_size);
                to += rules->with_size;
            }
            i += same;
        }
        in_before = here.in >> 63;
        run_before = run >> 63;
        at += size;
    }
    return (size_t)(to - begin);
}

/* Write the shape of a message to `to`, which has room for it; its size. */
static size_t shape_of(const struct Rules *rules, const uint8_t *at, const uint8_t *end, uint8_t *to) {
    const uint8_t *begin = to;
    while (at < end) {
        const uint8_t *after, *range = rules->shape.ranges;
        if (range[0] <= range[1])
            for (int other = 8; other == 8 && end - at >= 8; at += other, to += other) {
                other = before(at, range, 0);
                memcpy(to, at, 8); /* there is room for more than is kept */
            }
        while (at < end && rules->shape.next[*at] == DEAD) *to++ = *at++;
        if (at == end) break;
        if ((after = match(&rules->shape, at, end))) {
            memcpy(to, rules->with, rules->with_size);
            to += rules->with_size;
            at = after;
        } else {
            *to++ = *at++;
        }
    }
    return (size_t)(to - begin);
}

static size_t stamp_size(const uint8_t *text, const uint8_t *end, size_t characters) {
    const uint8_t *at = text;
    for (; at < end; at++)
        if ((*at & 0xC0) != 0x80 && !characters--) break;
    return (size_t)(at - text);
}

/* One event of a text, without its shape. */
static int add(struct Codes *codes, int32_t id, int32_t stamp) {
    if (codes->events == codes->room) {
        uint64_t room = codes->room ? codes->room * 2 : 4096;
        if (!grown((void **)&codes->text, room * sizeof(uint32_t)) ||
            !grown((void **)&codes->id, room * sizeof(int32_t)) ||
            !grown((void **)&codes->shape, room * sizeof(int32_t)) ||
            !grown((void **)&codes->stamp, room * sizeof(int32_t)))
            return 0;
        codes->room = room;
    }
    codes->text[codes->events] = (uint32_t)codes->texts;
    codes->id[codes->events] = id;
    codes->shape[codes->events] = -1;
    codes->stamp[codes->events++] = stamp;
    return 1;
}

/* Grows from call to call: room for a shape, and for each id the last text that named it, plus 1. */
struct Scratch {
    uint8_t *shape;
    size_t room;
    uint64_t *named;
    uint32_t ids;
};

/* One event for each distinct id of a text, without its shape yet; or without ids, one if none are looked for. */
static int add_ids(const struct Rules *rules, const uint8_t *text, const uint8_t *end, int32_t stamp,
                   struct Codes *codes, struct Scratch *scratch) {
    if (!rules->id.next) return add(codes, -1, stamp);
    for (const uint8_t *at = text, *after; (at = possible(&rules->id, at, end)) < end; at = after) {
        if (!(after = match(&rules->id, at, end))) {
            after = at + 1;
            continue;
        }
        int64_t id = number_of(&codes->ids, at, (size_t)(after - at), rules->seed);
        if (id < 0) return 0;
        if (codes->ids.slots > scratch->ids) {
            if (!grown((void **)&scratch->named, codes->ids.slots * sizeof(uint64_t))) return 0;
            memset(scratch->named + scratch->ids, 0, (codes->ids.slots - scratch->ids) * sizeof(uint64_t));
            scratch->ids = codes->ids.slots;
        }
        if (scratch->named[id] == codes->texts + 1) continue;
        scratch->named[id] = codes->texts + 1;
        if (!add(codes, (int32_t)id, stamp)) return 0;
    }
    return 1;
}

static int64_t number_of_shape(const struct Rules *rules, const uint8_t *text, const uint8_t *end,
                               struct Codes *codes, struct Scratch *scratch) {
    const uint8_t *message = message_of(rules, text, end);
    size_t size = (size_t)(end - message), most = size;
    if (rules->shape.next) {
        if (rules->with_size > 1) most *= rules->with_size;
        if (scratch->room <= most) {
            if (!grown((void **)&scratch->shape, most * 2 + SMALL)) return -1;
            scratch->room = most * 2 + SMALL;
        }
        size = (RUNS && rules->shape.runs ? shape_of_runs : shape_of)(rules, message, end, scratch->shape);
        message = scratch->shape;
    }
    return number_of(&codes->shapes, message, size, rules->seed);
}

static int code_text(const struct Rules *rules, const uint8_t *text, size_t size, struct Codes *codes,
                     struct Scratch *scratch) {
    const uint8_t *end = text + size;
    int64_t shape = -1, stamp = 0;
    if (rules->stamp) {
        size_t length = stamp_size(text, end, rules->stamp);
        stamp = codes->events ? codes->stamp[codes->events - 1] : -1; /* often that of the text before */
        if (stamp < 0 || !is_name(&codes->stamps, (uint32_t)stamp, text, length))
            stamp = number_of(&codes->stamps, text, length, rules->seed);
    }
    uint64_t event = codes->events;
    if (stamp < 0 || !add_ids(rules, text, end, (int32_t)stamp, codes, scratch)) return 0;
    if (codes->events > event) {
        if ((shape = number_of_shape(rules, text, end, codes, scratch)) < 0) return 0;
        while (event < codes->events) codes->shape[event++] = (int32_t)shape;
    } else {
        codes->without++;
        if (!add(codes, -1, (int32_t)stamp)) return 0;
    }
    codes->texts++;
    return 1;
}

static int code_array(const struct ArrowArray *array, const struct Rules *rules, struct Codes *codes,
                      struct Scratch *scratch) {
    for (int64_t i = array->offset; i < array->offset + array->length; i++) {
        struct Text text = text_at(array, i);
        if (!code_text(rules, text.at, text.size, codes, scratch)) return 0;
    }
    return 1;
}

/* Code all texts of a stream of string views; `codes` is zeroed before, and freed after, whatever is returned. */
EXPORT int logbench_code(struct ArrowArrayStream *stream, const struct Rules *rules, struct Codes *codes) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct Scratch scratch = {0};
    int outcome = DONE;
    if (stream->get_schema(stream, &schema)) return BROKEN_STREAM;
    if (strcmp(schema.format, "vu")) outcome = OTHER_TYPE;
    schema.release(&schema);
    while (outcome == DONE) {
        if (stream->get_next(stream, &array)) outcome = BROKEN_STREAM;
        if (outcome || !array.release) break; /* the end */
        if (!code_array(&array, rules, codes, &scratch)) outcome = NO_MEMORY;
        array.release(&array);
    }
    free(scratch.shape);
    free(scratch.named);
    return outcome;
}

/* Code the lines of some bytes. A line ends at \n, and one \r before it is left out; the last one needs no end. */
EXPORT int logbench_code_lines(const uint8_t *bytes, size_t size, const struct Rules *rules, struct Codes *codes) {
    struct Scratch scratch = {0};
    int outcome = DONE;
    for (const uint8_t *at = bytes, *end = bytes + size; at < end && outcome == DONE;) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((line_end ? line_end : end) - at);
        if (!code_text(rules, at, length && at[length - 1] == '\r' ? length - 1 : length, codes, &scratch))
            outcome = NO_MEMORY;
        at = line_end ? line_end + 1 : end;
    }
    free(scratch.shape);
    free(scratch.named);
    return outcome;
}

/* The number of each of `some` names among `all`, where new ones come last; hashed by one seed. */
EXPORT int logbench_join(struct Names *all, const struct Names *some, int32_t *number) {
    for (uint32_t i = 0; i < some->count; i++) {
        uint64_t begin = begin_of(some, i);
        int64_t found = number_by(all, some->bytes + begin, some->ends[i] - begin, some->hashes[i]);
        if (found < 0) return NO_MEMORY;
        number[i] = (int32_t)found;
    }
    return DONE;
}

EXPORT void logbench_free_names(struct Names *names) {
    free(names->bytes);
    free(names->ends);
    free(names->hashes);
    free(names->places);
    memset(names, 0, sizeof *names);
}

EXPORT void logbench_free(struct Codes *codes) {
    free(codes->text);
    free(codes->id);
    free(codes->shape);
    free(codes->stamp);
    logbench_free_names(&codes->ids);
    logbench_free_names(&codes->shapes);
    logbench_free_names(&codes->stamps);
    memset(codes, 0, sizeof *codes);
}

/* Where each event goes, sorted by unit: `place` [units] is the next free place of each. */
EXPORT void logbench_place(const int32_t *unit, size_t events, int64_t *place, int64_t *at) {
    for (size_t i = 0; i < events; i++) at[i] = place[unit[i]]++;
}

/* Which source this was built from. */
EXPORT const char *logbench_source(void) { return SOURCE; }
