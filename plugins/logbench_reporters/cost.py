"""What runs cost: parameters, seconds, memory, and which rows no other beats in both quality and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Cost:
    """The cost of a row: means over its runs; None where not known, times also where runs went side by side.

    Attributes:
        parameters: trained numbers of the model, as it reports them.
        fit_s, score_s: wall time. fit_cpu_s, score_cpu_s: processor time of all threads.
        units_per_s: units scored a second.
        peak_mb: largest memory of the model's process while it ran; it may hold libraries of models that it served
            before. added_mb: by how much that was more than when it began. peak_gpu_mb: largest memory of the GPU.
            The largest of the runs.
        device: `cpu`, `cuda` or `mps`.
    """

    parameters: float | None = None
    fit_s: float | None = None
    fit_cpu_s: float | None = None
    score_s: float | None = None
    score_cpu_s: float | None = None
    units_per_s: float | None = None
    peak_mb: float | None = None
    added_mb: float | None = None
    peak_gpu_mb: float | None = None
    device: str | None = None

    @classmethod
    def of(cls, records: Sequence[Record]) -> Cost:
        """The cost of successful runs of one model."""
        timed = [] if any(record["environment"].get("contended") for record in records) else records
        counts = [count for record in records if (count := _parameters(record["training"])) is not None]
        devices = {device_of(record) for record in records} - {None}
        return cls(
            parameters=_mean(counts),
            fit_s=_mean(_known(timed, "fit", "wall_s")),
            fit_cpu_s=_mean(_known(timed, "fit", "cpu_s")),
            score_s=_mean(_known(timed, "score", "wall_s")),
            score_cpu_s=_mean(_known(timed, "score", "cpu_s")),
            units_per_s=_mean(_known(timed, "score", "items_per_s")),
            peak_mb=_largest(records, "peak_rss_mb"),
            added_mb=_largest(records, "added_rss_mb"),
            peak_gpu_mb=_largest(records, "peak_gpu_mb"),
            device=", ".join(sorted(map(str, devices))) or None,
        )

    @property
    def seconds(self) -> float | None:
        """Wall time of fit and score."""
        return None if self.fit_s is None or self.score_s is None else self.fit_s + self.score_s

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def front(points: Mapping[str, tuple[float, float]], lower: bool) -> list[str]:
    """Names of the points that no other beats: none is at least as good and as cheap, and one of both more.

    Args:
        points: name → metric and cost. lower: the metric is better where it is lower.
    """
    sign = -1 if lower else 1

    def beaten(metric: float, cost: float) -> bool:
        return any(
            sign * other >= sign * metric and price <= cost and (other, price) != (metric, cost)
            for other, price in points.values()
        )

    return [name for name, point in points.items() if not beaten(*point)]


def _known(records: Sequence[Record], stage: str, name: str) -> list[float]:
    """A fact of a stage that the run did itself, of the records that have it."""
    stages = [record["stages"].get(stage, {}) for record in records]
    return [one[name] for one in stages if one.get(name) is not None]


def _largest(records: Sequence[Record], name: str) -> float | None:
    """The largest of fit and score."""
    return max((value for stage in ("fit", "score") for value in _known(records, stage, name)), default=None)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _parameters(training: Mapping[str, Any]) -> float | None:
    """Parameters of a model; of a combination the sum, where each member reports them."""
    if (members := training.get("members")) and isinstance(members, Mapping):
        counts = [_parameters(facts) for facts in members.values() if isinstance(facts, Mapping)]
        return None if None in counts or len(counts) < len(members) else float(sum(filter(None, counts)))
    count = training.get("parameters")
    return float(count) if isinstance(count, int | float) else None


def device_of(record: Record) -> str | None:
    """Where the model ran; `auto` is a GPU where memory of one was taken, and not known on macOS."""
    asked: str | None = record["environment"].get("device")
    if asked != "auto" or "macOS" in record["environment"].get("platform", ""):
        return asked
    return "cuda" if _largest([record], "peak_gpu_mb") else "cpu"
