"""Fewer keys than are known: beyond a bound, the rarest keys of training share one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sessions import Sessions


def key_places(train: Sessions, most: int) -> NDArray[np.int32] | None:
    """The place of each known key among `most` keys, int32 [vocabulary]; None where all have one of their own.

    The `most` − 1 keys that most units have keep places of their own, in their order; all others share the last.
    Of keys that equally many units have, those with lower numbers keep theirs.

    Examples:
        >>> from logbench import Sessions
        >>> key_places(Sessions.of([[0, 2, 2], [2, 3], [3]], vocabulary=5), most=3).tolist()
        [2, 2, 0, 1, 2]
    """
    size = train.vocabulary
    if size <= most:
        return None
    known = train.keys < size
    pairs = np.unique(train.units[known].astype(np.int64) * size + train.keys[known])
    having = np.bincount(pairs % size, minlength=size)
    own = np.sort(np.argsort(-having, kind="stable")[: most - 1])
    places = np.full(size, most - 1, dtype=np.int32)
    places[own] = np.arange(most - 1, dtype=np.int32)
    return places


def by_places(sessions: Sessions, places: NDArray[np.int32]) -> Sessions:
    """The same units with the place of each key as its key; unknown keys stay apart from each other.

    The last place, which many keys share, has an empty template. Models of the same sessions and places share the
    answer, and what is derived from it.

    Args:
        places: int32 [vocabulary], see `key_places`.

    Examples:
        >>> from logbench import Sessions
        >>> few = by_places(Sessions.of([[0, 2, 5], [6]], vocabulary=3), np.array([1, 1, 0], np.int32))
        >>> few.keys.tolist(), few.vocabulary
        ([1, 0, 4, 5], 2)
    """
    few = int(places.max()) + 1

    def made() -> Sessions:
        keys = sessions.keys.copy()
        seen = keys < len(places)
        keys[seen], keys[~seen] = places[keys[seen]], keys[~seen] - np.int32(len(places) - few)
        first = np.unique(places, return_index=True)[1].tolist()
        known = len(sessions.templates) == len(places)
        templates = (*(sessions.templates[key] for key in first[:-1]), "") if known else ()
        return replace(sessions, keys=keys, vocabulary=few, templates=templates)

    name = hashlib.sha256(places.tobytes()).hexdigest()
    return sessions.cached(f"logbench.by_places {name}", made)


def saved_places(saved: Any, keys: int) -> NDArray[np.int32] | None:
    """Places of known keys among so many, as a file has them, int32 [vocabulary]; None where it has none.

    Raises:
        ValueError: they are no places among these.

    Examples:
        >>> saved_places([1, 0, 1], 2).tolist()
        [1, 0, 1]
    """
    if saved is None:
        return None
    found = set(saved) if isinstance(saved, list) and all(type(one) is int for one in saved) else set()
    if not found or (len(found), min(found), max(found)) != (keys, 0, keys - 1):
        raise ValueError("its key_places are not those of its keys")
    return np.array(saved, dtype=np.int32)
