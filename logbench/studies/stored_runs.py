"""What runs of a folder stored, for reporters: records, scores, examples with raw lines, and what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..api.optional_reporters import Which
from ..api.record import RunRecord
from ..base.errors import ConfigError, DataError, LogbenchError
from ..components.model_cards import card_of
from ..components.registry import Registry
from ..running import records, run_names, stored
from ..running.resolve import stored_dataset
from ..running.stored import table

if TYPE_CHECKING:
    import polars as pl

    from ..api.components import Card, Table
    from ..api.model_card import ModelCard
    from ..api.record_sections import Record

# Folder beside the records for the files that reporters write.
REPORTS = "reports"


class StoredRuns:
    """The runs that are stored in a folder, for reporters: see `Runs`.

    Example:

        Picture().report([record.as_dict() for record in records], logbench.StoredRuns("runs"))

    Args:
        out: the folder of the records.
        name: begins the name of the folder for files, `OUT/reports/TIME-NAME-NUMBER`.
        registry: knows data sets and published tables; by default all installed plugins.
        file: of the records in that folder, by default `records.jsonl`.
    """

    def __init__(
        self, out: str | Path = "runs", name: str = "report", *, registry: Registry | None = None, file: str = ""
    ) -> None:
        self.out, self._name, self._known, self._file = Path(out), name, registry, file
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """An empty folder for files of this report, made when it is first asked for."""
        if self._folder is None:
            self._folder = self.out / REPORTS / run_names.new_run(self._name)["run_id"]
            self._folder.mkdir(parents=True)
        return self._folder

    @property
    def written(self) -> list[Path]:
        """The files that were written into `folder`, in order of name."""
        if self._folder is None:
            return []
        return sorted(path for path in self._folder.rglob("*") if path.is_file())

    def find(self, run: str) -> Record:
        """The record whose id is or begins with `run`; `last` is the newest.

        Raises:
            DataError: no record or several match, or the record is damaged or of an unknown version.
        """
        return run_names.find(run, self.out)

    def records(self) -> list[Record]:
        """Every record of the folder, oldest first; empty where there is none."""
        name = self._file or records.FILE
        return list(records.read(self.out, name)) if (self.out / name).exists() else []

    def scores(self, record: Mapping[str, Any] | RunRecord) -> pl.DataFrame:
        """The stored scores of a run, one row a held-out or test unit: see `Runs.scores`.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """
        return records.scores(_record(record), self.out)

    def artifact(self, record: Mapping[str, Any] | RunRecord, name: str = "scores") -> Path:
        """The file of a table that a run stored, to copy it; its digest is that of the record.

        Raises:
            DataError: the run has none, or it is gone or changed.
        """
        return stored.sound(_record(record), self.out, name)

    def units(self, record: Mapping[str, Any] | RunRecord) -> pl.DataFrame:
        """The units that the headline counts: see `Runs.units`.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """
        from .compare import headline_units

        return headline_units(_record(record), self.out)

    def interval(
        self, record: Mapping[str, Any] | RunRecord, metric: str = "f1", *, by_sequence: bool = False
    ) -> tuple[float, float] | None:
        """The 95% interval of a metric of one run.

        Args:
            metric: `f1`, `precision`, `recall` or `mcc`.
            by_sequence: take sets of equal sequences for draws, and leave room for those that were not drawn: how
                sure the metric is where other sequences may come. By default the test units are the draws.

        Returns:
            Its ends; None where the metric is another one, or the draws are too few to say.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """
        from ..evaluation.cells import METRICS
        from ..evaluation.intervals import interval

        if metric not in METRICS:
            return None
        found = interval(self.units(record), metric, by_sequence=by_sequence)
        return None if found.low is None or found.high is None else (found.low, found.high)

    def examples(self, record: Mapping[str, Any] | RunRecord, which: Which, count: int) -> list[dict[str, Any]]:
        """Units with their deciding raw line: see `Runs.examples`.

        Raises:
            DataError: the scores of this run were not kept, or it has no verdicts.
        """
        from .ranked_units import described

        return described(_record(record), self.out, which, count, self._registry)

    def events(self, record: Mapping[str, Any] | RunRecord) -> pl.DataFrame:
        """Every event of a few units: see `Runs.events`.

        Raises:
            DataError: they were not kept, as of runs of older versions, or are damaged.
        """
        known = _record(record)
        shown = table(
            known, self.out, "shown"
        )  # first: a run without it is old, and its templates lack `training`
        templates = table(known, self.out, "templates").unique("key", keep="first")
        names = templates.select("key", "template", "training")
        units = self.scores(known).select("index", "unit")
        shown = shown.join(units, on="index", how="left", maintain_order="left")
        return shown.join(names, on="key", how="left", maintain_order="left")

    def spread(self, record: Mapping[str, Any] | RunRecord) -> list[dict[str, Any]]:
        """F1 under every choice of the protocol that acts after scoring: see `Runs.spread`.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """
        from .protocol_spread import protocol_spread

        return list(protocol_spread(_record(record), self.out))

    def tied(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> dict[str, str]:
        """Letters of models that are not told apart: see `Runs.tied`."""
        from .ties import all_pairs

        return all_pairs([cast("Record", one) for one in records], metric, self.out).letters()

    def across(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> dict[str, Any] | None:
        """Mean ranks of models over data sets: see `Runs.across`."""
        from .many_datasets import across

        try:
            return asdict(across([cast("Record", one) for one in records], metric))
        except (DataError, ConfigError):
            return None

    def card(self, record: Mapping[str, Any] | RunRecord) -> Card | None:
        """The card of a run's data set; None where it is not installed."""
        data = _record(record)
        try:
            config = data["config"].get("dataset", {})
            return stored_dataset(data["dataset"]["name"], config, self._registry).item.card
        except LogbenchError:
            return None

    def model_cards(self, record: Mapping[str, Any] | RunRecord) -> list[ModelCard]:
        """The cards of a run's model, of a combination those of its members; empty where it is not installed."""
        try:
            entry = self._registry.get("model", _record(record)["model"])
        except LogbenchError:
            return []
        items = {one.item.name: one.item for one in entry.members or (entry,)}
        return [card for item in items.values() if (card := card_of(item)) is not None]

    def published(self, dataset: str) -> list[Table]:
        """Published tables of a data set."""
        tables = [entry.item for entry in self._registry.tables.values()]
        return [table for table in tables if table.dataset == dataset]

    @property
    def _registry(self) -> Registry:
        if self._known is None:
            self._known = Registry()
        return self._known


def _record(given: Mapping[str, Any] | RunRecord) -> Record:
    return given.as_dict() if isinstance(given, RunRecord) else cast("Record", given)
