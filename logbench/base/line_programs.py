"""Compile regular expressions to programs that find their groups in a text, for the compiled kernel.

A program tries what backtracking tries, in its order, which is what polars finds, too: the first alternative that
fits, as much as a greedy part can take, as little as a lazy one. It looks at bytes. Which signs beyond ASCII a set
such as `\\w` holds, the first byte of a sign does not always tell: then the program says that it does not know,
and polars looks at the text. Left to polars is every expression that looks around, repeats groups that are asked
for, or repeats what may be empty.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from .byte_sets import END, byte_set, either, meet, sure
from .kernel import NO, PERHAPS, YES

# Steps, see `kernel_cut.c`.
BYTE, ONE, RUN, SPLIT, JUMP, SAVE, ACCEPT = range(7)
# How a run takes bytes: all it can for good, all it can at first, as few as it can at first.
ALL, MOST, LEAST = range(3)
# More steps than any line format has, and the groups that the kernel has room for.
_LONGEST, _GROUPS = 2000, 32
# First bytes of signs beyond ASCII that may be white space.
_WIDE_SPACES = frozenset(b"\xc2\xe1\xe2\xe3")
_SPACES = frozenset(b"\t\n\x0b\x0c\r ")
_DIGITS = frozenset(b"0123456789")
_WORDS = _DIGITS | frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_OPENING = re.compile(r"\((?:\?(?P<fold>i?):|\?P?<(?P<name>\w+)>|(?!\?))")
_TIMES = re.compile(r"(?P<times>[*+?]|\{\d{1,3}(?:,\d{0,3})?\})(?P<lazy>\??)(?![*+?{])")
_MEMBER = re.compile(r"\\(?P<kind>[sSdDwW])|\\(?P<escaped>[^0-9A-Za-z<>]|[tnrfv])|(?P<sign>[^\\\[\]&~])")
_LITERAL = re.compile(
    r"\\x\{(?P<code>[0-9A-Fa-f]{1,5})\}|\\(?P<escaped>[^0-9A-Za-z<>]|[tnrfv])|(?P<sign>[^\\\[\](){}*+?|^$.])", re.S
)
# First bytes of signs beyond ASCII that are the same letter: the Kelvin sign, the long s.
_FOLDED = {"k": 0xE2, "s": 0xC5}
_KIND = re.compile(r"\\([sSdDwW])")
_SET = re.compile(r"\[(?P<not>\^?)(?P<members>(?:\\.|[^\\\[\]])+)\]")


class _OtherError(Exception):
    """The expression is none of those that have a program."""


@dataclass(frozen=True)
class Program:
    """A regular expression from the beginning of a text.

    Attributes:
        steps: int32 [steps × 8]. sets: [sets × 257], what each says of a byte, and of the end.
        names: the groups that are found.
    """

    steps: bytes
    sets: bytes
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Node:
    """A part of an expression: `byte`, `set`, `all` of some parts in order, `any` of them, `group`, `times`."""

    kind: str
    parts: tuple[_Node, ...] = ()
    value: bytes = b""
    name: str = ""
    least: int = 1
    most: int | None = 1
    lazy: bool = False

    @property
    def empty(self) -> bool:
        """Whether it may fit without a byte."""
        if self.kind == "any":
            return any(part.empty for part in self.parts)
        if self.kind == "times":
            return not self.least or self.parts[0].empty
        return self.kind in ("all", "group") and all(part.empty for part in self.parts)

    @property
    def names(self) -> set[str]:
        return ({self.name} if self.name else set()).union(*(part.names for part in self.parts))

    @property
    def signs(self) -> bytes | None:
        """The set of a part that is one sign."""
        if self.kind == "group" and not self.name and len(self.parts) == 1:
            return self.parts[0].signs
        if self.kind == "all" and len(self.parts) == 1:
            return self.parts[0].signs
        if self.kind == "byte" and self.value < b"\x80":
            return byte_set({self.value[0]})
        return self.value if self.kind == "set" else None

    def first(self, after: bytes) -> bytes:
        """What it may begin with, where `after` may follow."""
        if self.kind == "byte":
            return byte_set({self.value[0]})
        if self.kind == "set":
            return self.value[:END] + bytes([NO])
        if self.kind == "any":
            return either(part.first(after) for part in self.parts)
        if self.kind == "times":
            once = self.parts[0].first(after)
            return once if self.least and not self.parts[0].empty else either((once, after))
        for part in reversed(self.parts):
            after = part.first(after)
        return after


def _certain(part: _Node, after: bytes) -> bytes | None:
    """Of a group that is repeated, signs that only one of its alternatives takes, and not what follows."""
    ways = part.parts[0].parts if part.kind == "group" and part.parts[0].kind == "any" else ()
    for way in ways:
        if signs := way.signs:
            others = either([after, *(one.first(after) for one in ways if one is not way)])
            certain = bytes(int(sign == YES and not other) for sign, other in zip(signs, others, strict=True))
            return certain[:0x80] + bytes([YES]) * 0x40 + certain[0xC0:END] + bytes([NO])
    return None


@lru_cache(maxsize=64)
def program(regex: str, names: tuple[str, ...]) -> Program | None:
    """The program of a regular expression of polars, where `.` is any sign; None where it has none.

    Args:
        names: the groups that are asked for.

    Examples:
        >>> program(r"^(?P<Level>\\w+) (?P<Content>.*)$", ("Content",)).names
        ('Content',)
        >>> program(r"^\\bword", ()) is None
        True
    """
    try:
        return _Writer(names).program(_Parser(regex))
    except _OtherError:
        return None


class _Parser:
    """An expression as parts; `whole` and whether it ends with the text: `closed`."""

    def __init__(self, regex: str) -> None:
        self.closed = regex.endswith("$") and (len(regex) - len(regex[:-1].rstrip("\\"))) % 2 == 1
        self._text, self._at, self._fold = regex[: len(regex) - self.closed], 1, False
        if not regex.startswith("^"):
            raise _OtherError
        self.whole = self._sequence()
        if self._at < len(self._text):
            raise _OtherError

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts += self._repeated()
        return _Node("all", tuple(parts))

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()
        return found

    def _repeated(self) -> list[_Node]:
        parts = self._atom()
        if not (found := self._take(_TIMES)):
            if self._text[self._at : self._at + 1] in (*"*+?{",):
                raise _OtherError
            return parts
        least, most = _bounds(found["times"])
        part = parts[0] if len(parts) == 1 else _Node("all", tuple(parts))
        return [_Node("times", (part,), least=least, most=most, lazy=bool(found["lazy"]))]

    def _atom(self) -> list[_Node]:
        if opening := self._take(_OPENING):
            before, self._fold = self._fold, self._fold or bool(opening["fold"])
            group = self._group(opening["name"] or "")
            self._fold = before
            return [group]
        if self._text[self._at] == ".":
            self._at += 1
            return [_Node("set", value=bytes([YES]) * END + bytes([NO]))]
        if kind := self._take(_KIND):
            return [_Node("set", value=_kind(kind[1]))]
        if not self._fold and (found := self._take(_SET)):
            return [_Node("set", value=_set(found["members"], bool(found["not"])))]
        if found := self._take(_LITERAL):
            sign = chr(int(found["code"], 16)) if found["code"] else _sign(found)
            if self._fold and (sign.isalpha() or not sign.isascii()):
                return [_Node("set", value=_folded(sign))]
            return [_Node("byte", value=bytes([byte])) for byte in sign.encode()]
        raise _OtherError

    def _group(self, name: str) -> _Node:
        ways = [self._sequence()]
        while self._text[self._at : self._at + 1] == "|":
            self._at += 1
            ways.append(self._sequence())
        if self._text[self._at : self._at + 1] != ")":
            raise _OtherError
        self._at += 1
        return _Node("group", (ways[0] if len(ways) == 1 else _Node("any", tuple(ways)),), name=name)


def _sign(found: re.Match[str]) -> str:
    escaped = found["escaped"]
    return found["sign"] if escaped is None else _CONTROLS.get(escaped, escaped)


def _folded(sign: str) -> bytes:
    """A letter of ASCII in both cases."""
    if not sign.isascii():
        raise _OtherError
    table = bytearray(byte_set({ord(sign.lower()), ord(sign.upper())}))
    if other := _FOLDED.get(sign.lower()):
        table[other] = PERHAPS
    return bytes(table)


def _bounds(times: str) -> tuple[int, int | None]:
    if times in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[times]
    least, comma, most = times[1:-1].partition(",")
    return int(least), None if comma and not most else int(most or least)


def _kind(letter: str) -> bytes:
    """White space, digits, signs of words, or the others; bytes within a sign are in all of them."""
    members = {"s": _SPACES, "d": _DIGITS, "w": _WORDS}[letter.lower()]
    unsure = _WIDE_SPACES if letter in "sS" else frozenset(range(0x80, END))
    inside = letter.islower()
    table = [PERHAPS if byte in unsure else int((byte in members) == inside) for byte in range(END)]
    return bytes([*table[:0x80], *[YES] * 0x40, *table[0xC0:], NO])


def _set(members: str, negated: bool) -> bytes:
    tables, at, before = [byte_set(())], 0, ""
    if "--" in members:
        raise _OtherError
    while at < len(members):
        member = _MEMBER.match(members, at)
        if member is None:
            raise _OtherError
        at = member.end()
        if member["kind"]:
            tables.append(_kind(member["kind"]))
            before = ""
            continue
        sign = _sign(member)
        if member["sign"] == "-" and before and at < len(members):  # from the sign before to the next one
            after = _MEMBER.match(members, at)
            if after is None or after["kind"] or after["sign"] == "-":
                raise _OtherError
            at, last = after.end(), _sign(after)
            if not last.isascii() or last < before:
                raise _OtherError
            tables.append(byte_set(range(ord(before), ord(last) + 1)))
            before = ""
            continue
        if not sign.isascii() or (member["sign"] == "-" and 1 < at < len(members)):
            raise _OtherError
        tables.append(byte_set({ord(sign)}))
        before = sign
    table = either(tables)[:END]
    if negated:
        table = table.translate(bytes([YES, NO, PERHAPS]).ljust(256, b"\0"))
    return table[:0x80] + bytes([YES]) * 0x40 + table[0xC0:] + bytes([NO])


@dataclass
class _Writer:
    """Writes the steps of an expression."""

    names: tuple[str, ...]
    steps: list[list[int]] = field(default_factory=list)
    sets: dict[bytes, int] = field(default_factory=dict)

    def program(self, parsed: _Parser) -> Program:
        # Groups without names have numbers.
        if len(self.names) > _GROUPS or not parsed.whole.names.issuperset(self.names):
            raise _OtherError
        after = byte_set({END}) if parsed.closed else bytes([YES]) * (END + 1)
        self._write(parsed.whole, after)
        self._step(ACCEPT, int(parsed.closed))
        return Program(b"".join(struct.pack("8i", *step) for step in self.steps), b"".join(self.sets), self.names)

    def _step(self, *values: int) -> list[int]:
        if len(self.steps) >= _LONGEST:
            raise _OtherError
        self.steps.append([*values, *[0] * (8 - len(values))])
        return self.steps[-1]

    def _of(self, table: bytes) -> int:
        return self.sets.setdefault(table, len(self.sets))

    def _write(self, node: _Node, after: bytes) -> None:
        if node.kind == "byte":
            self._step(BYTE, node.value[0])
        elif node.kind == "set":
            self._step(ONE, self._of(node.value))
        elif node.kind == "all":
            follows = [after]
            for part in reversed(node.parts[1:]):
                follows.append(part.first(follows[-1]))
            for part, follow in zip(node.parts, reversed(follows), strict=False):
                self._write(part, follow)
        elif node.kind == "any":
            self._ways(node.parts, after)
        elif node.kind == "group":
            slot = 2 * self.names.index(node.name) if node.name in self.names else -1
            if slot >= 0:
                self._step(SAVE, slot)
            self._write(node.parts[0], after)
            if slot >= 0:
                self._step(SAVE, slot + 1)
        else:
            self._times(node, after)

    def _split(self, one: bytes, other: bytes, lazy: bool = False) -> list[int]:
        """A step that goes on with the next one, or with what is set later; the second first if it is lazy."""
        return self._step(SPLIT, len(self.steps) + 1, 0, self._of(one), self._of(other), int(lazy))

    def _ways(self, ways: Sequence[_Node], after: bytes) -> None:
        ends: list[list[int]] = []
        for number, way in enumerate(ways):
            rest = ways[number + 1 :]
            split = self._split(way.first(after), either([one.first(after) for one in rest])) if rest else None
            self._write(way, after)
            if split is not None:
                ends.append(self._step(JUMP))
                split[2] = len(self.steps)
        for end in ends:
            end[1] = len(self.steps)

    def _times(self, node: _Node, after: bytes) -> None:
        part = node.parts[0]
        if (signs := part.signs) is not None and (
            not node.lazy or node.most is None or not meet(sure(signs), after)
        ):
            self._run(node, signs, after)
            return
        if node.most != 1 and (part.empty or part.names.intersection(self.names)):
            raise _OtherError
        again = after if node.most == 1 else either((part.first(after), after))
        for _ in range(node.least):
            self._write(part, again)
        if node.most is None:
            begin = len(self.steps)
            if signs := _certain(part, after):
                self._step(RUN, self._of(signs), 0, -1, self._of(after), ALL, -1, 0)
            split = self._split(part.first(after), after, node.lazy)
            self._write(part, again)
            self._step(JUMP, begin)
            split[2] = len(self.steps)
            return
        splits = []
        for _ in range(node.most - node.least):
            splits.append(self._split(part.first(after), after, node.lazy))
            self._write(part, again)
        for split in splits:
            split[2] = len(self.steps)

    def _run(self, node: _Node, signs: bytes, after: bytes) -> None:
        most = -1 if node.most is None else node.most
        how = LEAST if node.lazy else MOST
        if not meet(sure(signs), after):  # what follows begins with no sign of the run
            how = ALL
        single = after.count(NO) == END
        find = next(byte for byte in range(END + 1) if after[byte]) if single and not after[END] else -1
        everything = int(signs[:END] == bytes([YES]) * END)
        self._step(RUN, self._of(signs), node.least, most, self._of(after), how, find, everything)
