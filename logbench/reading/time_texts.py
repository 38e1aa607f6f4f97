"""Read times from texts by a strptime format.

Polars reads texts of one length, numbers alone, at a quarter of what fractions of a second or zones cost. So both
are written into the format as most texts have them; only texts that do not fit are read by the format as it is.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache, partial

import polars as pl

# `%f` and the sign before it.
FRACTION = re.compile(r"([^\w%])%f")
# Any directive, with what may stand within.
_DIRECTIVE = re.compile(r"%[-_0]?\.?\d?:{0,3}#?[A-Za-z+]")
# Hours from UTC of the zones that RFC 822 names, and of others that mean one thing alone.
ZONES = {
    "UTC": 0, "UT": 0, "GMT": 0, "Z": 0, "WET": 0, "EST": -5, "EDT": -4, "CST": -6,
    "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
    "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
# Fewer texts are read as they are.
_FEW = 64
# Years before have a sign among their four signs, or zeros.
_SIGNED = datetime(1000, 1, 2)
_TOKEN = re.compile(r"%\.f|(?P<sign>[^\w%])%f|%#?z|%.|.", re.S)
_WIDTHS = {"%Y": r"\d{4}", "%b": "[A-Z][a-z]{2}"} | dict.fromkeys(("%m", "%d", "%H", "%M", "%S"), r"\d\d")
_OFFSET = r"[+-]\d\d:?\d\d"
_PARTS = {
    "%.f": r"(?P<fraction>(?:\.(?:\d{3}|\d{6}))?)",
    "%z": rf"(?P<zone>{_OFFSET})",
    "%#z": rf"(?P<zone>Z|{_OFFSET})",
    "%Z": rf"(?P<zone>{_OFFSET}|{'|'.join(ZONES)})",
}


def chrono(how: str) -> str:
    """A format as polars has it: a fraction of a second is `%.f`."""
    return FRACTION.sub("%.f", how)


@lru_cache(maxsize=64)
def needed(how: str) -> str:
    """A sign that every text has that a format reads; empty where none is sure.

    Examples:
        >>> needed("%y/%m/%d %H:%M:%S"), needed("%d %b,%f"), needed("epoch_ms")
        ('/', '', '')
    """
    plain = _DIRECTIVE.sub("", FRACTION.sub("", how))
    changed = "%Z" in how or "%%" in how  # a zone's name becomes hours, with a colon
    return next((sign for sign in plain if sign.isascii() and sign in "-/:,[]T" and not changed), "")


def moment(text: pl.Expr, how: str, year: bool = True) -> pl.Expr:
    """The time of a text, Datetime("us") of UTC or without a zone; null where it does not fit.

    Args:
        year: whether a log wrote the year, and may have written anything.
    """
    if any(part in chrono(how) for part in _PARTS):
        read = partial(_moments, how=how, year=year)
        return text.map_batches(read, return_dtype=pl.Datetime("us"), is_elementwise=True)
    return text.str.to_datetime(how, time_unit="us", strict=False).dt.replace_time_zone(None)


def _as_it_is(text: pl.Expr, how: str) -> pl.Expr:
    if sign := FRACTION.search(how):  # as Python's logging writes it, 12:00:01,250
        text = text.str.replace(rf"(?s)^(.*){re.escape(sign[1])}(\d+)", "${1}.$2")
    if "%Z" in how:
        for name, hours in ZONES.items():
            text = text.str.replace(rf"\b{name}\b", f"{hours:+03}:00")
        how = how.replace("%Z", "%z")
    return text.str.to_datetime(chrono(how), time_unit="us", strict=False).dt.replace_time_zone(None)


def _moments(text: pl.Series, how: str, year: bool) -> pl.Series:
    def whole(texts: pl.Series) -> pl.Series:
        return texts.to_frame("text").select(_as_it_is(pl.col("text"), how)).to_series()

    known = text.is_not_null()
    first = text[known.arg_max() or 0] if len(text) >= _FEW else None
    fixed = None if first is None else _fixed(how, first)
    if fixed is None:
        return whole(text).alias(text.name)
    form, ahead = fixed

    def read(texts: pl.Series) -> pl.Series:
        found = texts.str.to_datetime(form, time_unit="us", strict=False)
        return found - ahead if ahead else found

    head = pl.Series([first], dtype=pl.String)
    if not read(head).equals(whole(head), check_names=False):
        return whole(text).alias(text.name)
    found = read(text)
    if year and (signed := found < _SIGNED).any():
        found = found.set(signed, None)
    if name := next((zone for zone in ZONES if form.endswith(zone) and "%Z" in how), ""):  # it is a word there
        found = found.set(~text.str.contains(rf"\b{name}\b").fill_null(False), None)
    others = (found.is_null() & known).arg_true()
    return found.scatter(others, whole(text.gather(others))) if len(others) else found


def _fixed(how: str, text: str) -> tuple[str, timedelta] | None:
    """The format with fraction and zone as `text` has them, and by how much its times are ahead of UTC."""
    fits = None if (regex := _regex(how)) is None else re.fullmatch(regex, text, re.ASCII)
    if fits is None:
        return None
    parts = {"fraction": "", "zone": "", **fits.groupdict()}
    fraction, zone = parts["fraction"], parts["zone"]
    put = f"{fraction[0]}%{len(fraction) - 1}f" if fraction else ""
    form = "".join(_put(token, put, zone) for token in _TOKEN.finditer(how))
    if not zone or zone in ZONES:
        return form, timedelta(hours=ZONES.get(zone, 0))
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return form, timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def _put(token: re.Match[str], fraction: str, zone: str) -> str:
    if token["sign"] or token[0] == "%.f":
        return fraction
    return zone if token[0] in _PARTS else token[0]


@lru_cache(maxsize=64)
def _regex(how: str) -> str | None:
    """What texts of one length look like; None where those of the format have none, or are no whole times."""
    parts: list[str] = []
    tokens = list(_TOKEN.finditer(how))
    for token in tokens:
        if token["sign"]:
            if token["sign"].isspace():  # polars lets white space be left out
                return None
            parts.append(rf"(?P<fraction>{re.escape(token['sign'])}(?:\d{{3}}|\d{{6}}))")
        elif token[0].startswith("%"):
            if (part := _WIDTHS.get(token[0]) or _PARTS.get(token[0])) is None:
                return None
            parts.append(part)
        else:
            parts.append(re.escape(token[0]))
    asked = sorted(token[0].replace("%b", "%m") for token in tokens if token[0] in _WIDTHS)
    whole = "".join(parts)
    once = max(whole.count("<fraction>"), whole.count("<zone>")) <= 1
    return whole if once and asked == ["%H", "%M", "%S", "%Y", "%d", "%m"] else None
