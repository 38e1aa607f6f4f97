/* Number equal rows of integers in first-seen order: a hash table of rows, which are compared, not trusted to differ. */
#include "kernel.h"

struct Rows {
    const int32_t *values;
    const int64_t *ends; /* of each row; it begins where the one before ends, the first at 0 */
    int64_t *first;      /* row that each number was first seen at */
    uint64_t *hashes;
    uint32_t *places; /* number + 1 by hash; 0: free */
    uint32_t count, slots;
};

static inline int64_t begin_of(const struct Rows *rows, size_t i) { return i ? rows->ends[i - 1] : 0; }

static int more_slots(struct Rows *rows) {
    uint32_t slots = rows->slots ? rows->slots * 2 : 1024;
    if (!grown((void **)&rows->hashes, slots / 2 * sizeof(uint64_t))) return 0;
    uint32_t *places = places_of(rows->hashes, rows->count, slots);
    if (!places) return 0;
    free(rows->places);
    rows->places = places;
    rows->slots = slots;
    return 1;
}

static uint64_t hash_of(const int32_t *value, size_t size, uint64_t seed) {
    uint64_t h = seed ^ size;
    for (; size; size--) {
        h = (h ^ (uint32_t)*value++) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    return h;
}

static int same(const struct Rows *rows, size_t a, size_t b) {
    size_t size = (size_t)(rows->ends[a] - begin_of(rows, a));
    if ((size_t)(rows->ends[b] - begin_of(rows, b)) != size) return 0;
    return !memcmp(rows->values + begin_of(rows, a), rows->values + begin_of(rows, b), size * sizeof(int32_t));
}

/* The number of each row in `inverse`, the rows they were first seen at in `first`, how many in `count`.
   There are fewer than 2^30 rows, which the caller sees to. */
EXPORT int logbench_distinct(const int32_t *values, const int64_t *ends, size_t size, uint64_t seed, int64_t *first,
                             int32_t *inverse, uint32_t *count) {
    struct Rows rows = {.values = values, .ends = ends, .first = first};
    int status = DONE;
    for (size_t row = 0; row < size; row++) {
        if (rows.count >= rows.slots / 2 && !more_slots(&rows)) {
            status = NO_MEMORY;
            break;
        }
        uint64_t hash = hash_of(values + begin_of(&rows, row), (size_t)(ends[row] - begin_of(&rows, row)), seed);
        uint32_t mask = rows.slots - 1, at = (uint32_t)hash & mask, number = rows.count;
        for (; rows.places[at]; at = (at + 1) & mask) {
            uint32_t i = rows.places[at] - 1;
            if (rows.hashes[i] == hash && same(&rows, (size_t)first[i], row)) {
                number = i;
                break;
            }
        }
        if (number == rows.count) {
            first[number] = (int64_t)row;
            rows.hashes[number] = hash;
            rows.places[at] = ++rows.count;
        }
        inverse[row] = (int32_t)number;
    }
    *count = rows.count;
    free(rows.hashes);
    free(rows.places);
    return status;
}
