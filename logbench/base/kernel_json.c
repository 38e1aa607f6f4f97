/* Find texts at some paths of JSON lines.
 *
 * Each line is read once from begin to end, so that a line that is no valid JSON is seen as such. What is not plain
 * (a key that is written with an escape, a wanted one that stands twice, a list where a key is looked for, half of a
 * surrogate pair, numbers that may be none) is not judged: the line is odd, and left to who called. Texts are valid
 * UTF-8. Nothing here keeps state between calls, or writes to its input, so calls may run in threads.
 */
#include "kernel.h"

enum { NO_OBJECT = 0, OBJECT = 1, ODD = 2 }; /* what a line is */
/* What stands at a path: nothing, a text, JSON that is not written as it is shown. Only here: null, a text with
 * escapes, and an object. */
enum { NOTHING = 0, TEXT = 1, VALUE = 2, NONE = 3, ESCAPED = 4, INNER = 5 };
enum { DEEPEST = 100, LONGEST_NUMBER = 200 };
static const uint64_t EXACT = UINT64_C(1) << 52;

/* From here on the structures are those of `kernel_json.py`, field by field. */
struct Key {
    const uint8_t *text;
    size_t size;
    int32_t within; /* the key whose object it stands in, or -1 */
    int32_t first;  /* the first key that is looked for in its own object, or -1 */
    int32_t next;   /* the next one in the same object, or -1 */
    int32_t depth;  /* 1: in the line itself */
};
struct Paths {
    const struct Key *keys; /* the first is looked for in the line */
    const int32_t *ways;    /* last keys of paths, those of a column together, in the order in which they are tried */
    const int32_t *ends;    /* [columns]: where the ways of each end */
    size_t count, columns;
};

struct Cell {
    const uint8_t *at, *end; /* a text without its quotes */
    int32_t kind;
};
struct Line {
    const struct Key *keys;
    struct Cell *cells; /* one a key */
    const uint8_t *end;
};

static inline const uint8_t *space(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

/* Four hexadecimal digits; -1: there are none. */
static int32_t hex(const uint8_t *at, const uint8_t *end) {
    int32_t code = 0;
    if (end - at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        uint8_t sign = at[i];
        if (sign >= '0' && sign <= '9') code = code << 4 | (sign - '0');
        else if ((sign | 32) >= 'a' && (sign | 32) <= 'f') code = code << 4 | ((sign | 32) - 'a' + 10);
        else return -1;
    }
    return code;
}

/* Where an escape ends that begins at `at`, and the character that it stands for; null: it is none. */
static const uint8_t *escape(const uint8_t *at, const uint8_t *end, int32_t *code) {
    static const char SIGNS[] = "\"\\/bfnrt", MEANT[] = "\"\\/\b\f\n\r\t";
    if (end - at < 2) return NULL;
    if (at[1] != 'u') {
        const char *found = at[1] ? strchr(SIGNS, at[1]) : NULL;
        if (!found) return NULL;
        *code = MEANT[found - SIGNS];
        return at + 2;
    }
    *code = hex(at + 2, end);
    if (*code < 0xD800 || *code > 0xDFFF) return *code < 0 ? NULL : at + 6;
    if (*code > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u') return NULL;
    int32_t low = hex(at + 8, end);
    if (low < 0xDC00 || low > 0xDFFF) return NULL;
    *code = 0x10000 + ((*code - 0xD800) << 10 | (low - 0xDC00));
    return at + 12;
}

/* The quote that ends a string, of which `at` is the first character; null: it is no string. */
static const uint8_t *string(const uint8_t *at, const uint8_t *end, int *escaped) {
    for (int32_t code;;) {
#if defined(__SSE2__)
        const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
        for (; end - at >= 16; at += 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)at);
            __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, back));
            found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
            int mask = _mm_movemask_epi8(found);
            if (mask) {
                at += __builtin_ctz((unsigned)mask);
                break;
            }
        }
#endif
        while (at < end && *at >= 0x20 && *at != '"' && *at != '\\') at++;
        if (at == end || *at < 0x20) return NULL;
        if (*at == '"') return at;
        *escaped = 1;
        if (!(at = escape(at, end, &code))) return NULL;
    }
}

static inline int is_digit(uint8_t sign) { return sign >= '0' && sign <= '9'; }

