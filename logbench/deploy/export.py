"""Export a saved model as a graph, and hold it against the model on real units before anyone uses it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.contracts import Context
from ..api.optional_models import ExportedGraph, ExportKind, Exports
from ..base import checksums
from ..base.errors import DataError, IncompatibleError
from ..base.temporary_folders import temporary_folder
from ..data.neutral import neutral
from ..running.bundle import Bundle
from ..running.bundle_checks import NAME
from .engines import onnx_engine
from .exported_model import PLACE, ExportedModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.scores import Scores
    from ..data.sessions import Sessions

# Raised when the meaning of the metadata changes.
VERSION = 1
# Difference of scores that is allowed, absolute to a score of 1 and relative beyond.
TOLERANCE = 1e-4
# Units on which a graph is held against its model, at most.
UNITS = 20_000
# Slack is so many times the difference of scores near the threshold, and at least this share of it.
TIMES, LEAST = 4, 1e-6


def export_bundle(bundle: Bundle, sessions: Sessions, kind: ExportKind, file: Path) -> dict[str, Any]:
    """Write the graph of a bundle's model to `file`, if it has the scores and verdicts of the model.

    Args:
        sessions: real units, as the model takes them.

    Returns:
        The metadata of the graph, without what describes the vocabulary.

    Raises:
        IncompatibleError: the model cannot be exported, or its graph gives other scores or verdicts.
    """
    part, scorer = bundle.parts["model"], bundle.model
    if not isinstance(bundle.model, Exports):
        raise IncompatibleError(f"{part.name} cannot be exported: it is no network of logbench.torch")
    limit = float(bundle.facts["threshold"]["exact"])
    chosen = _chosen(sessions, bundle.short_limit)
    units = neutral(sessions, part.entry.item.traits.shown, units=chosen)
    graph = bundle.model.exported(kind, limit)
    own: Scores = scorer.score(units, Context())
    metadata = {**_about(bundle, kind), "graph": dict(graph.facts), "outputs": _outputs(graph.facts)}
    with temporary_folder() as folder:
        tried = folder / ("graph.onnx" if kind == "onnx" else "graph.pt2")  # torch asks for the suffix
        graph.save(tried, metadata, limit)
        found = _opened(graph, tried, metadata).score(units, Context())
        differences = [_difference(own.primary, found.primary)]
        if own.ignoring is not None and found.ignoring is not None:
            differences.append(_difference(own.ignoring, found.ignoring))
        largest = max(float(one.max(initial=0.0)) for one in differences)
        slack = _slack(own.primary, differences[0], limit)
        changed = int(((own.primary > limit) != (found.primary > limit + slack)).sum())
        _refuse(part.name, len(chosen), largest, changed)
        parity = {"units": len(chosen), "alarms": int((own.primary > limit).sum()), "verdicts_changed": 0}
        metadata |= {"slack": slack, "parity": {**parity, "largest_difference": largest}}
        graph.save(tried, metadata, limit + slack)
        again = _opened(graph, tried, metadata).score(units, Context())
        _refuse(part.name, len(chosen), largest, int(((own.primary > limit) != (again.others["alarm"] > 0)).sum()))
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.new")
        try:
            beside.write_bytes(tried.read_bytes())
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    return {name: value for name, value in metadata.items() if name not in ("templates", "protocol", "components")}


def place_in(folder: Path) -> Path:
    """Where a bundle has its graph for onnxruntime."""
    return folder / PLACE


def sum_up(folder: Path) -> None:
    """Write a bundle's checksums anew, once it holds a graph.

    Raises:
        DataError: they cannot be written.
    """
    try:
        checksums.write(folder, NAME)
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror or error}") from None


def _opened(graph: ExportedGraph, file: Path, metadata: Mapping[str, Any]) -> ExportedModel:
    """The model of a written graph, as whoever gets the file has it."""
    run = graph.opened(file)
    return ExportedModel(*onnx_engine(file, "cpu")) if run is None else ExportedModel(run, metadata)


def _about(bundle: Bundle, kind: str) -> dict[str, Any]:
    """What a graph says of where it is from: enough to parse other logs alike, and to know the protocol."""
    facts = bundle.facts
    return {
        "export_version": VERSION,
        "format": kind,
        "model": bundle.parts["model"].name,
        "run_id": facts["run_id"],
        "threshold": facts["threshold"]["exact"],
        "short_limit": facts["short_limit"],
        "protocol": facts["protocol"],
        "templates": facts["templates"],
        "components": {kind: part["config"] | {"name": part["name"]} for kind, part in _parts(facts).items()},
    }


def _parts(facts: Any) -> Mapping[str, Any]:
    parts: Mapping[str, Any] = facts["components"]
    return parts


def _outputs(facts: Mapping[str, Any]) -> list[str]:
    return ["score", "alarm", *(["rank", "nll"] if facts["input"] == "windows" else [])]


def _chosen(sessions: Sessions, shortest: int) -> NDArray[np.int64]:
    """Units to compare, evenly spread, those with unseen keys first; int64 [units]."""
    able = np.flatnonzero(sessions.lengths >= max(shortest, 1))
    if not len(able):
        raise IncompatibleError("no unit is long enough to check the graph on; give others: --data PATH")
    spread = able[np.linspace(0, len(able) - 1, min(len(able), UNITS)).astype(np.int64)]
    odd = able[sessions.unseen[able] > 0][: UNITS // 10]
    return np.unique(np.concatenate([spread, odd]))


def _difference(own: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far scores are apart, relative to those above 1; +∞ where one alone is infinite."""
    result = np.where(own == found, 0.0, np.inf)
    both = np.isfinite(own) & np.isfinite(found)
    result[both] = np.abs(own[both] - found[both]) / np.maximum(np.abs(own[both]), 1.0)
    return result


def _slack(own: NDArray[np.float64], difference: NDArray[np.float64], limit: float) -> float:
    """How far above the threshold rounding may bring a score; units lie on it, as it is often one of theirs."""
    if not np.isfinite(limit):
        return 0.0
    near = np.isfinite(own) & (np.abs(own - limit) <= 0.1 * max(abs(limit), 1e-30))
    seen = float(difference[near].max(initial=0.0)) * max(abs(limit), 1.0)
    return max(TIMES * seen if seen <= TOLERANCE else 0.0, LEAST * abs(limit))


def _refuse(model: str, units: int, largest: float, changed: int) -> None:
    if largest > TOLERANCE or changed:
        raise IncompatibleError(
            f"{model} was not exported: on {units:,} units its graph differs from torch by up to {largest:.2g} a "
            f"score (at most {TOLERANCE:g} is allowed), and {changed:,} verdicts change (none may)"
        )
