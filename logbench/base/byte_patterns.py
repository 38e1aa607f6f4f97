"""Compile simple regular expressions to tables of states over bytes, for the compiled kernel.

A pattern has a table where a scan for its matches is linear, and where the longest match at a place is the one
that polars finds, too: no alternation, no lazy quantifier, and each byte of a match leads to one place of the
pattern. Every other pattern has none, and is left to polars. The automaton is
Glushkov's: a state a place of the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# State of a byte that no match goes on with.
DEAD = 255
# A sign, or several; how often; all in ASCII but signs that stand for themselves.
_TOKEN = re.compile(
    r"(?P<open>\(\?:)|(?P<close>\))|\[(?P<set>[^\]\[\\^&~-][^\]\[\\&~]*)\]"
    r"|\\(?P<escaped>[^0-9A-Za-z\s<>])|(?P<sign>[^\\\[\](){}.*+?|^$])"
    r"|(?P<times>[*+?]|\{[0-9]{1,2}(?:,[0-9]{0,2})?\})(?P<lazy>[?*+{]?)",
    re.S,
)


class _OtherError(Exception):
    """The pattern is none of those that have a table."""


@dataclass(frozen=True)
class Table:
    """A pattern as states; 0 is the first, which accepts nothing.

    Attributes:
        next: [states × 256], the next state or `DEAD`.
        accepts: [states], 1 where a match may end.
        ranges: [states × 2], the first and last of the bytes that stay in the state, or of the first state, that
            begin a match; 1 and 0 where they are no range of ASCII.
        first: the only byte that a match begins with, or −1.
        joins: where matches are runs of bytes of a range, which one or two bytes may stand between two runs and
            make them one; empty: none. None: matches are something else.
    """

    next: bytes
    accepts: bytes
    ranges: bytes
    first: int
    joins: bytes | None


@dataclass(frozen=True)
class _Part:
    """Places of a part of the pattern: whether it may be empty, where it begins and ends."""

    empty: bool
    first: frozenset[int]
    last: frozenset[int]


_EMPTY = _Part(True, frozenset(), frozenset())
_Maker = Callable[["_Places"], _Part]


class _Places:
    """The bytes of each place, and the places that may follow it."""

    def __init__(self) -> None:
        self.bytes: list[frozenset[int]] = []
        self.follow: list[set[int]] = []

    def one(self, signs: frozenset[int]) -> _Part:
        self.bytes.append(signs)
        self.follow.append(set())
        if len(self.bytes) >= DEAD:
            raise _OtherError
        here = frozenset([len(self.bytes) - 1])
        return _Part(False, here, here)

    def then(self, left: _Part, right: _Part) -> _Part:
        for place in left.last:
            self.follow[place] |= right.first
        first = left.first | right.first if left.empty else left.first
        last = left.last | right.last if right.empty else right.last
        return _Part(left.empty and right.empty, first, last)

    def again(self, part: _Part) -> _Part:
        for place in part.last:
            self.follow[place] |= part.first
        return part


@lru_cache(maxsize=64)
def table(pattern: str) -> Table | None:
    """The table of a pattern of polars; None where it has none.

    Examples:
        >>> table("blk_-?[0-9]+").first == ord("b")
        True
        >>> table("a|b") is None and table("a*") is None
        True
    """
    try:
        places = _Places()
        return _table(places, _sequence(_tokens(pattern), "")(places))
    except _OtherError:
        return None


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None or token["lazy"]:
            raise _OtherError
        yield token
        at = token.end()


def _sequence(tokens: Iterator[re.Match[str]], end: str) -> _Maker:
    """What makes the places of the tokens up to `end`; called again, it makes them once more."""
    makers: list[_Maker] = []
    closed = False
    for token in tokens:
        if token["close"]:
            closed = True
            break
        if token["times"]:
            if not makers:
                raise _OtherError
            makers[-1] = _times(makers[-1], token["times"])
        else:
            makers.append(_sequence(tokens, ")") if token["open"] else _signs(token))
    if closed != (end == ")"):
        raise _OtherError

    def make(places: _Places) -> _Part:
        whole = _EMPTY
        for maker in makers:
            whole = places.then(whole, maker(places))
        return whole

    return make


def _signs(token: re.Match[str]) -> _Maker:
    if token["set"] is not None:
        signs = _members(token["set"])
        return lambda places: places.one(signs)
    literal = (token["escaped"] or token["sign"]).encode()

    def make(places: _Places) -> _Part:
        whole = _EMPTY
        for byte in literal:
            whole = places.then(whole, places.one(frozenset([byte])))
        return whole

    return make


def _members(signs: str) -> frozenset[int]:
    """Bytes of a set of ASCII signs and ranges; `-` stands for itself at the end."""
    if not signs.isascii():
        raise _OtherError
    found: set[int] = set()
    at = 0
    while at < len(signs):
        if signs[at + 1 : at + 2] == "-" and at + 2 < len(signs):
            begin, end = ord(signs[at]), ord(signs[at + 2])
            if begin > end or signs[at + 2] == "-":
                raise _OtherError
            found |= set(range(begin, end + 1))
            at += 3
        elif signs[at] == "-" and at + 1 < len(signs):
            raise _OtherError
        else:
            found.add(ord(signs[at]))
            at += 1
    return frozenset(found)


def _times(maker: _Maker, times: str) -> _Maker:
    least, most = _bounds(times)

    def make(places: _Places) -> _Part:
        whole = _EMPTY
        for _ in range(least - (most is None and least > 0)):
            whole = places.then(whole, maker(places))
        if most is None:
            part = places.again(maker(places))
            return places.then(whole, part if least else _Part(True, part.first, part.last))
        rest = _EMPTY
        for _ in range(most - least):  # from the inside out: each only after the one before
            part = places.then(maker(places), rest)
            rest = _Part(True, part.first, part.last)
        return places.then(whole, rest)

    return make


def _bounds(times: str) -> tuple[int, int | None]:
    if times in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[times]
    least, comma, most = times[1:-1].partition(",")
    if most and int(most) < int(least):
        raise _OtherError
    return int(least), None if comma and not most else int(most or least)


def _table(places: _Places, whole: _Part) -> Table:
    """The states, where each byte leads to one place, and no match is looked for long in vain.

    Places from which a match may still fail form no circle: so at most as many bytes as there are places are read
    beyond a match, or without one.
    """
    if whole.empty:
        raise _OtherError
    followers = [whole.first, *map(frozenset, places.follow)]
    rows = [bytearray([DEAD]) * 256 for _ in followers]
    for row, after in zip(rows, followers, strict=True):
        for place in after:
            for byte in places.bytes[place]:
                if row[byte] != DEAD:
                    raise _OtherError
                row[byte] = place + 1
    accepts = bytes([0, *(place in whole.last for place in range(len(places.bytes)))])
    _no_circle(followers, accepts)
    stay = [[byte for byte in range(256) if row[byte] == state] for state, row in enumerate(rows)]
    stay[0] = [byte for byte in range(256) if rows[0][byte] != DEAD]
    first = stay[0][0] if len(stay[0]) == 1 else -1
    ranges = b"".join(map(_range, stay))
    return Table(b"".join(map(bytes, rows)), accepts, ranges, first, _joins(rows, stay[0], accepts))


def _joins(rows: list[bytearray], begins: list[int], accepts: bytes) -> bytes | None:
    """See `Table`: the pattern is `A+` or `A+(?:BA+)*`, A a range, B one or two bytes outside of it."""
    joins = [byte for byte in range(256) if rows[1][byte] != DEAD and byte not in begins]

    def row(inside: int, between: int) -> bytearray:
        leads = {**dict.fromkeys(begins, inside), **dict.fromkeys(joins, between)}
        return bytearray(leads.get(byte, DEAD) for byte in range(256))

    one = [row(1, DEAD), row(1, 2), row(3, DEAD), row(3, 2)]
    wanted, ends = (one, b"\0\1\0\1") if joins else (one[:2], b"\0\1")
    simple = _range(begins) != b"\1\0" and begins[0] > 0 and len(joins) <= 2 and 0 not in joins
    return bytes(joins) if simple and rows == wanted and accepts == ends else None


def _range(found: list[int]) -> bytes:
    whole = found and found[-1] < 128 and found[-1] - found[0] == len(found) - 1
    return bytes([found[0], found[-1]]) if whole else b"\1\0"


def _no_circle(followers: list[frozenset[int]], accepts: bytes) -> None:
    open_states = {state for state in range(len(accepts)) if not accepts[state]}
    while open_states:
        ends = {state for state in open_states if not {p + 1 for p in followers[state]} & open_states}
        if not ends:
            raise _OtherError
        open_states -= ends
