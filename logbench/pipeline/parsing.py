"""Fit the parser on training messages, freeze it, match every line, and build sessions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Parser
from ..base.errors import PluginError
from ..data.event_buffer import array, parts
from ..data.event_messages import EventMessages
from ..data.kept import shown
from ..data.per_unit import events_of_units
from ..data.sessions import Sessions
from .grouping import GroupedLines
from .kept_parser import KeptParser, parser_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Training messages to which a loaded parser must give the saved keys.
PROBE = 1000


@dataclass(frozen=True)
class Vocabulary:
    """A parser fitted on training messages and frozen. All lines get keys by `match`, training lines included.

    Attributes:
        templates: template of each known key, 0 … size − 1.
        messages: String, masked training messages in first-seen order.
        fitted: `fingerprint` of the parser right after fitting.
        differs: number of `messages` with different keys from `match` and `fit`.
        unmatched: number of `messages` without a key from `match`; they count as unseen.
        misparsed: texts of keys that only a parse error gives, above all that `lookup` gives.
    """

    parser: Parser
    templates: tuple[str, ...]
    messages: pl.Series = field(default_factory=lambda: pl.Series("message", [], dtype=pl.String))
    fitted: str = ""
    differs: int = 0
    unmatched: int = 0
    misparsed: tuple[str, ...] = ()
    _found: dict[str, tuple[pl.Series, NDArray[np.int32]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Number of known keys."""
        return len(self.templates)

    @property
    def facts(self) -> dict[str, int]:
        """Counts for the record's `dataset`."""
        return {"parser_fit_differs": self.differs, "parser_fit_unmatched": self.unmatched}

    def lookup(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys of distinct masked messages, int32 [messages], read-only; the last answer is remembered.

        A message without a match gets its own key above the vocabulary, so that distinct sequences stay distinct.
        These keys follow the order of the texts, because in files that hold one class after the other the order
        of appearance would tell the label.
        """
        asked, known = self._found.get("last", (None, None))
        if known is not None and asked is messages:
            return known
        keys = self.matched(messages)
        unknown = np.flatnonzero(keys < 0)
        in_order = unknown[messages.gather(unknown).arg_sort().to_numpy()]
        keys[in_order] = self.size + np.arange(len(unknown), dtype=np.int32)
        keys.flags.writeable = False
        self._found["last"] = messages, keys
        return keys

    def with_more(self, known: Sequence[str], unseen: Sequence[str]) -> Vocabulary:
        """The same with further known keys, and with keys above all others.

        Args:
            known, unseen: their texts.
        """
        templates, misparsed = (*self.templates, *known), (*self.misparsed, *unseen)
        return replace(self, templates=templates, misparsed=misparsed, _found={})

    def fingerprint(self) -> str:
        """SHA-256 of the parser's state."""
        state = json.dumps(self.parser.state(), sort_keys=True, default=str)
        return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()

    def state(self) -> dict[str, Any]:
        """JSON values for `restore`: the parser's state, and some training messages with their keys."""
        some = self.messages.head(PROBE)
        return {"parser": self.parser.state(), "messages": some.to_list(), "keys": self.matched(some).tolist()}

    @classmethod
    def restore(cls, parser: Parser, state: Mapping[str, Any], templates: Sequence[str]) -> Vocabulary:
        """Rebuild a vocabulary from its `state` and a new parser.

        Raises:
            PluginError: the parser gives other keys than when it was saved.
        """
        if "kept" in state["parser"]:
            parser = KeptParser(parser)
        parser.restore(state["parser"])
        vocabulary = cls(parser, tuple(templates))
        then = np.array(state["keys"], dtype=np.int32)
        now = vocabulary.matched(pl.Series("message", state["messages"], dtype=pl.String))
        if other := int(np.count_nonzero(now != then)):
            raise PluginError(
                f"parser: {other:,} of {len(then):,} messages have other keys than when the model was saved; they "
                "depend on the process (the order of a set, say), or its state() does not hold all: train again"
            )
        return vocabulary

    def matched(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys by `match`, int32 [messages], −1 without a match."""
        return _checked(self.parser.match(messages), len(messages), -1, self.size)


def _checked(keys: Any, count: int, low: int, high: int) -> NDArray[np.int32]:
    array = np.asarray(keys)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise PluginError(f"parser: wanted integer keys [{count}], got {array.dtype} {array.shape}")
    if count and not (low <= int(array.min()) and int(array.max()) < high):
        raise PluginError(f"parser: keys must lie in {low} … {high - 1}, got {array.min()} … {array.max()}")
    return array.astype(np.int32)  # a copy, because a parser may keep and change its array


def learn(grouped: GroupedLines, train: NDArray[np.int64], parser: Parser) -> Vocabulary:
    """Fit the parser on the messages of the training units, without held-out ones, and freeze it.

    Args:
        train: int64, indices of training units.

    Raises:
        PluginError: the keys are invalid, or `match` finds none of the training messages.
    """
    seen = first_seen(grouped, train)
    fitted, by_fit = fitted_on(grouped.messages.gather(seen), parser)
    by_match = fitted.lookup(grouped.messages)[seen]
    differs = int(np.count_nonzero(by_match != by_fit))
    unmatched = int(np.count_nonzero(by_match >= fitted.size))
    if unmatched and unmatched == len(seen):
        raise PluginError(f"parser: match finds none of the {len(seen):,} messages that fit was given")
    return replace(fitted, differs=differs, unmatched=unmatched)


def first_seen(grouped: GroupedLines, units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct messages of these units, int64 places in `grouped.messages`, in the order of their first lines."""
    events = events_of_units(grouped.offsets, units)[0]
    order = np.argsort(grouped.lines[events], kind="stable")
    return pl.Series(grouped.codes[events][order]).unique(maintain_order=True).to_numpy().astype(np.int64)


def fitted_on(messages: pl.Series, parser: Parser) -> tuple[Vocabulary, NDArray[np.int32]]:
    """A parser fitted on distinct messages, and the keys that `fit` gave them, int32 [messages]."""
    parser = parser_for(messages, parser)
    keys = parser.fit(messages)
    templates = tuple(parser.templates)
    by_fit = _checked(keys, len(messages), 0, len(templates))
    fitted = Vocabulary(parser, templates, messages)
    return replace(fitted, fitted=fitted.fingerprint()), by_fit


def sessions_of(grouped: GroupedLines, vocabulary: Vocabulary, weights: NDArray[np.float64]) -> Sessions:
    """Build sessions of keys, one a unit, with labels.

    Args:
        weights: float64 [units], weights of the units in metrics.
    """
    keys = array(len(grouped.codes), np.dtype(np.int32))
    known = vocabulary.lookup(grouped.messages)
    for part in parts(len(keys)):
        np.take(known, grouped.codes[part], out=keys[part], mode="clip")
    return Sessions(
        keys=keys,
        offsets=grouped.offsets,
        vocabulary=vocabulary.size,
        ids=grouped.units["unit"],
        labels=grouped.units["label"].to_numpy(),
        weights=weights,
        lines=None if grouped.sequences else grouped.lines,
        times=grouped.times,
        line_labels=grouped.line_labels,
        templates=vocabulary.templates,
        texts=None if grouped.sequences else shown(grouped.messages),
        text_ids=None if grouped.sequences else grouped.codes,
        raw=None if grouped.raw is None else EventMessages(grouped.raw, grouped.lines),
    )
