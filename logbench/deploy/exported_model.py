"""An exported model: scores units by its graph, without the code that it was trained by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.optional_models import RunsGraph
from ..base.errors import DataError
from ..data.rows import count_rows, events_beyond, padded, vector_rows
from ..data.scores import Scores
from ..data.shared_keys import by_places, saved_places
from ..data.unit_rows import UnitRows, without_unseen
from ..data.window_ranks import rank_events, rank_scores, worst_per_unit
from .engines import onnx_engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from ..data.sessions import Sessions

# Rows of a step.
BATCH = 512
# Where a bundle holds its graph.
PLACE = "exported/model.onnx"


class ExportedModel:
    """Has the scores of the model that it was exported from; `others["alarm"]` is the graph's own verdict.

    Attributes:
        metadata: of the graph. batch: rows of a step.
        slack: scores that exceed a threshold by no more alarm in no engine: so far the engines differ there.

    Raises:
        DataError: the metadata has `key_places` that are not those of its keys.
    """

    def __init__(self, run: RunsGraph, metadata: Mapping[str, Any], batch: int = BATCH) -> None:
        self._run, self.metadata, self.batch = run, metadata, batch
        self._facts: Mapping[str, Any] = metadata["graph"]
        self.slack = float(metadata.get("slack", 0.0))
        try:
            self._places = saved_places(self._facts.get("key_places"), self._facts["keys"])
        except ValueError as error:
            raise DataError(f"no graph that logbench export wrote ({error})") from None

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Score every unit, as the model itself does.

        Raises:
            DataError: the sessions have another vocabulary, or vectors of another width.
        """
        known = self._facts["keys"] if self._places is None else len(self._places)
        if sessions.vocabulary != known:
            raise DataError(f"the graph takes {known} keys, not {sessions.vocabulary}")
        if self._places is not None:
            sessions = by_places(sessions, self._places)
        if self._facts["input"] == "windows":
            return self._of_windows(sessions, context)
        primary, alarm = self._of_rows(sessions)
        ignoring, some = primary.copy(), np.flatnonzero(sessions.unseen)
        if len(some):
            ignoring[some], _ = self._of_rows(without_unseen(sessions.take(some)))
        beyond = events_beyond(sessions, self._facts["length"]) if self._facts.get("beyond") else None
        return Scores(primary, ignoring=ignoring, unjudged=beyond, others={"alarm": alarm})

    def _of_windows(self, sessions: Sessions, context: Context) -> Scores:
        h, pad = self._facts["h"], self._facts["pad"]
        histories = sessions.histories(h, pad)
        parts = self._answers({"rows": histories.distinct_windows.astype(np.int64)})
        inverse = histories.distinct.inverse
        rank = parts["rank"].astype(np.int32)[inverse]
        scores = rank_scores(rank, parts["nll"].astype(np.float32)[inverse], histories)
        alarm, _ = worst_per_unit(parts["alarm"].astype(np.int32)[inverse], histories)
        return replace(
            scores,
            others={**scores.others, "alarm": alarm.astype(np.float64)},
            unjudged=None if pad else np.minimum(sessions.lengths, h),
            events=rank_events(rank, histories, len(sessions.keys)) if context.events else None,
        )

    def _of_rows(self, sessions: Sessions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score and alarm of each unit, float64 [units]; 0 of a unit without events."""
        rows = UnitRows.of(sessions, self._rows, all(one is None for one in (sessions.texts, sessions.vectors)))
        inputs: dict[str, NDArray[Any]] = {"rows": rows.values}
        if self._facts["input"] == "vectors":
            assert rows.sessions.vectors is not None
            inputs["vectors"] = rows.sessions.vectors
        found = self._answers(inputs)
        scores, alarms = np.zeros(len(sessions)), np.zeros(len(sessions))
        # A float32, as the model itself gives.
        scores[rows.units] = found["score"].astype(np.float32)[rows.inverse]
        alarms[rows.units] = found["alarm"][rows.inverse]
        return scores, alarms

    def _rows(self, sessions: Sessions) -> NDArray[Any]:
        if self._facts["input"] == "counts":
            return count_rows(sessions)
        make = padded if self._facts["input"] == "keys" else vector_rows
        return make(sessions, self._facts["length"], self._facts["keep"])

    def _answers(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Outputs of the graph for all rows, in their order; rows of like length go together."""
        rows, vectors = inputs["rows"], inputs.get("vectors")
        lengths: NDArray[np.int64] | None = None
        order = np.arange(len(rows))
        if self._facts.get("any_columns"):
            fill = self._facts["keys"] + 1 if vectors is None else len(vectors)
            lengths = (rows < fill).sum(1)
            order = np.argsort(lengths, kind="stable")
        parts: list[Mapping[str, NDArray[Any]]] = []
        for begin in range(0, max(len(rows), 1), self.batch):
            which = order[begin : begin + self.batch]
            batch = rows[which]
            if lengths is not None and len(which):
                batch = batch[:, : int(lengths[which].max()) + self._facts["spare"]]
            parts.append(self._run(_fed(batch, vectors, self._facts)))
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        back = np.argsort(order)
        return {name: values[: len(rows)][back] for name, values in joined.items()}


def _fed(rows: NDArray[Any], vectors: NDArray[np.float32] | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """One step's inputs; only the vectors that its rows name."""
    if not len(rows):  # a graph is not asked for nothing
        rows = np.zeros((1, *rows.shape[1:]), dtype=rows.dtype)
    if rows.dtype.kind == "f":
        return {"rows": np.ascontiguousarray(rows, dtype=np.float32)}
    if vectors is None:
        return {"rows": np.ascontiguousarray(rows, dtype=np.int64)}
    if vectors.shape[1] != facts["width"]:
        raise DataError(f"the graph takes vectors of {facts['width']} columns, not {vectors.shape[1]}")
    named, places = np.unique(rows, return_inverse=True)
    known = named[named < len(vectors)]
    table = vectors[known] if len(known) else np.zeros((1, vectors.shape[1]), dtype=np.float32)
    places = np.where(rows < len(vectors), places.reshape(rows.shape), len(table))
    return {"rows": places.astype(np.int64), "vectors": np.ascontiguousarray(table, dtype=np.float32)}


def exported_model(bundle: Path, device: str) -> ExportedModel:
    """The graph that `logbench export` put into a bundle, by onnxruntime.

    Raises:
        DataError: there is none, or it is damaged.
    """
    file = bundle / PLACE
    if not file.is_file():
        raise DataError(f"{bundle}: holds no graph for onnxruntime; make one: logbench export {bundle}")
    run, metadata = onnx_engine(file, device)
    return ExportedModel(run, metadata)
