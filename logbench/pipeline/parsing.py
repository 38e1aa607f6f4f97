"""Stages parse and sessions: the parser is fitted on training messages, then frozen; every line is matched."""

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
from ..data.event_buffer import array
from ..data.sessions import Sessions
from .grouping import GroupedLines

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Training messages that a saved parser must know by the same keys.
PROBE = 1000


@dataclass(frozen=True)
class Vocabulary:
    """A parser fitted on training messages and frozen: every line, also of the training, has its key by `match`.

    Attributes:
        templates: template of each known key, 0 … size − 1.
        messages: String, masked messages of the training, in first-seen order.
        fitted: `fingerprint` of the parser once it was fitted, before it matched anything.
        differs: how many of `messages` have another key by `match` than `fit` gave them.
        unmatched: how many of those `match` finds no key for: they are unseen, though they trained.
    """

    parser: Parser
    templates: tuple[str, ...]
    messages: pl.Series = field(default_factory=lambda: pl.Series("message", [], dtype=pl.String))
    fitted: str = ""
    differs: int = 0
    unmatched: int = 0
    _found: dict[str, tuple[pl.Series, NDArray[np.int32]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Number of known keys."""
        return len(self.templates)

    @property
    def facts(self) -> dict[str, int]:
        """Counts for the record."""
        return {"parser_fit_differs": self.differs, "parser_fit_unmatched": self.unmatched}

    def lookup(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys of distinct masked messages by the frozen parser, int32 [messages]; read-only, matched once.

        A message that matches nothing gets an id of its own above the vocabulary, so that distinct sequences
        still see the difference. These ids are in order of the messages' texts: where files hold one class after
        the other, an order of appearance would tell the label.
        """
        asked, known = self._found.get("last", (None, None))
        if known is not None and asked is messages:
            return known
        found = self._matched(messages)
        unknown = np.flatnonzero(found < 0)
        in_order = unknown[messages.gather(unknown).arg_sort().to_numpy()]
        found[in_order] = self.size + np.arange(len(unknown), dtype=np.int32)
        found.flags.writeable = False
        self._found["last"] = messages, found
        return found

    def fingerprint(self) -> str:
        """Changes with the parser's state."""
        state = json.dumps(self.parser.state(), sort_keys=True, default=str)
        return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON values: the parser's state, and some training messages with their keys."""
        some = self.messages.head(PROBE)
        return {"parser": self.parser.state(), "messages": some.to_list(), "keys": self._matched(some).tolist()}

    @classmethod
    def restore(cls, parser: Parser, state: Mapping[str, Any], templates: Sequence[str]) -> Vocabulary:
        """The vocabulary that gave `state`, around a freshly built parser.

        Raises:
            PluginError: the parser gives other keys than when it was saved.
        """
        parser.restore(state["parser"])
        known = cls(parser, tuple(templates))
        then = np.array(state["keys"], dtype=np.int32)
        now = known._matched(pl.Series("message", state["messages"], dtype=pl.String))
        if other := int(np.count_nonzero(now != then)):
            raise PluginError(
                f"parser: {other:,} of {len(then):,} messages have other keys than when the model was saved; they "
                "depend on the process (the order of a set, say), or its state() does not hold all: train again"
            )
        return known

    def _matched(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys by `match`, −1 where it finds none, int32 [messages]."""
        return _checked(self.parser.match(messages), len(messages), -1, self.size)


def _checked(keys: Any, count: int, low: int, high: int) -> NDArray[np.int32]:
    array = np.asarray(keys)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise PluginError(f"parser: wanted integer keys [{count}], got {array.dtype} {array.shape}")
    if count and not (low <= int(array.min()) and int(array.max()) < high):
        raise PluginError(f"parser: keys must lie in {low} … {high - 1}, got {array.min()} … {array.max()}")
    return array.astype(np.int32)  # a copy: a parser may keep its own


def learn(grouped: GroupedLines, train: NDArray[np.int64], parser: Parser) -> Vocabulary:
    """Fit the parser on the messages of the training units (held-out ones are not among them), and freeze it.

    Args:
        train: unit indices, int64.

    Raises:
        PluginError: wrong keys, or `match` finds none of the messages that `fit` was given.
    """
    events = _events_of(grouped, train)
    order = np.argsort(grouped.lines[events], kind="stable")
    seen = pl.Series(grouped.codes[events][order]).unique(maintain_order=True)
    messages = grouped.messages.gather(seen)
    keys = parser.fit(messages)
    templates = tuple(parser.templates)
    by_fit = _checked(keys, len(messages), 0, len(templates))
    fitted = Vocabulary(parser, templates, messages)
    fitted = replace(fitted, fitted=fitted.fingerprint())
    by_match = fitted.lookup(grouped.messages)[seen.to_numpy()]
    differs = int(np.count_nonzero(by_match != by_fit))
    unmatched = int(np.count_nonzero(by_match >= len(templates)))
    if unmatched and unmatched == len(messages):
        raise PluginError(f"parser: match finds none of the {len(messages):,} messages that fit was given")
    return replace(fitted, differs=differs, unmatched=unmatched)


def _events_of(grouped: GroupedLines, units: NDArray[np.int64]) -> NDArray[np.int64]:
    lengths = np.diff(grouped.offsets)[units]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return np.repeat(grouped.offsets[units] - starts[:-1], lengths) + np.arange(starts[-1])


def sessions_of(grouped: GroupedLines, vocabulary: Vocabulary, weights: NDArray[np.float64]) -> Sessions:
    """Every unit as a session of keys, labels beside them.

    Args:
        weights: float64 [units].
    """
    keys = array(len(grouped.codes), np.dtype(np.int32))
    np.take(vocabulary.lookup(grouped.messages), grouped.codes, out=keys, mode="clip")
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
    )
