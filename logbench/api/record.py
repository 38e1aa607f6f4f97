"""The record of a run, as it is printed and stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from ..base.errors import DataError
from ..base.escapes import json_text
from ..base.jsonable import to_jsonable
from .record_html import figures_of, table
from .record_sections import (
    BoundFacts,
    Columns,
    Components,
    Config,
    Counts,
    DatasetFacts,
    Directions,
    EmbeddingFacts,
    EnvironmentFacts,
    ErrorFacts,
    Metrics,
    PluginFacts,
    Record,
    RuleMetrics,
    SealedFacts,
    SourceFacts,
    StageFacts,
    ThresholdFacts,
)
from .record_split import AuditFacts, LabelFacts, SplitFacts
from .record_stream import StreamFacts

if TYPE_CHECKING:
    import polars as pl

# 2: `protocol.min_events` is what was asked, `counts.short_limit` the limit in force.
RECORD_VERSION = 2
# Columns of `RunRecord.scores`.
SCORES = ("unit", "score", "label", "verdict")


@dataclass(repr=False)
class RunRecord:
    """Everything about one run; `logbench run --json` prints exactly this.

    Its sections and their keys are described in [the record of a run](record.md), which is made from
    `logbench.api.record_sections`.
    """

    run_id: str
    started: str
    model: str
    command: str = ""
    record_version: int = RECORD_VERSION
    isolation: Literal["worker", "in-process"] = "in-process"
    status: Literal["ok", "error", "skipped"] = "ok"
    error: ErrorFacts | None = None
    plugins: dict[str, PluginFacts] = field(default_factory=dict)
    components: Components = field(default_factory=Components)
    dataset: DatasetFacts = field(default_factory=DatasetFacts)
    protocol: dict[str, Any] = field(default_factory=dict)
    preset: str = ""
    config: Config = field(default_factory=Config)
    embedding: EmbeddingFacts = field(default_factory=EmbeddingFacts)
    seed: int = 0
    stochastic: bool = True
    needs: list[str] = field(default_factory=list)
    baseline: bool = False
    public_text: list[str] = field(default_factory=list)
    sealed: SealedFacts = field(default_factory=SealedFacts)
    split: SplitFacts = field(default_factory=SplitFacts)
    labels: LabelFacts = field(default_factory=LabelFacts)
    audit: AuditFacts = field(default_factory=AuditFacts)
    training: dict[str, Any] = field(default_factory=dict)
    threshold: ThresholdFacts = field(default_factory=ThresholdFacts)
    counts: Counts = field(default_factory=Counts)
    bound: BoundFacts = field(default_factory=BoundFacts)
    metrics: Metrics = field(default_factory=dict)
    directions: Directions = field(default_factory=dict)
    columns: Columns = field(default_factory=dict)
    trivial: RuleMetrics = field(default_factory=dict)
    stream: StreamFacts = field(default_factory=StreamFacts)
    stages: dict[str, StageFacts] = field(default_factory=dict)
    environment: EnvironmentFacts = field(default_factory=EnvironmentFacts)
    source: SourceFacts = field(default_factory=SourceFacts)
    notes: list[str] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._scores: Callable[[], pl.DataFrame] | None = None

    def __repr__(self) -> str:
        f1 = figures_of(vars(self)).get("f1")
        figure = "" if f1 is None else f", F1 {f1:.3f}"
        return f"RunRecord({self.run_id}: {self.model} on {self.dataset.get('name')}, {self.status}{figure})"

    def _repr_html_(self) -> str:
        return table([vars(self)])

    @property
    def scores(self) -> pl.DataFrame:
        """Scores and verdicts of the test units.

        Columns `unit` (String), `score` (Float64, higher = more anomalous, null where the protocol drops the
        unit), `label` (Int8: 0 normal, 1 anomaly, −1 unknown) and `verdict` (Boolean).

        Raises:
            DataError: the run has none, its files are gone, or the record is not one that `run` returned.
        """
        if self._scores is None:
            raise DataError(f"run {self.run_id} has no scores at hand: its status is {self.status}")
        frame = self._scores()
        return frame.filter(frame["part"] == "test").select(*SCORES)

    def scores_from(self, read: Callable[[], pl.DataFrame]) -> None:
        """Let `scores` be those of the frame that `read()` gives, with a column `part`."""
        self._scores = read

    def as_dict(self) -> Record:
        """JSON values; a number that is not finite becomes None."""
        names = [field.name for field in dataclasses.fields(self)]
        return cast(Record, {name: to_jsonable(getattr(self, name)) for name in names})

    def to_json(self) -> str:
        """One line of JSON."""
        return json_text(self.as_dict())


class RunRecords(list[RunRecord]):
    """The records of several runs: a list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return table(map(vars, self))
