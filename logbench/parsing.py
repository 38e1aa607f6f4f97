"""Stages parse and sessions: the parser is fitted on training messages, then frozen; the rest only matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from .errors import PluginError
from .frames import Sessions
from .grouping import Grouped
from .interfaces import Parser
from .spool import array

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Vocabulary:
    """What training taught: masked messages and their keys, and the frozen parser for all others.

    Attributes:
        messages: String, masked messages met in training, in first-seen order.
        keys: int32 [messages], the key of each; 0 … size − 1, numbered by the parser.
        templates: template of each key.
    """

    parser: Parser
    messages: pl.Series
    keys: NDArray[np.int32]
    templates: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of known keys."""
        return len(self.templates)

    def lookup(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys of masked messages, int32 [messages].

        A message that matches nothing gets an id of its own above the vocabulary, in order of appearance,
        so that distinct sequences still see the difference.
        """
        known = pl.DataFrame({"message": self.messages, "key": self.keys})
        keys = pl.DataFrame({"message": messages}).join(known, on="message", how="left", maintain_order="left")[
            "key"
        ]
        result = keys.fill_null(-1).to_numpy().copy()
        fresh = np.flatnonzero(result < 0)
        if len(fresh):
            result[fresh] = _checked(self.parser.match(messages.gather(fresh)), len(fresh), -1, self.size)
            unknown = np.flatnonzero(result < 0)
            result[unknown] = self.size + np.arange(len(unknown), dtype=np.int32)
        return result

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON values."""
        return {
            "messages": self.messages.to_list(),
            "keys": self.keys.tolist(),
            "parser": self.parser.state(),
        }

    @classmethod
    def restore(cls, parser: Parser, state: Mapping[str, Any], templates: Sequence[str]) -> Vocabulary:
        """The vocabulary that gave `state`, around a freshly built parser."""
        parser.restore(state["parser"])
        messages = pl.Series("message", state["messages"], dtype=pl.String)
        return cls(parser, messages, np.array(state["keys"], dtype=np.int32), tuple(templates))


def _checked(keys: Any, count: int, low: int, high: int) -> NDArray[np.int32]:
    array = np.asarray(keys)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise PluginError(f"parser: wanted integer keys [{count}], got {array.dtype} {array.shape}")
    if count and not (low <= int(array.min()) and int(array.max()) < high):
        raise PluginError(f"parser: keys must lie in {low} … {high - 1}, got {array.min()} … {array.max()}")
    return array.astype(np.int32)


def learn(grouped: Grouped, train: NDArray[np.int64], parser: Parser) -> Vocabulary:
    """Fit the parser on the messages of the training units (held-out ones are not among them).

    Args:
        train: unit indices, int64.
    """
    events = _events_of(grouped, train)
    order = np.argsort(grouped.lines[events], kind="stable")
    seen = pl.Series(grouped.codes[events][order]).unique(maintain_order=True)
    messages = grouped.messages.gather(seen)
    keys = parser.fit(messages)
    templates = tuple(parser.templates)
    return Vocabulary(parser, messages, _checked(keys, len(messages), 0, len(templates)), templates)


def _events_of(grouped: Grouped, units: NDArray[np.int64]) -> NDArray[np.int64]:
    lengths = np.diff(grouped.offsets)[units]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return np.repeat(grouped.offsets[units] - starts[:-1], lengths) + np.arange(starts[-1])


def sessions_of(grouped: Grouped, vocabulary: Vocabulary, weights: NDArray[np.float64]) -> Sessions:
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
