"""What an event holds: the columns that a `LineFormat` declares, and what of it can be checked without data."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Sequence

import polars as pl

from ..base.errors import ConfigError
from ..base.options import fields_of, make, suggest
from ..data.kept import KEPT
from ..data.line_format import FORMATS, PLACE, SEPARATORS, LineFormat
from .line_patterns import SAMPLE, group_names
from .line_times import check_times
from .splitters import named

# Where groups of a regular expression begin and end; an escaped sign or a set of signs is passed over.
GROUP_EDGE = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|(?P<open>\((?:\?P?<(?P<name>\w+)>)?)|(?P<close>\))", re.S
)
# What Python calls encodings that no text file is written in.
NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})


def label_of(form: LineFormat) -> pl.Expr:
    """1 anomalous, 0 normal, null where the event has no label, or one that means neither."""
    value = named(form.label).str.strip_chars()
    normal, anomalous = value.is_in(list(form.normal)), value.is_in(list(form.anomalous))
    if form.normal and form.anomalous:
        found = pl.when(anomalous).then(1).when(normal).then(0)
        return found.cast(pl.Int8)
    return (~normal if form.normal else anomalous).cast(pl.Int8)


def _source(name: str, message: pl.Expr) -> pl.Expr:
    """What an id or a group is looked for in."""
    given = {"message": message, "raw": pl.col("raw"), "file": pl.col("file")}
    return given[name] if name in given else named(name)


def group_of(form: LineFormat, message: pl.Expr) -> pl.Expr:
    """The group of an event, null where it has none."""
    source = _source(form.group, message)
    if not form.group_pattern:
        return pl.when(source != "").then(source)
    return source.str.extract(form.group_pattern, 1 if group_names(form.group_pattern) else 0)


def id_of(form: LineFormat, message: pl.Expr) -> pl.Expr:
    """The id of an event, or all of them; null, or an empty list, where it has none."""
    source = _source(form.id, message)
    if not form.id_pattern:
        return pl.when(source != "").then(source)
    if group_names(form.id_pattern):
        return source.str.extract(form.id_pattern, 1)
    return source.str.extract_all(form.id_pattern)


def key_of(form: LineFormat, message: pl.Expr) -> pl.Expr | None:
    """What a key is made of: values as they stand, `KEPT`, and the text that is parsed; None: the message is.

    In a message of several fields a value of one word stands, and the rest is parsed.
    """
    if not form.key:
        places = re.findall(PLACE, form.message)
        if not places:
            return None
        words = [(name, named(name).fill_null("").str.contains(r"\s")) for name in places]
        kept = [pl.when(~long).then(named(name).fill_null("")).otherwise(pl.lit("…")) for name, long in words]
        rest = [pl.when(long).then(named(name)) for name, long in words]
        texts = re.split(PLACE, form.message)
        parts = [pl.lit(text) if at % 2 == 0 else kept[at // 2] for at, text in enumerate(texts)]
        parsed = pl.concat_str(rest, separator=" ", ignore_nulls=True)
        return pl.concat_str([*parts, pl.lit(KEPT), parsed])
    kept = [named(name).fill_null("") for name in form.key if name != "message"]
    parsed = message if "message" in form.key else pl.lit("")
    return pl.concat_str([pl.concat_str(kept, separator=" ") if kept else pl.lit(""), pl.lit(KEPT), parsed])


def asks_message(form: LineFormat, columns: Collection[str]) -> bool:
    """Whether one of these columns of events is made of their messages, see `open_lines`."""
    sources = {"id": (form.id,), "group": (form.group,), "key": form.key or ("message",)}
    of_message = {name for name, fields in sources.items() if "message" in fields}
    return bool(of_message.union({"message", "matched"}).intersection(columns))


def fields_for(form: LineFormat, columns: Collection[str]) -> set[str]:
    """The fields that these columns of events are made of."""
    single = ("level", "component", "node", "label", "group", "id")
    made = {name: (getattr(form, name),) for name in single} | {"time": form.time, "key": (*form.key, *form.shown)}
    used = {field for column in columns for field in made.get(column, ())}
    return used.union(form.shown if asks_message(form, columns) else ())


def checked_format(form: LineFormat) -> LineFormat:
    """The same format, with what can be told without data told.

    Raises:
        ConfigError: names the option: a field that the pattern lacks, labels without a rule, an unknown encoding …
    """
    if not _encodes_text(form.encoding):
        raise ConfigError(f"encoding={form.encoding[:60]!r}: Python knows no such encoding of text files")
    if form.format not in FORMATS:
        raise ConfigError(f"format={form.format}: no such format{suggest(form.format, FORMATS)}")
    _check_table(form)
    if not form.message:
        raise ConfigError("message: name the field with the message")
    for layer in form.layers[1:]:
        make(LineFormat, {name: getattr(layer, name) for name in fields_of(LineFormat)}, "inner")
        checked_format(layer)
    if form.time and not form.time_format:
        raise ConfigError('time_format: say how times are written, such as "%Y-%m-%d %H:%M:%S" or "epoch"')
    if form.label and not (form.normal or form.anomalous):
        raise ConfigError('normal: say which labels mean normal, such as normal = ["-"], or anomalous = ["1"]')
    _check_label(form)
    if both := set(form.normal) & set(form.anomalous):
        raise ConfigError(f"normal: {sorted(both)[0]!r} is in anomalous too")
    if form.id in ("message", "raw") and not form.id_pattern:
        raise ConfigError(f"id_pattern: an id in the {form.id} needs a regular expression")
    if form.group in ("message", "raw") and not form.group_pattern:
        raise ConfigError(f"group_pattern: a group in the {form.group} needs a regular expression")
    _check_regex("id_pattern", form.id_pattern)
    _check_regex("group_pattern", form.group_pattern)
    if form.format in ("pattern", "regex"):
        _check_fields(form)
    check_times(form)
    return form


def _check_table(form: LineFormat) -> None:
    """Separators of cells, and what tells pieces of a message."""
    if form.separator and form.format not in SEPARATORS:
        raise ConfigError(f"separator: stands between cells of csv or tsv, not of {form.format}")
    if form.separator and form.quote != "none" and (len(form.separator) > 1 or form.separator in '"\r\n'):
        raise ConfigError('separator: one sign, such as ";", where cells may be quoted (quote = "none": any text)')
    if form.pieces not in ("", "newline") and "=" not in form.pieces:
        raise ConfigError(f"pieces={form.pieces}: a field and its value, such as Tag=P, or newline")


def _encodes_text(encoding: str) -> bool:
    try:
        name = codecs.lookup(encoding).name
        return name not in NO_TEXT and bytes(range(256)).decode(name, "replace") != ""
    except (LookupError, ValueError):
        return False


def _check_label(form: LineFormat) -> None:
    """No other column holds the field with the label: parsers, windowers and models would see it."""
    if not form.label:
        return
    whole = [form.label]
    if form.format == "json":  # an object holds what stands at the paths below it
        whole += [form.label[: dot.start()] for dot in re.finditer(r"\.", form.label)]
    columns = [(name, getattr(form, name)) for name in ("level", "component", "node", "id")]
    columns += [(name, field) for name in ("message", "key") for field in _of(form, name)]
    for name, field in [*columns, *(("time", field) for field in form.time)]:
        if field in whole:
            raise ConfigError(
                f"label={form.label}: {name}={field} holds the label, too; take another field for it"
            )


def _of(form: LineFormat, name: str) -> Sequence[str]:
    return form.shown if name == "message" else form.key


def _check_regex(option: str, regex: str) -> None:
    try:
        SAMPLE.str.extract_groups(regex)
    except pl.exceptions.PolarsError as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ConfigError(f"{option}={regex}: no regular expression: {said[-1].removeprefix('error: ')}") from None


def _check_fields(form: LineFormat) -> None:
    known: list[str] = []
    for regex in form.regexes:
        _check_regex("pattern", regex)
        known += group_names(regex)
        if around := sorted(_around(regex, form.label) & set(form.fields)):
            raise ConfigError(
                f"pattern: field {around[0]} holds the label {form.label}; end it before, or begin after"
            )
    if form.inner:  # their fields may stand in the message
        return
    for name in form.fields:
        if not set(name.split("|")) & set(known):
            raise ConfigError(f"pattern has no field {name!r}{suggest(name, known)}")


def _around(regex: str, name: str) -> set[str]:
    """Names of the groups of a regular expression that the group `name` stands in."""
    open_groups: list[str] = []
    for token in GROUP_EDGE.finditer(regex):
        if token["name"] and token["name"] == name:
            return set(open_groups)
        if token["open"]:
            open_groups.append(token["name"] or "")
        elif token["close"]:
            open_groups.pop()
    return set()