/* Where a number ends; null: it is none, or may be too large. `plain`: it is written as it is shown. */
static const uint8_t *number(const uint8_t *at, const uint8_t *end, int *plain) {
    const uint8_t *begin = at, *digits, *point = NULL;
    uint64_t value = 0;
    if (at < end && *at == '-') at++;
    digits = at;
    while (at < end && is_digit(*at)) value = value * 10 + (*at++ - '0');
    size_t whole = (size_t)(at - digits), part = 0;
    if (!whole || (whole > 1 && *digits == '0')) return NULL;
    if (at < end && *at == '.') {
        point = ++at;
        while (at < end && is_digit(*at)) value = value * 10 + (*at++ - '0');
        if (!(part = (size_t)(at - point))) return NULL;
    }
    /* Not zero, and near the double that it means no other number has as few digits, see the tests. */
    *plain = point ? whole + part <= 16 && value && value < EXACT && (at[-1] != '0' || part == 1) &&
                         (*digits != '0' || memcmp(point, "000", part < 3 ? part : 3))
                   : whole <= 18 && (value || *begin != '-');
    if (at < end && (*at | 32) == 'e') {
        *plain = 0;
        at++;
        if (at < end && (*at == '-' || *at == '+')) at++;
        const uint8_t *power = at;
        while (at < end && is_digit(*at)) at++;
        if (at == power || at - power > 2) return NULL;
    }
    return at - begin > LONGEST_NUMBER ? NULL : at;
}

static const uint8_t *value(const struct Line *line, const uint8_t *at, int32_t key, int depth);

static const uint8_t *literal(const uint8_t *at, const uint8_t *end, const char *word, size_t size) {
    return (size_t)(end - at) >= size && !memcmp(at, word, size) ? at + size : NULL;
}

/* Where an object ends, `at` is behind its brace; `first` of the keys that are looked for in it, or -1. */
static const uint8_t *object(const struct Line *line, const uint8_t *at, int32_t first, int depth) {
    const uint8_t *end = line->end;
    at = space(at, end);
    if (at < end && *at == '}') return at + 1;
    for (;;) {
        int escaped = 0;
        if (at == end || *at != '"') return NULL;
        const uint8_t *name = at + 1, *after = string(name, end, &escaped);
        if (!after || (escaped && first >= 0)) return NULL;
        int32_t key = first;
        size_t size = (size_t)(after - name);
        while (key >= 0 && (line->keys[key].size != size || memcmp(line->keys[key].text, name, size)))
            key = line->keys[key].next;
        at = space(after + 1, end);
        if (at == end || *at != ':') return NULL;
        if (!(at = value(line, space(at + 1, end), key, depth))) return NULL;
        at = space(at, end);
        if (at == end) return NULL;
        if (*at == '}') return at + 1;
        if (*at != ',') return NULL;
        at = space(at + 1, end);
    }
}

static const uint8_t *list(const struct Line *line, const uint8_t *at, int depth) {
    const uint8_t *end = line->end;
    at = space(at, end);
    if (at < end && *at == ']') return at + 1;
    for (;;) {
        if (!(at = value(line, at, -1, depth))) return NULL;
        at = space(at, end);
        if (at == end) return NULL;
        if (*at == ']') return at + 1;
        if (*at != ',') return NULL;
        at = space(at + 1, end);
    }
}

/* Where a value ends, which `key` (or -1) looks for; null: the line is odd. */
static const uint8_t *value(const struct Line *line, const uint8_t *at, int32_t key, int depth) {
    const uint8_t *end = line->end, *begin = at;
    int32_t kind = TEXT;
    int is = 0;
    if (at == end || depth > DEEPEST) return NULL;
    if (key >= 0 && line->cells[key].kind) return NULL;
    switch (*at) {
    case '"':
        begin = at + 1;
        if (!(at = string(begin, end, &is))) return NULL;
        if (key >= 0) line->cells[key] = (struct Cell){begin, at, is ? ESCAPED : TEXT};
        return at + 1;
    case '{':
        if (key >= 0) line->cells[key].kind = INNER;
        at = object(line, at + 1, key >= 0 ? line->keys[key].first : -1, depth + 1);
        kind = INNER;
        break;
    case '[':
        if (key >= 0) return NULL;
        return list(line, at + 1, depth + 1);
    case 't':
        at = literal(at, end, "true", 4);
        break;
    case 'f':
        at = literal(at, end, "false", 5);
        break;
    case 'n':
        at = literal(at, end, "null", 4);
        kind = NONE;
        break;
    default:
        at = number(at, end, &is);
        kind = is ? TEXT : VALUE;
    }
    if (at && key >= 0) line->cells[key] = (struct Cell){begin, at, kind};
    return at;
}

/* What a line is, and its cells. */
static uint8_t read(const struct Paths *paths, struct Text text, struct Cell *cells) {
    const uint8_t *at = text.at, *end = text.at + text.size;
    struct Line line = {paths->keys, cells, end};
    memset(cells, 0, paths->count * sizeof *cells);
    at = space(at, end);
    if (at == end || !strchr("{[\"", *at)) return NO_OBJECT;
    if (*at != '{' || !(at = object(&line, at + 1, 0, 1))) return ODD;
    return space(at, end) == end ? OBJECT : ODD;
}

