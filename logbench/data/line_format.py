"""What a line of a log looks like: from a declaration to the columns of `Lines`, for data sets and for own logs.

Kinds of `format`:

* `pattern`: Loghub's notation, `<Date> <Time> <Level> <Component>: <Content>` (Zhu et al., ICSE-SEIP 2019, and
  the logparser scripts). Between the fields stands text as it is; white space stands for any white space, `\\[`
  for `[`, and `( … )?` holds what may be missing. A field that white space follows has none in it, the last one
  takes the rest of the line, every other one is as short as can be.
* `regex`: a regular expression (Rust syntax) with named groups, `(?P<Level>\\w+)`.
* `json`: an object a line; a field is a key, or a path such as `http.status`, which goes on in an object that
  stands in a text; alternatives by `|`, as in `msg|message`. A list of byte values is the text that they encode.
* `logfmt`: `level=info msg="no room"`; fields are named as for `json`.
* `csv`, `tsv`: a header in each file. A quote at the beginning of a cell opens one, as in Python's `csv`; any
  other quote is a character.

A format may stand within another: `inner` says how the message itself is read, to any depth. Its time, level and
component count where the outer line has none.

No line is lost: one that does not match is an event whose message is the whole line, without other fields, or with
`multiline` belongs to the event before, as does a line that matches but whose time cannot be read. Where lines
carry labels the whole line would hold one, and the message says no more than that the line is not as declared.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from ..base.errors import ConfigError
from ..base.options import option

FORMATS = ("pattern", "regex", "json", "logfmt", "csv", "tsv")
SEPARATORS = {"csv": ",", "tsv": "\t"}
# A field in a message, as in `{method} {status}`.
PLACE = r"\{([^{}]+)\}"
# What an id may be looked for in beside the line's fields.
GIVEN = ("message", "raw", "file")


@dataclass(frozen=True)
class LineFormat:
    """How lines are read. Fields of the line are named as in `pattern`, `regex`, keys or header."""

    format: str = option("pattern", "what a line is: pattern, regex, json, logfmt, csv or tsv")
    pattern: str = option(
        "<Content>", "the line as <Field> and text, or as a regular expression with named groups"
    )
    more: tuple[str, ...] = option((), "further patterns, tried in order where those before do not fit")
    inner: tuple[str, ...] = option(
        (), "formats within the message, each in that of the one before: tables in JSON"
    )
    multiline: bool = option(
        False, "a line that does not match, or whose time cannot be read, belongs to the event before"
    )
    traces: bool = option(
        False, "an indented or empty line, or the rest of a stack trace, belongs to the event before"
    )
    pieces: str = option(
        "", "what tells a message that goes on in the next line: FIELD=VALUE such as Tag=P; newline: it lacks one"
    )
    stream: str = option("", "field that pieces of one message have in common")
    records: str = option("", "json: path of the list whose items are events, such as events or logs.*.records")
    quote: Literal["double", "none"] = option(
        "double", "csv, tsv: quotes around cells, or none: a sign like others"
    )
    columns: tuple[str, ...] = option((), "csv, tsv: names of the columns where files have no header")
    header: str = option(
        "", "csv, tsv: how the header begins, such as #fields; lines with its first sign are none"
    )
    separator: str = option("", "csv, tsv: what stands between cells; empty: comma or tab")
    encoding: str = option("utf-8", "encoding of the files, such as latin-1; what it cannot read is replaced")
    message: str = option("Content", "field with the message, or a text with fields such as {method} {status}")
    key: tuple[str, ...] = option(
        (), "fields whose values, as they stand, make the key; message among them stands for its template"
    )
    time: tuple[str, ...] = option((), "fields with the time, joined by a space")
    time_format: tuple[str, ...] = option(
        (), "strptime formats, tried in order, or epoch, epoch_ms, epoch_us, epoch_ns"
    )
    year: int = option(0, "year of the first line where times have none; 0: they have one", ge=0, le=9999)
    date: str = option("", "day of the first line where times have none, such as 2026-03-01")
    level: str = option("", "field with the level")
    component: str = option("", "field with the component")
    node: str = option("", "field with the machine")
    group: str = option(
        "",
        "field with what several sessions have in common, such as a host or job, or message, raw or file, in "
        "which group_pattern is looked up",
    )
    group_pattern: str = option("", "regular expression of a group: its first group, or the whole match")
    id: str = option("", "field with the session's id, or message, raw or file, in which id_pattern is looked up")
    id_pattern: str = option(
        "", "regular expression of an id: its first group, or without groups every match (a line in many sessions)"
    )
    label: str = option("", "field with the label of the line")
    normal: tuple[str, ...] = option((), "labels that mean normal; anything else is anomalous")
    anomalous: tuple[str, ...] = option((), "labels that mean anomalous; anything else is normal")

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that columns are made of."""
        named = (*self.shown, *self.time, self.level, self.component, self.node, self.label, self.stream)
        ids = [name for name in (self.id, self.group, *self.key) if name not in GIVEN]
        ids += [self.pieces.partition("=")[0]] if "=" in self.pieces else []
        return tuple(dict.fromkeys(name for name in (*named, *ids) if name))

    @property
    def shown(self) -> tuple[str, ...]:
        """The fields that the message is made of."""
        return tuple(re.findall(PLACE, self.message)) or (self.message,)

    @property
    def regexes(self) -> tuple[str, ...]:
        """The regular expressions of a format by patterns, in the order in which they are tried."""
        return tuple(regex_of(one) if self.format == "pattern" else one for one in (self.pattern, *self.more))

    @property
    def between(self) -> str:
        """What stands between two cells of a table, or nothing."""
        return self.separator or SEPARATORS.get(self.format, "")

    @property
    def layers(self) -> tuple[LineFormat, ...]:
        """This format, and those within its message, from the outside in."""
        return (self, *(LineFormat(**_table(text)) for text in self.inner))


