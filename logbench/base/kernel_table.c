/* Take rows of tables apart: the cells of each line, by the quotes of Python's csv, see `quotes.py`. */
#include "kernel.h"

/* The structure of `kernel_table.py`, field by field. */
struct Table {
    const int32_t *column; /* [cells]: the column that a cell goes to, or -1 */
    int32_t cells, least;  /* as many as a row has at most, and at least */
    int32_t columns;
    uint8_t between, quotes; /* what stands between cells, ASCII; whether quotes are none of their signs */
};
struct Cell {
    const uint8_t *at, *end; /* without the quotes around it */
    const uint8_t *close;    /* where its quote closes; null: it has none */
};

static const uint8_t *up_to(const uint8_t *at, const uint8_t *end, uint8_t sign) {
    const uint8_t *found = at < end ? memchr(at, sign, (size_t)(end - at)) : NULL;
    return found ? found : end;
}

/* The quote that closes one, from behind it on; null: there is none. Two of them stand for a sign. */
static const uint8_t *closing(const uint8_t *at, const uint8_t *end) {
    for (at = up_to(at, end, '"'); end - at > 1 && at[1] == '"';) at = up_to(at + 2, end, '"');
    return at < end ? at : NULL;
}

/* Where the cell ends that begins at `at`; null: its quote does not close. */
static const uint8_t *cell_at(const struct Table *table, const uint8_t *at, const uint8_t *end, struct Cell *cell) {
    *cell = (struct Cell){at, NULL, NULL};
    if (table->quotes && at < end && *at == '"') {
        if (!(cell->close = closing(++cell->at, end))) return NULL;
        at = cell->close + 1;
    }
    return cell->end = up_to(at, end, table->between);
}

/* Write a cell; 0: no memory. Two quotes are one, and what stands behind the last one belongs to it. */
static int put(struct ArrowArray *column, int64_t row, struct Cell cell) {
    if (!cell.close) {
        put_part(column, row, cell.at, (size_t)(cell.end - cell.at));
        return 1;
    }
    if (cell.close + 1 == cell.end && up_to(cell.at, cell.close, '"') == cell.close) {
        put_part(column, row, cell.at, (size_t)(cell.close - cell.at));
        return 1;
    }
    uint8_t *own = own_bytes(column, (size_t)(cell.end - cell.at)), *to = own;
    if (!own) return 0;
    for (const uint8_t *at = cell.at; at < cell.end; at++) {
        if (at == cell.close) continue;
        if (at < cell.close && *at == '"') at++;
        *to++ = *at;
    }
    put_own(column, row, (size_t)(to - own));
    return 1;
}

/* Cells of rows, a stream of `rows` string views.
 *
 * `columns`, zeroed, are to be released by the caller; `told` [rows], zeroed, says of each whether it has as many cells
 * as the table: PERHAPS where quotes may be read in another way.
 */
EXPORT int logbench_table(struct ArrowArrayStream *stream, const struct Table *table, struct ArrowArray *columns,
                          uint8_t *told, size_t rows) {
    struct Held *held = NULL;
    struct Cell *cells = calloc((size_t)table->cells, sizeof *cells);
    int outcome = cells ? hold(stream, rows, &held) : NO_MEMORY;
    if (!outcome) outcome = make_columns(held, columns, (size_t)table->columns);
    for (int64_t i = 0; !outcome && i < (int64_t)rows; i++) {
        int64_t row = i + texts_of(held)->offset;
        struct Text text = text_at(texts_of(held), row);
        const uint8_t *at = text.at, *end = at + text.size;
        int32_t count = 0;
        if (is_null(texts_of(held), row)) continue;
        while (count < table->cells && (at = cell_at(table, at, end, cells + count))) {
            count++;
            if (at++ == end) break;
        }
        if (at == end + 1 && count >= table->least) {
            told[i] = YES;
            for (int32_t cell = 0; cell < count && !outcome; cell++)
                if (table->column[cell] >= 0 && !put(columns + table->column[cell], i, cells[cell])) outcome = NO_MEMORY;
        } else if (table->quotes && up_to(text.at, end, '"') < end) {
            told[i] = PERHAPS;
        }
    }
    let_go(held);
    free(cells);
    return outcome;
}

/* Whether a quote is open where each line begins, `open` [rows], of a stream of `rows` string views. */
EXPORT int logbench_open(struct ArrowArrayStream *stream, uint8_t between, uint8_t *open, size_t rows) {
    const struct Table table = {.between = between, .quotes = 1};
    struct Held *held = NULL;
    struct Cell cell;
    int outcome = hold(stream, rows, &held);
    uint8_t now = 0;
    for (int64_t i = 0; !outcome && i < (int64_t)rows; i++) {
        struct Text text = text_at(texts_of(held), i + texts_of(held)->offset);
        const uint8_t *at = text.at, *end = at + text.size;
        open[i] = now;
        if (up_to(at, end, '"') == end) continue; /* nothing opens or closes one */
        if (now && (at = closing(at, end))) at = up_to(at + 1, end, between);
        if (at && now) at++;
        while (at && at <= end && (at = cell_at(&table, at, end, &cell))) at++;
        now = !at;
    }
    let_go(held);
    return outcome;
}
