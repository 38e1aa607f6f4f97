/* Columns of texts that are handed over to polars: views into the bytes of other texts, and into bytes of their own. */
#include "kernel.h"

/* The texts that columns view into: released with the last of the columns. */
struct Held {
    struct ArrowArray texts;
    int count;
};

struct Column {
    struct Held *held;
    uint8_t *valid, *views, *own;
    int64_t *sizes; /* of the buffers that are viewed into */
    size_t size, room;
};

void let_go(struct Held *held) {
    if (!held || __atomic_sub_fetch(&held->count, 1, __ATOMIC_ACQ_REL)) return;
    held->texts.release(&held->texts);
    free(held);
}

const struct ArrowArray *texts_of(const struct Held *held) { return &held->texts; }

/* The only array of a stream of `rows` string views, to be let go of in the end. */
int hold(struct ArrowArrayStream *stream, size_t rows, struct Held **held) {
    struct ArrowSchema schema;
    struct Held *made = calloc(1, sizeof *made);
    if (!made) return NO_MEMORY;
    int outcome = stream->get_schema(stream, &schema) ? BROKEN_STREAM : DONE, other = 0;
    if (!outcome) {
        other = strcmp(schema.format, "vu");
        schema.release(&schema);
        if (stream->get_next(stream, &made->texts) || !made->texts.release) outcome = BROKEN_STREAM;
    }
    if (outcome) {
        free(made);
        return outcome;
    }
    made->count = 1;
    *held = made;
    return other || (size_t)made->texts.length != rows ? OTHER_TYPE : DONE;
}

static void release_column(struct ArrowArray *array) {
    struct Column *column = array->private_data;
    let_go(column->held);
    free(column->valid);
    free(column->views);
    free(column->own);
    free(column->sizes);
    free(column);
    free(array->buffers);
    array->release = NULL;
}

/* Buffers of bytes that the views of the texts lie in: all but those of places, views and sizes. */
static inline size_t viewed(const struct Column *column) { return (size_t)column->held->texts.n_buffers - 3; }

static int make_column(struct Held *held, struct ArrowArray *array) {
    const struct ArrowArray *texts = &held->texts;
    size_t rows = (size_t)texts->length, buffers = (size_t)texts->n_buffers, bytes = buffers - 3;
    struct Column *column = calloc(1, sizeof *column);
    const void **all = calloc(buffers + 1, sizeof *all);
    uint8_t *valid = calloc(rows / 8 + 1, 1), *views = calloc(rows + 1, 16);
    int64_t *sizes = calloc(bytes + 1, sizeof *sizes);
    if (!column || !all || !valid || !views || !sizes) {
        free(column);
        free(all);
        free(valid);
        free(views);
        free(sizes);
        return NO_MEMORY;
    }
    memcpy(all + 2, texts->buffers + 2, bytes * sizeof *all);
    if (bytes) memcpy(sizes, texts->buffers[2 + bytes], bytes * sizeof *sizes);
    all[0] = valid;
    all[1] = views;
    all[2 + bytes] = sizes;
    *column = (struct Column){held, valid, views, NULL, sizes, 0, 0};
    __atomic_add_fetch(&held->count, 1, __ATOMIC_ACQ_REL);
    *array = (struct ArrowArray){.length = texts->length, .null_count = texts->length, .n_buffers = texts->n_buffers,
                                 .buffers = all, .release = release_column, .private_data = column};
    return DONE;
}

/* Columns over the same bytes, all null, each to be released by who takes it, or where not all can be made. */
int make_columns(struct Held *held, struct ArrowArray *columns, size_t count) {
    int outcome = DONE;
    for (size_t i = 0; i < count && !outcome; i++) outcome = make_column(held, columns + i);
    return outcome;
}

/* At most `INLINE` bytes, as a call of memcpy takes longer than they. */
static inline void copy_few(uint8_t *to, const uint8_t *from, size_t size) {
    size_t part = size >= 8 ? 8 : size >= 4 ? 4 : 1;
    if (part == 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8); /* may lie over those before */
    } else if (part == 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++) to[i] = from[i];
    }
}

/* Write a view to row `i` of a column, into one of its buffers from an offset on. */
void put_view(struct ArrowArray *array, int64_t i, const uint8_t *begin, size_t size, int32_t buffer, int32_t offset) {
    struct Column *column = array->private_data;
    uint8_t *view = column->views + 16 * i; /* size, prefix, buffer, offset */
    int32_t of_text[3] = {(int32_t)size, buffer, offset};
    memset(view, 0, 16);
    memcpy(view, of_text, 4);
    if (size <= INLINE) {
        copy_few(view + 4, begin, size);
    } else {
        memcpy(view + 4, begin, 4);
        memcpy(view + 8, of_text + 1, 8);
    }
    column->valid[i / 8] |= (uint8_t)(1u << i % 8);
    array->null_count--;
}

/* Row `i` of a column is a part of its text, from `begin` on. */
void put_part(struct ArrowArray *array, int64_t i, const uint8_t *begin, size_t size) {
    const struct Column *column = array->private_data;
    const struct ArrowArray *texts = &column->held->texts;
    int64_t row = i + texts->offset;
    int32_t view[4];
    memcpy(view, (const uint8_t *)texts->buffers[1] + 16 * row, 16);
    put_view(array, i, begin, size, view[2], view[3] + (int32_t)(begin - text_at(texts, row).at));
}

/* Room for `size` bytes of a column's own; null: there is no memory, or more than views can tell places in. */
uint8_t *own_bytes(struct ArrowArray *array, size_t size) {
    struct Column *column = array->private_data;
    size_t bytes = viewed(column), room = (column->size + size) * 2 + 4096;
    if (column->size + size > INT32_MAX) return NULL;
    if (column->room - column->size < size || !column->own) {
        if (!grown((void **)&column->own, room)) return NULL;
        column->room = room;
    }
    array->buffers[2 + bytes] = column->own;
    array->buffers[3 + bytes] = column->sizes;
    array->n_buffers = column->held->texts.n_buffers + 1;
    return column->own + column->size;
}

/* Row `i` of a column are the first `size` of the bytes that it has got room for. */
void put_own(struct ArrowArray *array, int64_t i, size_t size) {
    struct Column *column = array->private_data;
    put_view(array, i, column->own + column->size, size, (int32_t)viewed(column), (int32_t)column->size);
    if (size > INLINE) column->size += size;
    column->sizes[viewed(column)] = (int64_t)column->size;
}

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

/* The type of columns. */
EXPORT void logbench_type(struct ArrowSchema *schema) {
    *schema = (struct ArrowSchema){"vu", "", NULL, 2, 0, NULL, NULL, release_schema, NULL}; /* 2: may be null */
}

/* Release a column that nobody took. */
EXPORT void logbench_release(struct ArrowArray *column) {
    if (column->release) column->release(column);
}