/* Write a character; where the next one goes. */
static uint8_t *put_code(uint8_t *to, int32_t code) {
    if (code < 0x80) {
        *to++ = (uint8_t)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (uint8_t)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (uint8_t)(0xE0 | code >> 12);
        } else {
            *to++ = (uint8_t)(0xF0 | code >> 18);
            *to++ = (uint8_t)(0x80 | (code >> 12 & 0x3F));
        }
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = (uint8_t)(0x80 | (code & 0x3F));
    return to;
}

/* Write a cell as the text of a row; 0: no memory. */
static int put(struct ArrowArray *column, int64_t row, struct Cell cell) {
    size_t size = (size_t)(cell.end - cell.at);
    if (cell.kind != ESCAPED) {
        put_part(column, row, cell.at, size);
        return 1;
    }
    uint8_t *own = own_bytes(column, size), *to = own;
    if (!own) return 0;
    for (const uint8_t *at = cell.at; at < cell.end;) {
        const uint8_t *back = memchr(at, '\\', (size_t)(cell.end - at));
        size_t before = (size_t)((back ? back : cell.end) - at);
        int32_t code;
        memcpy(to, at, before);
        to += before;
        if (!back) break;
        at = escape(back, cell.end, &code);
        to = put_code(to, code);
    }
    put_own(column, row, (size_t)(to - own));
    return 1;
}

/* Whether a text may hold an object, or begin like a list. */
static int may_go_on(struct Cell cell) {
    return (cell.kind == TEXT || cell.kind == ESCAPED) && cell.at < cell.end &&
           (*cell.at <= ' ' || *cell.at >= 0x80 || *cell.at == '{' || *cell.at == '[' || *cell.at == '\\');
}

/* What a column has of a line; 0: the line is odd. A path may go on in an object that stands in a text. */
static int chosen(const struct Paths *paths, const struct Cell *cells, size_t column, struct Cell *found) {
    int by_dots = 0;
    int32_t begin = column ? paths->ends[column - 1] : 0, end = paths->ends[column];
    *found = (struct Cell){NULL, NULL, NOTHING};
    for (int32_t way = begin; way < end; way++) {
        const struct Cell *cell = cells + paths->ways[way];
        by_dots |= paths->keys[paths->ways[way]].depth > 1;
        if (found->kind == NOTHING && cell->kind != NOTHING && cell->kind != NONE) *found = *cell;
    }
    if (!by_dots) return 1;
    if (found->kind != NOTHING)
        return !((found->kind == TEXT || found->kind == ESCAPED) && found->at < found->end &&
                 (*found->at == '[' || *found->at == '\\'));
    for (int32_t way = begin; way < end; way++) {
        int32_t key = paths->ways[way], depth = paths->keys[key].depth;
        while (paths->keys[key].within >= 0) key = paths->keys[key].within;
        if (depth > 1 && (may_go_on(cells[key]) || (depth > 2 && cells[key].kind == INNER))) return 0;
    }
    return 1;
}

static int add(const struct Paths *paths, const struct Cell *cells, struct ArrowArray *columns, size_t row,
               size_t rows, uint8_t *is, uint8_t *kinds, struct Cell *found) {
    for (size_t column = 0; *is == OBJECT && column < paths->columns; column++)
        if (!chosen(paths, cells, column, found + column)) *is = ODD;
    for (size_t column = 0; *is == OBJECT && column < paths->columns; column++) {
        struct Cell cell = found[column];
        if (cell.kind == NOTHING) continue;
        if (!put(columns + column, (int64_t)row, cell)) return 0;
        kinds[column * rows + row] = cell.kind == VALUE || cell.kind == INNER ? VALUE : TEXT;
    }
    return 1;
}

/* The texts at `paths` of a stream of `rows` lines: what each line is [rows], what stands at each path
 * [columns][rows], zeroed before, and the texts, `columns`, zeroed, to be released by the caller. */
EXPORT int logbench_json(struct ArrowArrayStream *stream, const struct Paths *paths, size_t rows, uint8_t *is,
                         uint8_t *kinds, struct ArrowArray *columns) {
    struct Held *held = NULL;
    struct Cell *cells = calloc(paths->count + paths->columns, sizeof *cells);
    int outcome = cells ? hold(stream, rows, &held) : NO_MEMORY;
    if (!outcome) outcome = make_columns(held, columns, paths->columns);
    for (size_t row = 0; !outcome && row < rows; row++) {
        is[row] = read(paths, text_at(texts_of(held), (int64_t)row + texts_of(held)->offset), cells);
        if (!add(paths, cells, columns, row, rows, is + row, kinds, cells + paths->count)) outcome = NO_MEMORY;
    }
    let_go(held);
    free(cells);
    return outcome;
}