def _table(text: str) -> dict[str, Any]:
    """The options of an inner format.

    Raises:
        ConfigError: it is none of `FORMATS`, and no table of options.
    """
    if text in FORMATS:
        return {"format": text}
    try:
        values = json.loads(text)
        return {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in values.items()
            if getattr(LineFormat, key) is not None
        }
    except (ValueError, AttributeError):
        raise ConfigError(
            f"inner={text[:80]}: neither {', '.join(FORMATS)} nor a table of their options"
        ) from None


def regex_of(pattern: str) -> str:
    """The regular expression of a Loghub-style pattern, over the whole line.

    Raises:
        ConfigError: no field, one twice, two without anything between, or a name that is no word.
    """
    names = re.findall(r"(?<!\\)<([^<>]*)>", pattern)
    if not names:
        raise ConfigError(f"pattern {pattern!r} has no <Field>")
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ConfigError(f"pattern: <{name}> is no name; letters, digits and _ only")
        if names.count(name) > 1:
            raise ConfigError(f"pattern: <{name}> stands twice")
    if pair := re.search(r"><", pattern):
        raise ConfigError(f"pattern: nothing stands between two fields at {pattern[pair.start() - 9 :][:20]!r}")
    return f"^{_regex(pattern.strip(), names[-1])}$"


_TOKEN = re.compile(
    r"<(?P<field>[^<>]*)>|(?<!\\)\((?P<maybe>(?:[^()\\]|\\.)*)\)\?|(?P<space>\s+)|\\(?P<escaped>.)|(?P<text>.)",
    re.S,
)


def _regex(pattern: str, last: str) -> str:
    tokens = list(_TOKEN.finditer(pattern))
    parts = []
    for number, token in enumerate(tokens):
        after = pattern[token.end() :]
        if name := token["field"]:
            narrow = r"\S+" if re.match(r"\s+<", after) else ".*?"
            parts.append(f"(?P<{name}>{'.*' if name == last and not after else narrow})")
        elif token["maybe"] is not None:
            parts.append(f"(?:{_regex(token['maybe'], '')})?")
        elif token["space"]:
            rest = tokens[number + 1 :]
            if len(rest) == 1 and rest[0]["field"] == last:  # a line may end before its message
                return "".join(parts) + rf"(?:\s+(?P<{last}>.*))?"
            parts.append(r"\s+")
        else:
            parts.append(re.escape(token["escaped"] or token["text"]))
    return "".join(parts)
