"""Take lines apart by a regular expression piece by piece from the front, without captures of whole lines.

Each piece takes what it would take if nothing came after it, which is what backtracking tries first. So where the
pieces fit to the end, they are the match of the whole expression; other lines are left to that. An automaton finds
a piece at a fifth of what captures of a whole line cost, and words between single spaces cost less still.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

_SET = r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\\[])*\]"
_ATOM = re.compile(rf"\\x\{{\w+\}}|\\[pP](?:\{{\w+\}}|\w)|\\.|{_SET}|[^\\\[\](){{}}*+?|^$]", re.S)
_OPENING = re.compile(r"\((?:\?(?:P?<\w+>|[is]*:))?")
_QUANTIFIER = re.compile(r"[*+?]\??|\{\d+(?:,\d*)?\}\??")
# Signs that stand for themselves.
_PLAIN = re.compile(r"(?:\\\W|[^\\.\[\](){}*+?|^$])+")
# Looks at what stands around it, which a piece does not have.
_LOOKS_AROUND = re.compile(r"\\[bBAz<>]")
_LAZY = re.compile(r"(?:[*+?}]\?|^\.[*+])$")
# Signs of one kind without white space, and what stands behind: white space, or a space.
_WORD = re.compile(r"(\(\?P?<(?P<name>\w+)>)?(?P<signs>\\[Sdw]|\[[\w.:-]+\])\+(?(1)\))(?P<after>\\s\+| )")
# The end of Loghub's patterns: a last word, behind which a line may end before its message.
_MAYBE_LAST = re.compile(r"\(\?P<(?P<word>\w+)>\\S\+\)\(\?:\\s\+\(\?P<(?P<rest>\w+)>\.\*\)\)\?$")
# What takes all that is left, whatever it is.
_ANYTHING = re.compile(r"\.\*|\(\?P?<\w+>\.\*\)")
# Fewer words are taken as pieces.
_FEWEST = 3
_EMPTY = pl.Series([""], dtype=pl.String)


@dataclass(frozen=True)
class _Piece:
    """A part of a regular expression, and the groups in it that are asked for."""

    text: str
    names: tuple[str, ...] = ()

    @property
    def anchored(self) -> str:
        """It, at the beginning."""
        return f"(?s)^(?:{self.text})"

    @property
    def without(self) -> pl.Expr:
        """What is left of a text behind the piece; the same where it does not fit."""
        if _PLAIN.fullmatch(self.text):
            return pl.col("before").str.strip_prefix(re.sub(r"\\(.)", r"\1", self.text))
        return pl.col("before").str.replace(self.anchored, "")

    @property
    def takes_something(self) -> bool:
        return not _EMPTY.str.contains(f"{self.anchored}$")[0]

    @property
    def captures(self) -> bool:
        """Whether groups are found by captures of the piece."""
        return bool(self.names) and not (len(self.names) == 1 and _is_group(self.text, self.names[0]))

    def groups(self, text: pl.Series) -> list[pl.Series]:
        """The groups asked for, of texts that the piece matches."""
        if not self.captures:
            return [text.alias(self.names[0])]
        found = text.str.extract_groups(f"{self.anchored}$").struct.unnest()
        return [found[name] for name in self.names]


@dataclass(frozen=True)
class Peeler:
    """A regular expression in pieces, see `peeler`.

    Attributes:
        words: signs and name of each word between single spaces that a line begins with. maybe: a line may end
            behind the last one. spaces: white space behind it, however much.
        pieces: what follows, in order.
        rest: the group of all that is left. closed: a match ends with the line.
    """

    words: Sequence[tuple[str, str]]
    maybe: bool
    spaces: bool
    pieces: Sequence[_Piece]
    rest: str
    closed: bool

    def __call__(self, lines: pl.Series) -> tuple[list[pl.Series], pl.Series]:
        """The groups asked for, and which lines the pieces do not fit: their groups mean nothing."""
        found: list[pl.Series] = []
        wrong = lines.is_null()
        left = lines
        if self.words:
            found, left, wrong = self._worded(lines)
        for piece in self.pieces:
            both = left.to_frame("before")
            if piece is self.pieces[-1] and not piece.names and not self.rest:
                fits = left.str.contains(piece.anchored + "$" * self.closed)
                return found, (wrong | ~fits).fill_null(True)
            both = both.with_columns(left=piece.without)
            left = both["left"]
            if piece.takes_something:
                wrong |= both.select(
                    pl.col("left").str.len_bytes() == pl.col("before").str.len_bytes()
                ).to_series()
            if piece.names:
                taken = both.select(pl.col("before").str.strip_suffix(pl.col("left"))).to_series()
                found += piece.groups(taken)
        if self.rest:
            found.append(left.alias(self.rest))
        elif self.closed:
            wrong |= left != ""
        return found, wrong.fill_null(True)

    def _worded(self, lines: pl.Series) -> tuple[list[pl.Series], pl.Series, pl.Series]:
        """The named words, what is left, and the lines that do not begin with the words."""
        split = lines.str.splitn(" ", len(self.words) + 1).struct.unnest()
        *words, left = split.columns
        bad = [
            pl.col(word) == "" if signs == r"\S" else ~pl.col(word).str.contains(f"^{signs}+$")
            for word, (signs, _) in zip(words, self.words, strict=True)
        ]
        wrong = split.select(
            pl.any_horizontal(pl.col(words[-1] if self.maybe else left).is_null(), *bad)
        ).to_series()
        if len(odd := _other_space(lines).arg_true()):
            head = pl.concat_str(words, ignore_nulls=True)
            inside = split.select(pl.col(words).gather(odd)).select(head.str.contains(r"\s")).to_series()
            wrong = wrong.scatter(odd.filter(inside), True)
        named = [split[word].alias(name) for word, (_, name) in zip(words, self.words, strict=True) if name]
        return named, split[left].str.strip_chars_start() if self.spaces else split[left], wrong


def _other_space(lines: pl.Series) -> pl.Series:
    """Lines that may hold white space other than spaces."""
    return lines.str.contains(r"[\t\n\x0b\x0c\r]") | (lines.str.len_bytes() != lines.str.len_chars())


def peeler(regex: str, wanted: Collection[str]) -> Peeler | None:
    """The regular expression in pieces, for the groups `wanted`.

    Returns:
        None where it is no sequence of parts from the beginning of a line, where they look around, or where it
        would not pay.
    """
    if not regex.startswith("^") or _LOOKS_AROUND.search(regex.replace(r"\\", "")):
        return None
    closed = regex.endswith("$") and not regex.endswith(r"\$")
    body = regex[1 : len(regex) - closed]
    words, rest, maybe, spaces = _head(body)
    parts = _parts(body[rest:]) if not maybe else []
    if parts is None:
        return None
    if maybe:
        return Peeler(_named(words, wanted), True, True, (), maybe if closed else "", closed) if closed else None
    if closed and parts and _ANYTHING.fullmatch(parts[-1]) and not {*_names(parts[-1])}.intersection(wanted):
        # Nobody asks what is left, and anything fits.
        parts, closed = parts[:-1], False
    pieces = _joined(parts, frozenset(wanted))
    left = ""
    if closed and pieces and len(pieces[-1].names) == 1 and pieces[-1].text == f"(?P<{pieces[-1].names[0]}>.*)":
        left, pieces = pieces[-1].names[0], pieces[:-1]
    if sum(piece.captures for piece in pieces) > 1:  # captures of the whole line cost less
        return None
    return Peeler(_named(words, wanted), False, spaces, pieces, left, closed)


def _named(words: Sequence[tuple[str, str]], wanted: Collection[str]) -> list[tuple[str, str]]:
    return [(signs, name if name in wanted else "") for signs, name in words]


def _head(body: str) -> tuple[list[tuple[str, str]], int, str, bool]:
    """Signs and names of the words at the beginning, where they end, the group of a message that may be missing,
    and whether any white space stands behind the words."""
    words, at, spaces = [], 0, False
    while word := _WORD.match(body, at):
        words.append((word["signs"], word["name"] or ""))
        at, spaces = word.end(), word["after"] != " "
    if last := _MAYBE_LAST.match(body, at):
        return [*words, (r"\S", last["word"])], len(body), last["rest"], True
    return (words, at, "", spaces) if len(words) >= _FEWEST else ([], 0, "", False)


def _parts(body: str) -> list[str] | None:
    """The parts of a sequence, each with its quantifier; None where it is none."""
    parts, at = [], 0
    while at < len(body):
        if (end := _end(body, at)) is None:
            return None
        parts.append(body[at:end])
        at = end
    return parts


def _end(body: str, at: int) -> int | None:
    """Where the part that begins at `at` ends, with its quantifier."""
    if opening := _OPENING.match(body, at):
        inside: int | None = opening.end()
        while inside is not None and body[inside : inside + 1] not in (")", ""):
            inside = inside + 1 if body[inside] == "|" else _end(body, inside)
        if inside is None or inside == len(body):
            return None
        end = inside + 1
    elif atom := _ATOM.match(body, at):
        end = atom.end()
    else:
        return None
    quantifier = _QUANTIFIER.match(body, end)
    return quantifier.end() if quantifier else end


def _joined(parts: Sequence[str], wanted: frozenset[str]) -> list[_Piece]:
    """Pieces: parts that nobody asks for together, and one that takes more or less by what follows with that."""
    pieces: list[_Piece] = []
    goes_on = False
    for part in _flat(parts, wanted):
        names = tuple(name for name in _names(part) if name in wanted)
        before = pieces[-1] if pieces else None
        if before is not None and (goes_on or not (names or before.names)):
            pieces[-1] = _Piece(before.text + part, before.names + names)
        else:
            pieces.append(_Piece(part, names))
        goes_on = _goes_on(part) or (goes_on and part.endswith(("?", "*")))
    return pieces


def _flat(parts: Sequence[str], wanted: frozenset[str]) -> Iterator[str]:
    """The same with the first alternative in place of several: it is tried first, too."""
    for part in parts:
        asked = wanted.intersection(_names(part))
        first = _ways(part)[0] if asked and part.startswith("(?:") and part.endswith(")") else []
        if first and asked.issubset(_names("".join(first))):
            yield from _flat(first, wanted)
        else:
            yield part


def _ways(group: str) -> list[list[str]]:
    """The alternatives of a group, each as its parts."""
    opening = _OPENING.match(group)
    ways: list[list[str]] = [[]]
    at = opening.end() if opening else len(group)
    while at < len(group) and group[at] != ")":
        if group[at] == "|":
            ways, at = [*ways, []], at + 1
        elif end := _end(group, at):
            ways[-1].append(group[at:end])
            at = end
    return ways


def _goes_on(part: str) -> bool:
    """Whether what a part takes depends on what follows: it ends lazily, or with anything at all."""
    return bool(_LAZY.search(part)) or any(_ends_openly(way) for way in _ways(part))


def _ends_openly(parts: Sequence[str]) -> bool:
    for part in reversed(parts):
        if _goes_on(part):
            return True
        if not part.endswith(("?", "*")):
            return False
    return False


def _names(part: str) -> list[str]:
    """Names of the groups in a part."""
    return re.findall(r"\(\?P?<(\w+)>", re.sub(rf"\\.|{_SET}", "_", part, flags=re.S))


def _is_group(part: str, name: str) -> bool:
    """Whether a part is this group alone."""
    opening = next((one for one in (f"(?P<{name}>", f"(?<{name}>") if part.startswith(one)), "")
    return bool(opening) and _parts(part) == [part] and part.endswith(")")
