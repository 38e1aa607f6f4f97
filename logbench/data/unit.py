"""One unit of `Sessions`, to look at: its id, keys, label and the text of its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .sessions import Sessions

LABELS = {0: "normal", 1: "anomaly"}


@dataclass(frozen=True, slots=True, repr=False)
class Unit:
    """One unit: `sessions[i]`, or each `for unit in sessions`.

    Attributes:
        id: of the unit.
        keys: int32 [events].
        label: 0 normal, 1 anomaly, −1 unknown; None where the sessions have no labels.
        texts: the template of each event; of an unseen key its masked message where that is known, else None.
        times: int64 [events], microseconds since 1970, or None.
    """

    id: str
    keys: NDArray[np.int32]
    label: int | None
    texts: tuple[str | None, ...]
    times: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        label = "" if self.label not in LABELS else f", {LABELS[self.label]}"
        shown = " ".join(map(str, self.keys[:10])) + (" …" if len(self) > 10 else "")
        return f"Unit({self.id!r}{label}, {len(self)} events: {shown})"


def unit_of(sessions: Sessions, place: int) -> Unit:
    """The unit at a place from 0; from the end where that is negative.

    Raises:
        IndexError: there is none.
    """
    at = place + len(sessions) if place < 0 else place
    if not 0 <= at < len(sessions):
        raise IndexError(f"unit {place} of {len(sessions)}")
    events = slice(int(sessions.offsets[at]), int(sessions.offsets[at + 1]))
    keys = sessions.keys[events]
    messages = [None] * len(keys) if sessions.text_ids is None else sessions.text_ids[events].tolist()
    texts = tuple(_text(sessions, key, text) for key, text in zip(keys.tolist(), messages, strict=True))
    return Unit(
        id=sessions.ids[at],
        keys=keys,
        label=None if sessions.labels is None else int(sessions.labels[at]),
        texts=texts,
        times=None if sessions.times is None else sessions.times[events],
    )


def _text(sessions: Sessions, key: int, text: int | None) -> str | None:
    if key < len(sessions.templates):
        return sessions.templates[key]
    return None if text is None or sessions.texts is None else str(sessions.texts[text])


def frame_of(sessions: Sessions) -> pl.DataFrame:
    """See `Sessions.to_polars`."""
    lists: dict[str, Any] = {"keys": sessions.keys}
    if sessions.times is not None:
        lists["times"] = sessions.times
    row = pl.Series("row", sessions.units)
    parts = pl.DataFrame({"row": row, **lists}).group_by("row", maintain_order=True).agg(pl.all())
    frame = pl.DataFrame({"unit": sessions.ids}).with_row_index("row").with_columns(pl.col("row").cast(pl.Int32))
    frame = frame.join(parts, on="row", how="left", maintain_order="left").drop("row")
    frame = frame.with_columns(pl.col(name).fill_null([]) for name in lists)
    if sessions.times is not None:
        frame = frame.with_columns(pl.col("times").list.eval(pl.element().cast(pl.Datetime("us"))))
    columns = {} if sessions.labels is None else {"label": pl.Series(sessions.labels, dtype=pl.Int8)}
    return frame.with_columns(**columns, weight=pl.Series(sessions.weights))
