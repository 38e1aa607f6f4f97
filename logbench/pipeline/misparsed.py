"""Give events the keys that a parser would give that errs: of a template split, merged or taken for another.

Six kinds, each either the same wherever the template stands or not. Only keys are wrong: what an event says, its
line and its label stay, so that a model that reads texts does not suffer. How much such errors cost depends on
whether they hide what tells units apart (Khan et al., Empirical Software Engineering 29, 2024).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import PARSE_ERRORS, EvaluationProtocol
from ..api.record_split import UnstableFacts
from ..data.per_unit import events_of_units
from ..data.sessions import Sessions
from .drawn_events import drawn_events, drawn_units
from .parsing import Vocabulary
from .split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray


def misparse(
    sessions: Sessions, split: Split, protocol: EvaluationProtocol, vocabulary: Vocabulary, messages: pl.Series
) -> tuple[Sessions, Vocabulary, UnstableFacts | None]:
    """Change keys of a share of the events of a share of the units, by the split's seed.

    Events whose key is unseen stay as they are. Keys that a split makes are known where training has them too.

    Args:
        sessions: all units. messages: String, the distinct masked messages of the log.

    Returns:
        Units and vocabulary with the errors, and what was changed; the same and None where nothing is.
    """
    if protocol.unstable not in PARSE_ERRORS or not len(units := drawn_units(split, protocol)):
        return sessions, vocabulary, None
    keys = sessions.keys.astype(np.int64)
    first = vocabulary.size + int((vocabulary.lookup(messages) >= vocabulary.size).sum())
    wrong = _wrong(keys, sessions, split, protocol, first)
    units, events = drawn_events(sessions.offsets, units, (keys < vocabulary.size) & (wrong != keys), protocol)
    facts: UnstableFacts = {
        "units": len(units), "events": len(events), "templates": len(np.unique(keys[events])),
    }  # fmt: skip
    made = keys.copy()
    made[events] = wrong[events]
    if protocol.unstable in ("split", "split_each"):
        made, vocabulary = _with_new_keys(keys, made, sessions.offsets, split, vocabulary, first, protocol)
    parsed = replace(
        sessions, keys=made.astype(np.int32), vocabulary=vocabulary.size, templates=vocabulary.templates
    )
    return parsed, vocabulary, facts


def _wrong(
    keys: NDArray[np.int64], sessions: Sessions, split: Split, protocol: EvaluationProtocol, first: int
) -> NDArray[np.int64]:
    """The key of each event if it is parsed wrongly, int64 [events]; its own where the kind changes nothing.

    Args:
        first: a number above all keys.
    """
    kind, known = protocol.unstable, sessions.vocabulary
    rng = np.random.default_rng([protocol.split_seed, 10])
    if kind == "split":
        return first + keys
    if kind == "split_each":
        return first + np.arange(len(keys))
    if kind == "wrong_each":
        return np.where(known > 1, (keys + rng.integers(1, max(known, 2), len(keys))) % known, keys)
    order, to = rng.permutation(known), np.arange(max(first, int(keys.max(initial=0)) + 1))
    if kind == "wrong":  # round a circle of all templates, so that none stays
        to[order] = np.roll(order, -1)
    elif kind == "merge":  # two by two; the last of an odd number joins the first two
        to[order] = np.where(np.arange(known) < known // 2 * 2, order[np.arange(known) // 2 * 2], order[0])
    else:
        trained = keys[events_of_units(sessions.offsets, split.train)[0]]
        to[:known] = np.bincount(trained[trained < known], minlength=known).argmax()
    return to[keys]


def _with_new_keys(
    keys: NDArray[np.int64],
    made: NDArray[np.int64],
    offsets: NDArray[np.int64],
    split: Split,
    vocabulary: Vocabulary,
    first: int,
    protocol: EvaluationProtocol,
) -> tuple[NDArray[np.int64], Vocabulary]:
    """Number the keys from `first` anew: those of training become known, the others stand above all.

    In an order that tells nothing: a number after the place in a file could tell the label.

    Args:
        keys, made: int64 [events], before and after the errors.
    """
    new, at = np.unique(made, return_index=True)
    new, origin = new[new >= first], keys[at][new >= first]
    order = np.random.default_rng([protocol.split_seed, 11]).permutation(len(new))
    new, origin = new[order], origin[order]
    trains = np.isin(new, made[events_of_units(offsets, split.train)[0]])
    number = np.arange(int(made.max(initial=0)) + 1)
    number[vocabulary.size : first] += int(trains.sum())
    number[new[trains]] = vocabulary.size + np.arange(int(trains.sum()))
    number[new[~trains]] = first + int(trains.sum()) + np.arange(int((~trains).sum()))
    texts = np.array(vocabulary.templates, dtype=object)[origin]
    return number[made], vocabulary.with_more(texts[trains].tolist(), texts[~trains].tolist())
