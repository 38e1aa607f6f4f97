/* What the files of the kernel share. */
#ifndef LOGBENCH_KERNEL_H
#define LOGBENCH_KERNEL_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

enum { DONE = 0, NO_MEMORY = 1, OTHER_TYPE = 2, BROKEN_STREAM = 3 };
enum { NO, YES, PERHAPS }; /* what is said of a text, which polars looks at where it is PERHAPS */
enum { INLINE = 12 }; /* bytes of a text that stand in its view */

/* The Arrow C data interface: arrow.apache.org/docs/format/CDataInterface.html */
struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

/* A text of an array of string views; null: as the empty text. */
struct Text {
    const uint8_t *at;
    size_t size;
};

static inline int is_null(const struct ArrowArray *array, int64_t i) {
    const uint8_t *valid = array->buffers[0];
    return valid && !(valid[i / 8] >> i % 8 & 1);
}

static inline struct Text text_at(const struct ArrowArray *array, int64_t i) {
    const uint8_t *view = (const uint8_t *)array->buffers[1] + 16 * i;
    int32_t part[4]; /* size, prefix, buffer, offset */
    memcpy(part, view, 16);
    if (is_null(array, i)) part[0] = 0;
    if (part[0] <= INLINE) return (struct Text){view + 4, (size_t)part[0]};
    return (struct Text){(const uint8_t *)array->buffers[2 + part[2]] + part[3], (size_t)part[0]};
}

static inline int grown(void **block, size_t size) {
    void *larger = realloc(*block, size ? size : 1);
    if (!larger) return 0;
    *block = larger;
    return 1;
}

/* The slots of a hash table: number + 1 of each hash, 0 where one is free; null: no memory. `slots` is a power of two. */
static inline uint32_t *places_of(const uint64_t *hashes, uint32_t count, uint32_t slots) {
    uint32_t *places = calloc(slots, sizeof(uint32_t));
    for (uint32_t i = 0; places && i < count; i++) {
        uint32_t at = (uint32_t)hashes[i] & (slots - 1);
        while (places[at]) at = (at + 1) & (slots - 1);
        places[at] = i + 1;
    }
    return places;
}

/* Columns that are handed over, see `kernel_columns.c`. */
struct Held;
int hold(struct ArrowArrayStream *stream, size_t rows, struct Held **held);
void let_go(struct Held *held);
const struct ArrowArray *texts_of(const struct Held *held);
int make_columns(struct Held *held, struct ArrowArray *columns, size_t count);
void put_part(struct ArrowArray *column, int64_t i, const uint8_t *begin, size_t size);
void put_view(struct ArrowArray *column, int64_t i, const uint8_t *begin, size_t size, int32_t buffer, int32_t offset);
uint8_t *own_bytes(struct ArrowArray *column, size_t size);
void put_own(struct ArrowArray *column, int64_t i, size_t size);

#endif
