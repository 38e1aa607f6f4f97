"""Fields of JSON lines, each line decoded once.

What paths find counts: a path is looked up in a line by polars' serde_json. The compiled kernel finds the same and
leaves lines aside that it does not wholly understand, which are looked up. Without it polars' decoder (simd-json)
reads a frame of lines as one list, refuses all of it for one odd line, takes the first of two equal keys where a
path takes the last, and writes some numbers in another way: lines on which the two may differ are found before or
by their keys afterwards, and looked up; a frame that is refused is cut until the odd lines are among few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from ..base.kernel import kernel
from ..base.kernel_json import OBJECT, ODD, VALUE, JsonPaths
from .json_values import value_at

# Lines decoded at a time, which fit a processor's cache; fewer are not cut further.
_TOGETHER, _SMALL = 4096, 64
# Bytes of the shortest line that nests deeper than serde_json follows, and how deep that is.
_DEEP, _DEPTH = 256, 128
# Two values in one line, read as a list; what the end of a line hides is told by the number of values.
_TWO_VALUES = r"\}\s*,\s*(?:\{|null)"
_SURROGATE = "d[89abcdef]..|"
# Names of fields that mean the same to the kernel and as a path, and keys of the longest path.
_PLAIN, _LONGEST = re.compile(r"[\w@$#/:. |-]+", re.ASCII), 8


@dataclass
class JsonFields:
    """Finds fields of JSON lines.

    Attributes:
        names: fields: keys, or paths by dots; alternatives by `|`.
        off: decoding is not tried, because too many lines were odd.
    """

    names: Sequence[str]
    off: bool = field(default=False, init=False)

    def __call__(self, lines: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        """The fields, a column each, and which lines are objects; fields of others are null."""
        if self._paths is not None:
            return self._found(self._paths, lines)
        if self.off or self._schema is None or not self.names:
            return by_path(lines, self.names)
        odd = self._odd(lines)
        found = self._decoded(lines.set(odd, "{}") if odd.any() else lines)
        odd |= found["refused"] | self._unsure(lines, found)
        fields = found.select(pl.coalesce(_node(way) for way in _ways(name)).alias(name) for name in self.names)
        at = odd.arg_true()
        self.off = len(at) > len(lines) // 2
        return self._with(lines, at, fields, pl.repeat(True, len(lines), dtype=pl.Boolean, eager=True))

    def _with(
        self, lines: pl.Series, at: pl.Series, fields: pl.DataFrame, objects: pl.Series
    ) -> tuple[pl.DataFrame, pl.Series]:
        """The same with the lines `at` some places looked up by path."""
        if not len(at):
            return fields, objects
        rest, are = by_path(lines.gather(at), self.names)
        fields = fields.with_columns(fields[name].scatter(at, rest[name]) for name in self.names)
        return fields, objects.scatter(at, are)

    @cached_property
    def _paths(self) -> JsonPaths | None:
        """The fields for the kernel; None where there is none, or where it may see them otherwise."""
        ways = [_ways(name) for name in self.names]
        plain = all(map(_PLAIN.fullmatch, self.names)) and all(len(way) <= _LONGEST for of in ways for way in of)
        built = kernel() if ways and plain else None
        return None if built is None else JsonPaths(built, ways)

    def _found(self, paths: JsonPaths, lines: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        """The same by the kernel."""
        found = paths(lines)
        columns = list(found.columns)
        for number, kinds in enumerate(found.kinds):
            if len(at := np.flatnonzero(kinds == VALUE)):
                shown = columns[number].gather(at).str.json_path_match("$")
                columns[number] = columns[number].scatter(at, shown)
        fields = pl.DataFrame([column.alias(name) for name, column in zip(self.names, columns, strict=True)])
        odd = pl.Series(np.flatnonzero(found.lines == ODD))
        return self._with(lines, odd, fields, pl.Series(found.lines == OBJECT))

    @cached_property
    def _schema(self) -> dict[str, Any] | None:
        """The wanted keys as nested tables, a text at their ends; None where one is both."""
        tree: dict[str, Any] = {}
        for way in (way for name in self.names for way in _ways(name)):
            table = tree
            for key in way[:-1]:
                table = table.setdefault(key, {})
                if table is None:
                    return None
            if table.setdefault(way[-1], None) is not None:
                return None
        return tree

    @cached_property
    def _keys(self) -> str:
        """The regular expression of a wanted key in its quotes."""
        keys = dict.fromkeys(key for name in self.names for way in _ways(name) for key in way)
        return f'"(?:{"|".join(map(re.escape, keys))})"\\s*:'

    @cached_property
    def _escaped(self) -> str:
        """An escape that a wanted key may be written with, or that is half of a sign."""
        signs = {sign for name in self.names for sign in name}
        return f"(?i)\\\\u(?:{_SURROGATE}{'|'.join(sorted(f'{ord(sign):04x}' for sign in signs))})"

    def _odd(self, lines: pl.Series) -> pl.Series:
        """Lines that are not decoded with the others."""
        line = pl.col("line")
        whole = line.str.starts_with("{") & line.str.ends_with("}")
        deep = (line.str.len_bytes() >= _DEEP) & (
            line.str.count_matches("{", literal=True) + line.str.count_matches("[", literal=True) >= _DEPTH
        )
        odd = ~whole | line.str.contains(self._escaped) | line.str.contains(_TWO_VALUES) | deep
        return lines.to_frame("line").select(odd.fill_null(True)).to_series()

    def _decoded(self, lines: pl.Series) -> pl.DataFrame:
        """The wanted keys as columns, and which lines the decoder `refused`."""
        dtype = _dtype(self._schema)
        return pl.concat(part for some in _slices(lines, _TOGETHER) for part in _decoded(some, dtype))

    def _unsure(self, lines: pl.Series, found: pl.DataFrame) -> pl.Series:
        """Lines with other keys than were decoded, with numbers that are written in two ways, or with paths that
        lead through texts."""
        nodes = [_node(way[: end + 1]) for name in self.names for way in _ways(name) for end in range(len(way))]
        number = rf"{self._keys}\s*(?:-0|-?[0-9]+[.eE]|-?[0-9]{{20}})"
        leaves = {way: _node(way) for name in self.names for way in _ways(name)}
        alike = pl.any_horizontal(
            leaf.str.contains(r"^-?(?:[0-9]+|0\.0000[0-9]+|[0-9.]{16,})$").fill_null(False)
            for leaf in leaves.values()
        )
        line = pl.col("line__")
        known = pl.sum_horizontal(
            node.is_not_null().cast(pl.UInt32) for node in {str(n): n for n in nodes}.values()
        )
        other = line.str.count_matches(self._keys) != known
        unsure = found.with_columns(lines.alias("line__")).select(
            other=other, alike=alike, through=self._through(line)
        )
        at = (unsure["alike"] & ~unsure["other"]).arg_true()
        wrong = unsure["other"] | unsure["through"]
        return wrong.scatter(at, wrong.gather(at) | lines.gather(at).str.contains(number)) if len(at) else wrong

    def _through(self, line: pl.Expr) -> pl.Expr:
        """Lines without a value at a path by dots, though its first key is there."""
        parts = []
        for name in self.names:
            firsts = [way[0] for way in _ways(name) if len(way) > 1]
            if firsts:
                there = pl.any_horizontal(line.str.contains(f'"{first}"', literal=True) for first in firsts)
                parts.append(there & pl.coalesce(_node(way) for way in _ways(name)).is_null())
        return pl.any_horizontal(parts) if parts else pl.lit(False)


def _ways(name: str) -> list[tuple[str, ...]]:
    """The paths of a field, in the order in which they are looked up."""
    return list(dict.fromkeys(way for one in name.split("|") for way in ((one,), tuple(one.split(".")))))


def _node(way: Sequence[str]) -> pl.Expr:
    """What stands at a path, of decoded lines."""
    node = pl.col("object").struct.field(way[0])
    for key in way[1:]:
        node = node.struct.field(key)
    return node


def _dtype(tree: dict[str, Any] | None) -> pl.DataType:
    if tree is None:
        return pl.String()
    return pl.Struct({key: _dtype(inner) for key, inner in tree.items()})


def _decoded(lines: pl.Series, dtype: pl.DataType) -> Iterator[pl.DataFrame]:
    """Columns `object` and `refused`, in parts."""
    try:
        found = lines.str.json_decode(dtype)
        if len(found) == len(lines):
            yield pl.DataFrame({"object": found}).with_columns(refused=pl.col("object").is_null())
            return
    except (pl.exceptions.PolarsError, IndexError):
        pass
    if len(lines) <= _SMALL:
        yield pl.DataFrame({"object": pl.Series([None], dtype=dtype).new_from_index(0, len(lines))}).with_columns(
            refused=True
        )
        return
    for some in _slices(lines, -(-len(lines) // 8)):
        yield from _decoded(some, dtype)


def _slices(lines: pl.Series, step: int) -> Iterator[pl.Series]:
    return (lines.slice(begin, step) for begin in range(0, max(len(lines), 1), step))


def by_path(lines: pl.Series, names: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """The same as `JsonFields`, each field looked up for itself."""
    text = pl.col("line").str
    found = lines.to_frame("line").select(
        text.json_path_match("$").str.starts_with("{").fill_null(False).alias("object__"),
        *(pl.coalesce(text.json_path_match(_path(way)) for way in _ways(name)).alias(name) for name in names),
    )
    objects, found = found["object__"], found.drop("object__")
    for name in names:
        wrong = found[name].str.starts_with("[").fill_null(False)
        if "." in name:
            wrong |= found[name].is_null() & objects
        if wrong.any():
            at = wrong.arg_true()
            values = [value_at(line, name.split("|")) for line in lines.gather(at)]
            found = found.with_columns(found[name].scatter(at, pl.Series(values, dtype=pl.String)))
    return found, objects


def _path(keys: Sequence[str]) -> str:
    return "$" + "".join("['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']" for key in keys)
