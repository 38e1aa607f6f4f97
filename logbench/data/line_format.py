"""What a line of a log looks like: from a declaration to the columns of `Lines`, for data sets and for own logs.

Four kinds of `format`:

* `pattern`: Loghub's notation, `<Date> <Time> <Level> <Component>: <Content>` (Zhu et al., ICSE-SEIP 2019, and
  the logparser scripts). Between the fields stands text as it is; white space stands for any white space, `\\[`
  for `[`, and `( … )?` holds what may be missing. A field that white space follows has none in it, the last one
  takes the rest of the line, every other one is as short as can be.
* `regex`: a regular expression (Rust syntax) with named groups, `(?P<Level>\\w+)`.
* `json`: an object a line; a field is a key, or a path such as `http.status`.
* `csv`, `tsv`: a header in each file, quotes as in RFC 4180.

No line is lost: one that does not match is an event whose message is the whole line, without other fields, or with
`multiline` belongs to the event before. Where lines carry labels the whole line would hold one, and the message
says no more than that the line is not as declared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..base.errors import ConfigError
from ..base.options import option

Format = Literal["pattern", "regex", "json", "csv", "tsv"]
SEPARATORS = {"csv": ",", "tsv": "\t"}
# What an id may be looked for in beside the line's fields.
GIVEN = ("message", "raw", "file")


@dataclass(frozen=True)
class LineFormat:
    """How lines are read. Fields of the line are named as in `pattern`, `regex`, keys or header."""

    format: Format = option("pattern", "what a line is: pattern, regex, json, csv or tsv")
    pattern: str = option(
        "<Content>", "the line as <Field> and text, or as a regular expression with named groups"
    )
    multiline: bool = option(False, "a line that does not match belongs to the event before, as in a stack trace")
    encoding: str = option("utf-8", "encoding of the files, such as latin-1; what it cannot read is replaced")
    message: str = option("Content", "field with the message")
    time: tuple[str, ...] = option((), "fields with the time, joined by a space")
    time_format: tuple[str, ...] = option(
        (), "strptime formats, tried in order, or epoch, epoch_ms, epoch_us, epoch_ns"
    )
    year: int = option(0, "year of times that have none; 0: they have one", ge=0, le=9999)
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
        named = (self.message, *self.time, self.level, self.component, self.node, self.label)
        ids = [name for name in (self.id, self.group) if name not in GIVEN]
        return tuple(dict.fromkeys(name for name in (*named, *ids) if name))


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
