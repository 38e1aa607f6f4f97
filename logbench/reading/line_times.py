"""Times of events: by formats and epochs, with zones, and with the year or day that stamps lack."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

import numpy as np
import polars as pl

from ..base.errors import ConfigError
from ..base.kernel import PERHAPS, YES, Kernel, kernel
from ..base.kernel_times import times
from ..base.time_layouts import layout
from ..data.line_format import LineFormat
from .time_texts import chrono, moment, needed

EPOCHS = {"epoch": 1e6, "epoch_ms": 1e3, "epoch_us": 1.0, "epoch_ns": 1e-3}
# Directives that tell the year, and the day.
YEAR, DAY = r"%[-_0]?[YyGgCsFDxc+v]", r"%[-_0]?[YyGgCsFDxc+vdejbBhmUWV]"
# Years that stand for one that is not told: leap years, so that 29 February can be read.
NO_YEAR, NO_DAY = 4, 8


def readable_time(form: LineFormat, field: Callable[[str], pl.Expr], time: pl.Expr) -> pl.Expr:
    """Whether the time of an event can be read, or is left out in so many words (`-`).

    Args:
        field: gives the text of a field. time: that of the event, see `time_of`.
    """
    return time.is_not_null() | _text(form, field).str.strip_chars(" -").eq("").fill_null(True)


# So many are put into times one after the other.
_FEW_YEARS = 8
# Moments that Python knows; one beyond them cannot be read.
KNOWN = (datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999))


def time_of(form: LineFormat, field: Callable[[str], pl.Expr]) -> pl.Expr:
    """The time of an event, null where no format fits; in year 4 where it tells none, in year 8 where no day."""
    if not form.time_format:
        return pl.lit(None, pl.Datetime("us"))
    text = _text(form, field)
    if len(form.time_format) == 1:
        found = _moment(text, form.time_format[0], form)
    else:
        found = text.map_batches(partial(_first_moment, form=form), return_dtype=pl.Datetime("us"))
    return found.map_batches(_known, return_dtype=pl.Datetime("us"), is_elementwise=True)


def _known(found: pl.Series) -> pl.Series:
    inside = found.is_between(*KNOWN)
    return found if inside.all() else found.set(~inside, None)


def _first_moment(text: pl.Series, form: LineFormat) -> pl.Series:
    """The time by the first format that fits; the next one is tried on the rest alone."""
    found = pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(text))
    rest = text.is_not_null().arg_true()
    for how in form.time_format:
        if not len(rest):
            break
        at, tried, sign = rest, text.gather(rest) if len(rest) < len(text) else text, needed(how)
        if sign not in tried[0]:  # texts of a log are alike: not all are read in vain
            there = tried.str.contains(sign, literal=True)
            at, tried = rest.filter(there), tried.filter(there)
        if not len(at):
            continue
        moments = tried.to_frame("text").select(_moment(pl.col("text"), how, form)).to_series()
        found = found.scatter(at, moments) if len(at) < len(text) else moments
        rest = rest.filter(found.gather(rest).is_null())
    return found.alias(text.name)


def _text(form: LineFormat, field: Callable[[str], pl.Expr]) -> pl.Expr:
    texts = [field(name) for name in form.time]
    return (
        pl.concat_str(texts, separator=" ") if len(texts) > 1 else texts[0] if texts else pl.lit(None, pl.String)
    )


def _moment(text: pl.Expr, how: str, form: LineFormat) -> pl.Expr:
    lacks, year, begin, begins = "", 1970, "", ""
    if how not in EPOCHS and form.date and not _has(DAY, how):
        lacks, year, begin, begins = "Ymd", NO_DAY, f"000{NO_DAY}-01-01 ", "%Y-%m-%d "
    elif how not in EPOCHS and form.year and not _has(YEAR, how):
        lacks, year, begin, begins = "Y", NO_YEAR, f"000{NO_YEAR} ", "%Y "
    steps, found = layout(how, lacks), kernel()
    by_polars = partial(_by_polars, how=begins + how, begin=begin)
    if steps is None or found is None:
        return by_polars(text)
    read = partial(_by_kernel, found, steps, year, by_polars)
    return text.map_batches(read, return_dtype=pl.Datetime("us"), is_elementwise=True)


def _by_polars(text: pl.Expr, how: str, begin: str) -> pl.Expr:
    if how in EPOCHS:
        number = text.str.strip_chars().cast(pl.Float64, strict=False) * EPOCHS[how]
        return number.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    return moment(pl.concat_str(pl.lit(begin), text) if begin else text, how, year=not begin)


def _by_kernel(
    found: Kernel, steps: bytes, year: int, by_polars: Callable[[pl.Expr], pl.Expr], text: pl.Series
) -> pl.Series:
    """The same; texts that are not as most logs write them are read by polars."""
    micros, told = times(found, text, steps, year)
    read = pl.Series(text.name, micros).cast(pl.Datetime("us"))
    if (others := told != YES).any():
        read = read.set(pl.Series(others), None)
    if len(unknown := pl.Series(np.flatnonzero(told == PERHAPS))):
        rest = text.gather(unknown).to_frame("text").select(by_polars(pl.col("text"))).to_series()
        read = read.scatter(unknown, rest)
    return read


def _has(directives: str, how: str) -> bool:
    return re.search(directives, how.replace("%%", "")) is not None


@dataclass
class Calendar:
    """Puts the year or day into times that tell none: each is the one nearest to the time before.

    So a year begins where January follows December, a day where the clock passes midnight, and a straggler of the
    old one stays in it.

    Attributes:
        last: number of years or days since the first line, and the time within the year or day, of the last time.
    """

    form: LineFormat
    last: tuple[int, int] | None = None

    def complete(self, times: pl.Series) -> pl.Series:
        """Times as `time_of` gives them, with year and day."""
        if not (self.form.year or self.form.date) or not times.dtype.is_temporal():
            return times
        untold = times.dt.year().is_in([NO_DAY if self.form.date else NO_YEAR]).fill_null(False)
        if not untold.any():
            return times
        within = times.filter(untold).to_physical()
        whole = pl.Series([self.last[1] if self.last else within[0]]).append(within)
        half = 12 * 3600 * 10**6 if self.form.date else 183 * 86_400 * 10**6
        step = whole.diff()
        turns = (step < -half).cast(pl.Int64) - (step > half).cast(pl.Int64)
        number = turns.fill_null(0).cum_sum().slice(1) + (self.last[0] if self.last else 0)
        self.last = int(number[-1]), int(within[-1])
        return times.scatter(untold.arg_true(), self._placed(times.filter(untold), number))

    def _placed(self, times: pl.Series, number: pl.Series) -> pl.Series:
        """Times of these numbers of years or days."""
        if self.form.date:
            first = (date.fromisoformat(self.form.date) - date(NO_DAY, 1, 1)).days
            frame = pl.DataFrame({"time": times, "number": number})
            return frame.select(pl.col("time") + pl.duration(days=pl.col("number") + first))["time"]
        years = number + (self.form.year - NO_YEAR)
        distinct, placed = years.unique(), times
        if len(distinct) > _FEW_YEARS:
            each = pl.format("{}y", pl.col("years"))
            return pl.DataFrame({"time": times, "years": years}).select(pl.col("time").dt.offset_by(each))["time"]
        for year in distinct:
            inside = years == year
            placed = placed.zip_with(~inside, times.dt.offset_by(f"{year}y"))
        return placed


def check_times(form: LineFormat) -> None:
    """Check that times can be read by the formats.

    Raises:
        ConfigError: one is none, or tells no year or day and the options do not either.
    """
    if form.date:
        try:
            date.fromisoformat(form.date)
        except ValueError:
            raise ConfigError(f"date={form.date}: no day; write it as in 2026-03-01") from None
    for how in form.time_format:
        _check(how, form)


def _check(how: str, form: LineFormat) -> None:
    if how in EPOCHS:
        return
    if "%f" in chrono(how):
        raise ConfigError(f"time_format={how}: %f needs a sign before it, such as .%f")
    try:
        shown = chrono(how).replace("%#z", "%z").replace("%Z", "%z")
        pl.Series([0], dtype=pl.Datetime("us", "UTC")).dt.strftime(shown)
        pl.DataFrame({"raw": [""]}).select(_moment(pl.col("raw"), how, form))
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0].removeprefix("Invalid format string: ")
        raise ConfigError(
            f"time_format={how}: no strptime format, nor one of {', '.join(EPOCHS)} ({reason})"
        ) from None
    if not _has(DAY, how) and not form.date:
        instead = f", in place of year = {form.year}" if form.year else ""
        raise ConfigError(
            f'time_format={how}: has no day; say that of the first line, such as date = "2026-03-01"{instead}'
        )
    if _has(DAY, how) and not _has(YEAR, how) and not form.year:
        raise ConfigError(f"time_format={how}: has no year; say which one it is, such as year = 2024")
