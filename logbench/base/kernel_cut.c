/* Take texts apart: where the groups of an expression lie in each, as columns of views into the same bytes.
 *
 * The expression is a program, made by `line_programs.py`, the only place that knows regular expressions. It runs by
 * backtracking, with a bound on its work. Texts are valid UTF-8; each place where a step begins or ends lies between
 * two signs.
 */
#include "kernel.h"

enum { BYTE, ONE, RUN, SPLIT, JUMP, SAVE, ACCEPT };
enum { ALL, MOST, LEAST };
enum { PLACES = 257, LAST = 256, DEEP = 512, GROUPS = 32 };

/* The structures of `kernel_cut.py`, field by field. */
struct Step {
    int32_t kind, a, least, most, after, how, find, everything;
};
struct Program {
    const struct Step *steps;
    const uint8_t *sets; /* [sets][PLACES] */
    int32_t groups;
};

/* A place to go on from, where what follows fails. */
struct Back {
    enum { GO_ON, GIVE_BACK, TAKE_MORE, RESTORE } kind;
    int32_t step;         /* of RESTORE the slot, which is set to `at` again */
    const uint8_t *at;    /* where the step goes on, or the run ended */
    const uint8_t *least; /* of GIVE_BACK: down to here */
};
struct Search {
    const struct Program *program;
    const uint8_t *text, *end;
    const uint8_t *slots[2 * GROUPS];
    int deep;
    int64_t work; /* steps and bytes that are left; an expression may try without end */
    struct Back stack[DEEP];
};

static inline int inside(const uint8_t *at) { return (*at & 0xC0) == 0x80; }

static inline const uint8_t *next_sign(const uint8_t *at, const uint8_t *end) {
    for (at++; at < end && inside(at); at++) {}
    return at;
}

static inline int of(const struct Program *program, int32_t set, const uint8_t *at, const uint8_t *end) {
    return program->sets[(size_t)set * PLACES + (at < end ? *at : LAST)];
}

static int push(struct Search *search, int kind, int32_t step, const uint8_t *at, const uint8_t *least) {
    if (search->deep == DEEP) return 0;
    search->stack[search->deep++] = (struct Back){kind, step, at, least};
    return 1;
}

/* Where a run that can take all ends, or null: one cannot tell. */
static const uint8_t *run_from(struct Search *search, const struct Step *step, const uint8_t *at, int64_t *signs) {
    const uint8_t *set = search->program->sets + (size_t)step->a * PLACES, *from = at, *end = search->end;
    *signs = 0;
    if (step->everything && step->most < 0 && step->least <= 1) {
        *signs = at < end;
        return end;
    }
    if (step->most < 0 && step->least <= 1) {
        while (at < end && set[*at] == YES) at++;
        *signs = at > from;
    } else {
        for (; at < end && set[*at] == YES && (step->most < 0 || *signs < step->most); ++*signs)
            at = next_sign(at, end);
    }
    search->work -= at - from;
    if (at < end && set[*at] == PERHAPS && (step->most < 0 || *signs < step->most)) return NULL;
    return at;
}

/* The last place down from `at`, `least` at the lowest, at which what follows may begin; null: none. */
static const uint8_t *given_back(struct Search *search, const struct Step *step, const uint8_t *at,
                                 const uint8_t *least) {
    for (;; at--) {
        search->work--;
        if ((at == search->end || !inside(at)) && of(search->program, step->after, at, search->end)) return at;
        if (at == least) return NULL;
    }
}

/* The first place from `at` on at which what follows may begin; null: none, or (`at` left in place) unknown. */
static const uint8_t *taken(struct Search *search, const struct Step *step, const uint8_t *at, int *unsure) {
    const uint8_t *set = search->program->sets + (size_t)step->a * PLACES, *end = search->end, *from = at;
    if (step->everything && step->find >= 0) {
        at = at < end ? memchr(at, step->find, (size_t)(end - at)) : NULL;
        search->work -= ((at ? at : end) - from) / 8;
        return at;
    }
    for (;; at = next_sign(at, end)) {
        if (of(search->program, step->after, at, end)) break;
        if (at == end || set[*at] != YES) {
            *unsure = at < end && set[*at] == PERHAPS;
            at = NULL;
            break;
        }
        search->work--;
    }
    return at;
}

