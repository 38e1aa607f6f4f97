"""The nearest training unit by what messages say, after RAPID (No et al., EAAI 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import DataError, IncompatibleError, Scores, Sessions, first_per_unit, load_arrays, save_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Distinct

    from .options import RetrievalConfig

# Differences of similarities that are rounding: vectors are float32.
ROUNDING = 1e-5
# Most similarities of texts to units that are kept at once (256 MiB).
CELLS = 1 << 26


class Sets:
    """The distinct sets of texts that units have.

    Attributes:
        texts, offsets: set i is `texts[offsets[i]:offsets[i + 1]]`, ascending.
        inverse: int64 [units], the set of each unit. counts: int64 [sets], units that have it.
    """

    def __init__(self, sessions: Sessions, kept: NDArray[np.bool_] | None = None) -> None:
        assert sessions.vector_ids is not None
        number: dict[bytes, int] = {}
        sets: list[NDArray[np.int32]] = []
        inverse = np.empty(len(sessions), dtype=np.int64)
        for unit, (begin, end) in enumerate(zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True)):
            ids = sessions.vector_ids[begin:end]
            texts = np.unique(ids if kept is None else ids[kept[begin:end]])
            inverse[unit] = place = number.setdefault(texts.tobytes(), len(sets))
            if place == len(sets):
                sets.append(texts)
        self.inverse, self.counts = inverse, np.bincount(inverse, minlength=len(sets))
        self.texts = np.concatenate([np.empty(0, dtype=np.int32), *sets])
        self.offsets = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).astype(np.int64)

    def __len__(self) -> int:
        return len(self.offsets) - 1


class Retrieval:
    """Scores a unit by 1 − its similarity to the nearest training unit.

    The similarity is the mean, over the unit's distinct texts, of the largest cosine with a text of the training
    unit (ColBERT's, as in RAPID). So a unit scores 0 whose texts some training unit has all. The deciding event
    is the first with a text that is farthest from the nearest training unit.
    """

    def __init__(self, config: RetrievalConfig) -> None:
        self.config = config
        self.vectors: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self.texts: NDArray[np.int32] = np.empty(0, np.int32)
        self.offsets: NDArray[np.int64] = np.zeros(1, np.int64)

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Keep distinct training units, at most `max_train` of `max_texts`; facts `units`, `distinct`, `texts`.

        Raises:
            IncompatibleError: there is no unit with events.
        """
        units = train.take(np.flatnonzero(train.lengths))
        if not len(units):
            raise IncompatibleError("retrieval: no unit to compare with")
        sets = Sets(units)
        frequent = np.argsort(-sets.counts, kind="stable")[: self.config.max_train]
        texts = np.cumsum(np.diff(sets.offsets)[frequent])
        chosen = np.sort(frequent[: max(int(np.searchsorted(texts, self.config.max_texts, "right")), 1)])
        if len(chosen) < len(sets):
            bound = "max_train" if len(chosen) == len(frequent) else "max_texts"
            many = f"the {len(chosen):,} most frequent of {len(sets):,} sets of texts of training"
            context.note(f"retrieval: compares with {many} ({bound})")
        bounds = zip(sets.offsets[chosen], sets.offsets[chosen + 1], strict=True)
        kept = [sets.texts[begin:end] for begin, end in bounds]
        used, places = np.unique(np.concatenate(kept), return_inverse=True)
        self.vectors, self.texts = _directions(units.vectors)[used], places.astype(np.int32)
        self.offsets = np.concatenate([[0], np.cumsum([len(one) for one in kept])]).astype(np.int64)
        return {"units": len(units), "distinct": len(kept), "texts": len(used)}

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """1 − similarity to the nearest training unit; `ignoring` leaves unseen events out. No event: 0."""
        alike = _alike(sessions)
        units, every = sessions.take(alike.first), alike.inverse
        primary, event = self._scored(units, None)
        ignoring, ignoring_event = primary.copy(), event.copy()
        if len(some := np.flatnonzero(units.unseen)):
            few = units.take(some)
            ignoring[some], ignoring_event[some] = self._scored(few, few.keys < few.vocabulary)
        return Scores(primary[every], event[every], ignoring[every], ignoring_event[every])

    def save(self, folder: Path) -> None:
        """Write `units.npz`."""
        save_arrays(folder / "units.npz", vectors=self.vectors, texts=self.texts, offsets=self.offsets)

    def load(self, folder: Path) -> None:
        """Read it.

        Raises:
            DataError: it is missing or damaged.
        """
        file = folder / "units.npz"
        vars(self).update(
            load_arrays(
                file, vectors="float32 [texts, width]", texts="int32 [members]", offsets="int64 [units + 1]"
            )
        )
        steps = np.diff(self.offsets)
        inside = ((self.texts >= 0) & (self.texts < len(self.vectors))).all()
        if (
            not len(steps)
            or self.offsets[0]
            or self.offsets[-1] != len(self.texts)
            or (steps < 1).any()
            or not inside
        ):
            raise DataError(f"{file}: no saved arrays of this model: the offsets and texts make no units")

    def _scored(
        self, sessions: Sessions, kept: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Score and deciding event of each unit, by the events that are kept."""
        assert sessions.vector_ids is not None and sessions.vectors is not None
        if (width := sessions.vectors.shape[1]) != self.vectors.shape[1] - 1:
            raise DataError(
                f"retrieval was trained on vectors of {self.vectors.shape[1] - 1} columns, not {width}"
            )
        sets, directions = Sets(sessions, kept), _directions(sessions.vectors)
        far, farthest = np.zeros(len(sets)), np.zeros(len(sets.texts), dtype=bool)
        alike = Alike(self.vectors, self.texts, self.offsets, directions)
        for place in range(len(sets)):
            span = slice(sets.offsets[place], sets.offsets[place + 1])
            if len(texts := sets.texts[span]):
                far[place], farthest[span] = _nearest(alike.best(texts))
        of_set = np.repeat(np.arange(len(sets)), np.diff(sets.offsets)) * len(directions)
        of_event = sets.inverse[sessions.units] * len(directions) + sessions.vector_ids
        decides = np.isin(of_event, (of_set + sets.texts)[farthest])
        return far[sets.inverse], first_per_unit(decides, sessions.offsets)


class Alike:
    """The largest cosine of each text with a text of each training unit, computed once a text.

    Args:
        vectors, texts, offsets: see `Retrieval`. directions: of the texts that are asked for.
    """

    def __init__(
        self,
        vectors: NDArray[np.float32],
        texts: NDArray[np.int32],
        offsets: NDArray[np.int64],
        directions: NDArray[np.float32],
    ) -> None:
        self._vectors, self._begins, self._directions = vectors, offsets[:-1], directions
        # One buffer for the cosines of all members: a new one each time costs more than what is done with it.
        self._members, self._cosines = texts.astype(np.intp), np.empty(len(texts), dtype=np.float32)
        self._known: dict[int, NDArray[np.float32]] = {}

    def best(self, texts: NDArray[np.int32]) -> NDArray[np.float64]:
        """float64 [texts, training units]."""
        return np.stack([self._best(text) for text in texts.tolist()]).astype(np.float64)

    def _best(self, text: int) -> NDArray[np.float32]:
        if (found := self._known.get(text)) is None:
            if len(self._known) * len(self._begins) > CELLS:
                del self._known[next(iter(self._known))]  # the oldest; to forget all would compute most twice
            np.take(self._vectors @ self._directions[text], self._members, out=self._cosines, mode="clip")
            found = self._known[text] = np.maximum.reduceat(self._cosines, self._begins)
        return found


def _alike(sessions: Sessions) -> Distinct:
    """Units whose events have equal texts, with the same ones unseen: one of each is scored."""
    assert sessions.vector_ids is not None
    seen = sessions.vector_ids * 2 + (sessions.keys < sessions.vocabulary)
    return Sessions(seen.astype(np.int32), sessions.offsets, 0, sessions.ids).distinct


def _nearest(best: NDArray[np.float64]) -> tuple[float, NDArray[np.bool_]]:
    """Distance of a set of texts to the nearest training units, and which texts are farthest from these.

    Args:
        best: see `Alike.best`.
    """
    similar = best.mean(axis=0)
    far = 1 - float(similar.max())
    near = best[:, similar > similar.max() - ROUNDING].mean(axis=1)
    return (far if far > ROUNDING else 0.0), near < near.min() + ROUNDING


def _directions(vectors: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Vectors of length 1, float32 [texts, width + 1]: zero ones share the direction of the last column."""
    assert vectors is not None
    sizes = np.linalg.norm(vectors.astype(np.float64), axis=1)
    nothing = sizes == 0
    made = np.column_stack([vectors / np.where(nothing, 1.0, sizes)[:, None], nothing])
    return made.astype(np.float32)
