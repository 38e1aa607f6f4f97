"""The tables of keys in docs/reference/record.md, from `logbench.api.record_sections`.

A table stands between two comments of the page, `<!-- keys of SplitFacts -->` and `<!-- end of keys -->`. The
prose around it is written by hand.
"""

from __future__ import annotations

import re
import types
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from logbench.api import record_sections, record_stream

NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
PLACE = re.compile(r"(?<=<!-- keys of )(\w+)( -->\n).*?(?=\n<!-- end of keys -->)", re.S)


def filled(page: str) -> str:
    """The page with its tables made anew."""
    shown = {pair for place in PLACE.finditer(page) for pair in _meanings(_section(place[1]))}
    return PLACE.sub(lambda place: f"{place[1]}{place[2]}\n{table(place[1], shown)}\n", page)


def table(name: str, shown: set[tuple[str, str]]) -> str:
    """A row a key: its JSON type, and what it means.

    Args:
        shown: keys with meanings that have a row of their own on the page; a nested section does not repeat them.
    """
    rows = ["| key | type | meaning |", "|---|---|---|"]
    for key, (hint, meaning) in keys(_section(name)).items():
        inner = [f"`{one}` ({text})" for one, text in _inner(hint) if (one, text) not in shown]
        rows.append(f"| `{key}` | {json_type(hint)} | {meaning}{': ' if inner else ''}{'; '.join(inner)} |")
    return "\n".join(rows)


def _meanings(section: type) -> list[tuple[str, str]]:
    return [(key, meaning) for key, (_, meaning) in keys(section).items()]


def keys(section: type) -> dict[str, tuple[Any, str]]:
    """Type and meaning of each key of a TypedDict."""
    found = {}
    for name, hint in get_type_hints(section, include_extras=True).items():
        inner = get_args(hint)[0] if get_origin(hint) is NotRequired else hint
        assert get_origin(inner) is Annotated, f"{section.__name__}.{name} says nothing of its meaning"
        found[name] = (inner.__origin__, inner.__metadata__[0])
    return found


def _inner(hint: Any) -> list[tuple[str, str]]:
    """The keys of a section that is the value of a key, with their meanings."""
    section = next((one for one in (hint, *get_args(hint)) if hasattr(one, "__total__")), None)
    return [] if section is None else _meanings(section)


def json_type(hint: Any) -> str:
    """What JSON calls it: `integer or null`."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(json_type(one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return " or ".join(f"`{one}`" for one in get_args(hint))
    if get_origin(hint) is list:
        return "list"
    return NAMES.get(hint, "object")


def _section(name: str) -> Any:
    return getattr(record_stream, name, None) or getattr(record_sections, name)