/* Whether the text fits; the groups are in `slots`. */
static int fits(struct Search *search) {
    const struct Program *program = search->program;
    const uint8_t *at = search->text, *end = search->end, *to;
    const struct Step *step = program->steps;
    int64_t signs;
    int unsure = 0, known;
    search->deep = 0;
    search->work = 4096 + 32 * (int64_t)(end - at);
    for (;;) {
        if (--search->work < 0) return PERHAPS;
        switch (step->kind) {
        case BYTE:
            if (at == end || *at != step->a) goto back;
            at++;
            break;
        case ONE:
            if ((known = of(program, step->a, at, end)) != YES) {
                if (known == PERHAPS) return PERHAPS;
                goto back;
            }
            at = next_sign(at, end);
            break;
        case RUN:
            if (step->how != LEAST) {
                if (!(to = run_from(search, step, at, &signs))) return PERHAPS;
                if (signs < step->least) goto back;
                if (step->how == MOST) {
                    const uint8_t *least = at;
                    for (int32_t i = 0; i < step->least; i++) least = next_sign(least, end);
                    if (!(to = given_back(search, step, to, least))) goto back;
                    if (to > least && !push(search, GIVE_BACK, (int32_t)(step - program->steps), to, least)) return PERHAPS;
                }
                at = to;
                break;
            }
            for (int32_t i = 0; i < step->least; i++) {
                if ((known = of(program, step->a, at, end)) == PERHAPS) return PERHAPS;
                if (known == NO) goto back;
                at = next_sign(at, end);
            }
        lazy:
            to = taken(search, step, at, &unsure);
            if (unsure) return PERHAPS;
            if (!to) goto back;
            if (to < end && !push(search, TAKE_MORE, (int32_t)(step - program->steps), to, NULL)) return PERHAPS;
            at = to;
            break;
        case SPLIT: {
            int one = of(program, step->most, at, end), other = of(program, step->after, at, end), lazy = step->how;
            if (!one && !other) goto back;
            if (one && other && !push(search, GO_ON, lazy ? step->a : step->least, at, NULL)) return PERHAPS;
            step = program->steps + ((lazy ? !other : one) ? step->a : step->least);
            continue;
        }
        case JUMP:
            step = program->steps + step->a;
            continue;
        case SAVE:
            if (search->deep && !push(search, RESTORE, step->a, search->slots[step->a], NULL)) return PERHAPS;
            search->slots[step->a] = at;
            break;
        case ACCEPT:
            if (!step->a || at == end) return YES;
            goto back;
        }
        step++;
        continue;
    back:
        for (;;) {
            if (!search->deep) return NO;
            struct Back *last = &search->stack[--search->deep];
            if (last->kind == RESTORE) {
                search->slots[last->step] = last->at;
                continue;
            }
            step = program->steps + last->step;
            at = last->at;
            if (last->kind == GO_ON) break;
            if (last->kind == GIVE_BACK) {
                if (!(to = given_back(search, step, at - 1, last->least))) continue;
                if (to > last->least) last->at = to, search->deep++;
                at = to;
                step++;
                break;
            }
            if ((known = of(program, step->a, at, end)) == PERHAPS) return PERHAPS;
            if (known == NO) continue;
            at = next_sign(at, end);
            goto lazy;
        }
    }
}

/* Take the texts of a stream apart.
 *
 * `columns` [groups], zeroed, are those of the groups, to be released by the caller; `told` [texts], zeroed, says of
 * each text whether it fits, as a set of a program does.
 */
EXPORT int logbench_cut(struct ArrowArrayStream *stream, const struct Program *program, struct ArrowArray *columns,
                        uint8_t *told, size_t texts) {
    struct Held *held = NULL;
    struct Search *search = calloc(1, sizeof *search);
    int outcome = search ? hold(stream, texts, &held) : NO_MEMORY;
    if (!outcome && program->groups > GROUPS) outcome = OTHER_TYPE;
    if (!outcome) outcome = make_columns(held, columns, (size_t)program->groups);
    for (int64_t i = 0; !outcome && i < (int64_t)texts; i++) {
        const struct ArrowArray *array = texts_of(held);
        struct Text text = text_at(array, i + array->offset);
        int32_t view[4]; /* size, prefix, buffer, offset */
        if (is_null(array, i + array->offset)) continue;
        search->program = program;
        search->text = text.at;
        search->end = text.at + text.size;
        memset(search->slots, 0, 2 * sizeof *search->slots * (size_t)program->groups);
        if ((told[i] = (uint8_t)fits(search)) != YES) continue;
        memcpy(view, (const uint8_t *)array->buffers[1] + 16 * (i + array->offset), 16);
        for (int32_t group = 0; group < program->groups; group++) {
            const uint8_t *begin = search->slots[2 * group], *end = search->slots[2 * group + 1];
            int32_t offset = view[3] + (int32_t)(begin - text.at);
            if (begin && end) put_view(columns + group, i, begin, (size_t)(end - begin), view[2], offset);
        }
    }
    let_go(held);
    free(search);
    return outcome;
}
