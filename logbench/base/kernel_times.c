/* Read times from texts by a layout, made by `time_layouts.py`.
 *
 * Only what stands there as most logs write it is read: where a text is anything else, `told` says PERHAPS, and the
 * caller reads it in another way.
 */
#include "kernel.h"

/* The structure of `kernel_times.py`, field by field. */
struct Layout {
    const uint8_t *steps; /* pairs: a directive as strftime has it, or L, and a number */
    int32_t size;
    int32_t year; /* where the layout has none */
};

struct Moment {
    int64_t year, month, day, hour, minute, second, micro, ahead, weekday;
};

static const int64_t POWERS[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

/* Days from 1970-01-01; en.wikipedia.org/wiki/Julian_day, shifted so that a year begins in March. */
static int64_t days_from(int64_t year, int64_t month, int64_t day) {
    int64_t shifted = year - (month <= 2), era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t of_era = shifted - era * 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t days_in(int64_t year, int64_t month) {
    if (month == 2) return 28 + ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    return 30 + ((month + (month > 7)) & 1);
}

/* At least and at most so many digits; -1: there are fewer. */
static int64_t number(const uint8_t **at, const uint8_t *end, int least, int most, int *digits) {
    int64_t found = 0;
    int count = 0;
    for (; count < most && *at < end && **at >= '0' && **at <= '9'; count++) found = found * 10 + *(*at)++ - '0';
    if (digits) *digits = count;
    return count < least ? -1 : found;
}

/* Which of the names of three letters stands there, from 1; -1: none. */
static int64_t name(const uint8_t **at, const uint8_t *end, const char *names) {
    if (end - *at < 3) return -1;
    for (int64_t i = 0; names[3 * i]; i++)
        if (!memcmp(*at, names + 3 * i, 3)) {
            *at += 3;
            return i + 1;
        }
    return -1;
}

static int zone(const uint8_t **at, const uint8_t *end, int or_z, int64_t *ahead) {
    if (or_z && *at < end && **at == 'Z') {
        ++*at;
        return 1;
    }
    if (*at == end || (**at != '+' && **at != '-')) return 0;
    int64_t sign = *(*at)++ == '-' ? -1 : 1, hours = number(at, end, 2, 2, NULL), minutes;
    if (*at < end && **at == ':') ++*at;
    minutes = number(at, end, 2, 2, NULL);
    *ahead = sign * (hours * 60 + minutes) * 60;
    return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

/* A fraction of a second, of which more than microseconds is left out. */
static int fraction(const uint8_t **at, const uint8_t *end, int64_t *micro) {
    int digits;
    *micro = number(at, end, 1, 6, &digits);
    if (*micro < 0) return 0;
    if (digits == 6) number(at, end, 0, 3, NULL);
    *micro *= POWERS[6 - digits];
    return 1;
}

static int read_step(const uint8_t *step, const uint8_t **at, const uint8_t *end, struct Moment *to) {
    int least = step[1] ? 1 : 2;
    switch (step[0]) {
    case 'L': return *at < end && *(*at)++ == step[1];
    case 'Y': return (to->year = number(at, end, 4, 4, NULL)) >= 1000;
    case 'y':
        to->year = number(at, end, 2, 2, NULL);
        if (to->year < 0 || to->year == 69) return 0; /* of which century, polars says now so, now so */
        to->year += to->year < 69 ? 2000 : 1900;
        return 1;
    case 'b': return (to->month = name(at, end, "JanFebMarAprMayJunJulAugSepOctNovDec")) > 0;
    case 'a': return (to->weekday = name(at, end, "MonTueWedThuFriSatSun")) > 0;
    case 'm': return (to->month = number(at, end, least, 2, NULL)) >= 1 && to->month <= 12;
    case 'e':
        if (*at < end && **at == ' ') {
            ++*at;
            return (to->day = number(at, end, 1, 1, NULL)) >= 1;
        } /* fall through */
    case 'd': return (to->day = number(at, end, least, 2, NULL)) >= 1;
    case 'H': return (to->hour = number(at, end, least, 2, NULL)) >= 0 && to->hour < 24;
    case 'M': return (to->minute = number(at, end, least, 2, NULL)) >= 0 && to->minute < 60;
    case 'S': return (to->second = number(at, end, least, 2, NULL)) >= 0 && to->second < 60;
    case 'f': return fraction(at, end, &to->micro);
    case 'F':
        if (*at == end || **at != '.') return 1;
        ++*at;
        return fraction(at, end, &to->micro);
    case 'z': return zone(at, end, step[1], &to->ahead);
    }
    return 0;
}

/* Whether a sign stands in the place of another, where numbers alone went before. Of white space, and of what may begin a
 * fraction, others may think otherwise. */
static int differs(const struct Layout *layout, int32_t at, uint8_t sign) {
    const uint8_t *step = layout->steps + at;
    if (*step != 'L' || step[1] <= ' ' || (at + 2 < layout->size && step[2] == 'f')) return 0;
    if (sign < ' ' || sign >= 0x80 || (sign >= '0' && sign <= '9')) return 0;
    if (sign == ' ' && (!at || step[-2] == 'L')) return 0;
    for (int32_t i = 0; i < at; i += 2)
        if (!strchr("LYmdHMS", layout->steps[i])) return 0;
    for (int32_t i = at + 2; i < layout->size && step[1] == '.'; i += 2)
        if (layout->steps[i] == 'f') return 0; /* polars' reading takes the last sign of fractions for a point */
    return 1;
}

/* Microseconds from 1970, if the text is as the layout says: YES, NO, or PERHAPS. */
static uint8_t read_time(const struct Layout *layout, const uint8_t *at, const uint8_t *end, int64_t *micros) {
    struct Moment found = {.year = layout->year, .month = 1, .day = 1};
    if (layout->steps[0] == 'E') { /* seconds, or parts of 10 to the step's power, from 1970 */
        int64_t scale = POWERS[layout->steps[1]], value = number(&at, end, 1, 16, NULL);
        if (value < 0 || at != end || value > (INT64_C(1) << 53) / scale) return PERHAPS;
        *micros = value * scale;
        return YES;
    }
    for (int32_t i = 0; i < layout->size; i += 2) {
        const uint8_t *from = at;
        if (read_step(layout->steps + i, &at, end, &found)) continue;
        return from < end && differs(layout, i, *from) ? NO : PERHAPS;
    }
    if (at != end || found.day > days_in(found.year, found.month)) return PERHAPS;
    int64_t days = days_from(found.year, found.month, found.day);
    if (found.weekday && ((days + 3) % 7 + 7) % 7 + 1 != found.weekday) return PERHAPS; /* 1970 began on a Thursday */
    *micros = ((days * 24 + found.hour) * 60 + found.minute) * 60 + found.second - found.ahead;
    *micros = *micros * 1000000 + found.micro;
    return YES;
}

/* Read the times of a stream of string views, `texts` in all: `micros`, and `told`: NO of a null, too. */
EXPORT int logbench_times(struct ArrowArrayStream *stream, const struct Layout *layout, int64_t *micros,
                          uint8_t *told, size_t texts) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    size_t row = 0;
    if (stream->get_schema(stream, &schema)) return BROKEN_STREAM;
    int outcome = strcmp(schema.format, "vu") ? OTHER_TYPE : DONE;
    schema.release(&schema);
    while (outcome == DONE) {
        struct Text before = {NULL, 0}; /* often the same as the one after */
        int64_t micros_before = 0;
        if (stream->get_next(stream, &array)) outcome = BROKEN_STREAM;
        if (outcome || !array.release) break; /* the end */
        if ((size_t)array.length > texts - row) outcome = OTHER_TYPE;
        for (int64_t i = array.offset; i < array.offset + array.length && !outcome; i++, row++) {
            struct Text text = text_at(&array, i);
            if (is_null(&array, i)) continue;
            if (before.at && text.size == before.size && !memcmp(text.at, before.at, text.size)) {
                told[row] = YES;
                micros[row] = micros_before;
            } else {
                told[row] = read_time(layout, text.at, text.at + text.size, micros + row);
            }
            before = told[row] == YES ? text : (struct Text){NULL, 0};
            micros_before = micros[row];
        }
        array.release(&array);
    }
    return outcome == DONE && row != texts ? OTHER_TYPE : outcome;
}
