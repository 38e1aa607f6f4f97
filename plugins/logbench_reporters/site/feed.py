"""The Atom feed of new results (RFC 4287): an entry a row, under the day of its newest run."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from ..report.figures.figure import number
from ..report.markup import shown
from ..words import several
from .board import Board, Entry, Table

NAMESPACE = "http://www.w3.org/2005/Atom"
MOST = 50


def feed(board: Board, title: str, url: str = "") -> str:
    """The feed as XML, the newest result first.

    Args:
        url: address of the site, with which links are absolute; without it they are relative to the feed.
    """
    Xml.register_namespace("", NAMESPACE)
    root = Xml.Element(f"{{{NAMESPACE}}}feed")
    rows = sorted(_rows(board), key=lambda one: (_moment(one[1].newest), one[0].key, one[1].key), reverse=True)[
        :MOST
    ]
    _add(root, "title", title)
    _add(root, "id", url or _name(f"feed of {title}"))
    _add(root, "updated", max((_moment(entry.newest) for _, entry in rows), default=_moment("")))
    _add(_add(root, "author", ""), "name", title)
    _add(root, "link", "", rel="self", href=f"{url}feed.xml")
    _add(root, "link", "", href=f"{url}index.html")
    for table, entry in rows:
        one = _add(root, "entry", "")
        value = f"{board.metric} {number(entry.value)}" if entry.value is not None else "no value"
        data = board.titles()[table.data]
        _add(one, "title", f"{entry.model} on {data}: {value}")
        _add(one, "id", _name(f"{table.key} {entry.key} {entry.newest}"))
        _add(one, "updated", _moment(entry.newest))
        _add(one, "link", "", href=f"{url}data/{table.data}.html#row-{table.protocol}-{entry.key}")
        rank = f"rank {entry.rank} in its table" if entry.rank is not None else "without a rank"
        _add(one, "summary", f"{rank}; protocol {table.label}; {several(entry.row.runs, 'run')}")
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _rows(board: Board) -> Iterator[tuple[Table, Entry]]:
    return ((table, entry) for table in board.tables for entry in table.entries)


def _add(parent: Xml.Element, name: str, text: str, **attributes: str) -> Xml.Element:
    made = Xml.SubElement(parent, f"{{{NAMESPACE}}}{name}", {key: shown(of) for key, of in attributes.items()})
    made.text = shown(text) or None
    return made


def _name(text: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, text)}"


def _moment(started: str) -> str:
    """A moment as RFC 3339; the first one of all where the record has none."""
    try:
        found = datetime.datetime.fromisoformat(started)
    except ValueError:
        found = datetime.datetime.fromtimestamp(0, datetime.UTC)
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).isoformat(timespec="seconds")
