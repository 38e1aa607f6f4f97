"""One unit of `Sessions`, to look at: its id, keys, label and the text of its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


def frame_of(
    ids: pl.Series, units: NDArray[np.int32], events: dict[str, NDArray[Any]], columns: dict[str, pl.Series]
) -> pl.DataFrame:
    """One row a unit, see `Sessions.to_polars`.

    Args:
        ids: String [units]. units: int32 [events], the unit of each event, ascending.
        events: a value for each event, which become lists. columns: a value for each unit.
    """
    parts = pl.DataFrame({"row": units, **events}).group_by("row", maintain_order=True).agg(pl.all())
    frame = pl.DataFrame({"unit": ids}).with_row_index("row").with_columns(pl.col("row").cast(pl.Int32))
    frame = frame.join(parts, on="row", how="left", maintain_order="left").drop("row")
    frame = frame.with_columns(pl.col(name).fill_null([]) for name in events)
    if "times" in events:
        frame = frame.with_columns(pl.col("times").list.eval(pl.element().cast(pl.Datetime("us"))))
    return frame.with_columns(**columns)
