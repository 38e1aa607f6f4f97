"""Records of real runs on tiny data, of every kind that a reporter may get."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ..api.components import (
    Card,
    DatasetComponent,
    EvaluatorComponent,
    ModelComponent,
    ParserComponent,
    Preset,
    Table,
    WindowerComponent,
)
from ..api.contracts import Context
from ..api.model_card import ModelCard
from ..api.optional_reporters import Which
from ..api.traits import ModelTraits
from ..base.errors import DataError
from ..base.temporary_folders import temporary_folder
from ..components.registry import Registry
from ..data.lines import Lines
from ..data.sessions import Sessions
from ..running.runner import run
from .parser_stub import Whole
from .registries import registry


class _Data:
    """Thirty sessions of three or four lines; every fifth is anomalous."""

    labelled = True

    def read(self, path: Path) -> Lines:
        rows = [
            (f"s{n}", f"step {step}")
            for n in range(30)
            for step in ("a", "b", "c", "odd")[: 4 if n % 5 == 4 else 3]
        ]
        frame = pl.DataFrame(rows, schema=["id", "message"], orient="row").with_row_index("line")
        return Lines(frame.lazy(), files=[path], labels=self.labels if self.labelled else None)

    def labels(self) -> pl.DataFrame:
        label = pl.Series([int(n % 5 == 4) for n in range(30)], dtype=pl.Int8)
        return pl.DataFrame({"unit": [f"s{n}" for n in range(30)], "label": label})


class _Unlabelled(_Data):
    labelled = False


class _Windower:
    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit="id")


class _Length:
    def fit(self, train: Sessions, context: Context) -> None:
        """Nothing to learn."""

    def score(self, sessions: Sessions, context: Context) -> Any:
        return sessions.lengths + 0.5


class _Failing(_Length):
    def fit(self, train: Sessions, context: Context) -> None:
        raise ValueError("what the model said")


class _Usual:
    of_units = True
    directions: ClassVar[Mapping[str, str]] = dict.fromkeys(("precision", "recall", "f1"), "higher")

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        truth, alarm = units["label"].to_numpy() == 1, units["verdict"].to_numpy()
        tp, fp, fn, tn = (
            float((a & b).sum()) for a, b in ((truth, alarm), (~truth, alarm), (truth, ~alarm), (~truth, ~alarm))
        )
        f1 = 2 * tp / max(2 * tp + fp + fn, 1.0)
        both = f1 if 0 < truth.sum() < len(truth) else None
        alike = {
            **dict.fromkeys(("precision", "recall", "f1"), f1),
            **dict.fromkeys(("mcc", "auroc", "auprc"), both),
        }
        return {"tp": tp, "fp": fp, "tn": tn, "fn": fn, **alike, "prevalence": float(truth.mean())}


class _Other:
    directions: ClassVar[Mapping[str, str]] = {"cost": "lower"}

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        return {"cost": float(len(units)), "undefined": None}


def _registry() -> Registry:
    card = Card(title="tiny", label="l", parser="tiny", windower="tiny", protocol="tiny", layout="nothing")
    protocol = {"train_units": 10, "held_out": 0.2, "threshold": "fixed"}
    return registry(
        plugins=False,
        datasets=[DatasetComponent("tiny", _Data, card=card), DatasetComponent("bare", _Unlabelled, card=card)],
        parsers=[ParserComponent("tiny", Whole)],
        windowers=[WindowerComponent("tiny", _Windower)],
        models=[
            ModelComponent("length", _Length, traits=ModelTraits(fixed_threshold=4.0)),
            ModelComponent("failing", _Failing, traits=ModelTraits(fixed_threshold=4.0)),
            ModelComponent("timed", _Length, traits=ModelTraits(needs=frozenset({"times"}))),
        ],
        evaluators=[EvaluatorComponent("usual", _Usual, default=True), EvaluatorComponent("other", _Other)],
        presets=[Preset(name="tiny", summary="", source="", protocol=protocol)],
    )


@cache
def _made() -> tuple[Sequence[dict[str, Any]], Mapping[str, pl.DataFrame]]:
    """The records, and their tables of scores by name of the artifact."""
    known, found = _registry(), list[dict[str, Any]]()
    with temporary_folder() as folder:
        (data := folder / "data").touch()
        shared: dict[str, Any] = {"registry": known, "data": data, "out": folder, "cache": False}
        asked: list[tuple[Any, str, dict[str, Any]]] = [
            (["length", "failing", "timed"], "tiny", {"seeds": (0, 1)}),
            ("length", "bare", {}),
            ("length", "tiny", {"settings": {"dataset": {"normal_total": 1e6}}}),
            ("length", "tiny", {"settings": {"protocol": {"duplicates": "unique", "short": "drop"}}}),
            ("length", "tiny", {"evaluators": ("other",)}),
        ]
        for models, dataset, more in asked:
            found += [dict(record.as_dict()) for record in run(models, dataset=dataset, **shared, **more)]
        names = [str(record["artifacts"]["scores"]) for record in found if "scores" in record["artifacts"]]
        return found, {name: pl.read_parquet(folder / name) for name in names}


def records() -> list[dict[str, Any]]:
    """Copies of records as `logbench run --json` prints them.

    Runs with status `ok` and two seeds, `error`, `skipped`; and `ok` without labels, with weighted units, with
    distinct units as the headline, and with metrics of another evaluator only.
    """
    return copy.deepcopy(list(_made()[0]))


@dataclass(frozen=True)
class TinyRuns:
    """The runs of `records()`, as a reporter gets them: see `logbench.Runs`.

    Attributes:
        folder: where the reporter may write.
    """

    folder: Path

    def scores(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """Stored scores of one of the records.

        Raises:
            DataError: the run has none.
        """
        name = record["artifacts"].get("scores")
        if name is None:
            raise DataError(f"run {record['run_id']} has no scores: its status is {record['status']}")
        return _made()[1][name].clone()

    def units(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """Labelled test units of one of the records, each of them.

        Raises:
            DataError: the run has none.
        """
        chosen = (pl.col("part") == "test") & (pl.col("label") >= 0) & pl.col("verdict").is_not_null()
        return self.scores(record).filter(chosen)

    def examples(self, record: Mapping[str, Any], which: Which, count: int) -> list[dict[str, Any]]:
        """No examples: the raw lines of these runs are nowhere."""
        return []

    def events(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """Nothing is known of single events.

        Raises:
            DataError: always.
        """
        raise DataError(f"run {record['run_id']} has no shown events")

    def spread(self, record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Nothing is known of other protocols."""
        return []

    def across(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> Mapping[str, Any] | None:
        """None: the samples are of one data set."""
        return None

    def tied(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> Mapping[str, str]:
        """Nothing is known of ties."""
        return {}

    def records(self) -> Sequence[Mapping[str, Any]]:
        """The records of this module."""
        return records()

    def card(self, record: Mapping[str, Any]) -> None:
        """The data set has none."""

    def model_cards(self, record: Mapping[str, Any]) -> Sequence[ModelCard]:
        """The model has none."""
        return []

    def published(self, dataset: str) -> Sequence[Table]:
        """Nothing is published."""
        return []
