"""What a reporter may have beside what it must have: the stored runs.

Nothing is inherited: `isinstance` looks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from .components import Card, Table
from .model_card import ModelCard

if TYPE_CHECKING:
    import polars as pl


# Units that `Runs.examples` may be asked for.
Which = Literal["top", "found", "false-positives", "missed"]


class Runs(Protocol):
    """What runs stored, read-only, for a reporter: see `ReportsRuns`. `StoredRuns` is one.

    Attributes:
        folder: an empty folder of this report, made when it is first asked for; files may be written into it.
    """

    @property
    def folder(self) -> Path:
        """See above."""

    def scores(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """The stored scores of a run, one row a held-out or test unit.

        Returns:
            Among others `part` (`test` or `held_out`), `unit` (String), `label` (Int8, -1: unknown), `score`
            (Float64, null where the protocol drops the unit), `verdict` (Boolean), `weight` (Float64), `events`
            (Int64, the unit's length), `line` (Int64, of the deciding event, from 0). A run that failed has no
            `score` and `verdict`.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """

    def units(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """The test units that the headline counts: those with a label that the protocol does not drop.

        Returns:
            The columns of `scores`, and the true figures' `weight`: of distinct units where the protocol counts
            these.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """

    def examples(self, record: Mapping[str, Any], which: Which, count: int) -> list[dict[str, Any]]:
        """The `count` most anomalous units of a kind, equal sequences once.

        Returns:
            Of each `unit`, `units` (how many are like it), `label` and `verdict` (in words), `score`, `short`,
            `event` (index of the deciding one, or None), `events`, `file`, `line` (from 1), `raw` and `text` (None
            where the data are gone), `template`, `expected` (templates, or None), `why` (or None), `telling`
            (lines).

        Raises:
            DataError: the scores of this run were not kept, or it has no verdicts.
        """

    def events(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """Every event of a few false alarms, missed and found anomalies, one row an event.

        Returns:
            `unit` (String), `event` (Int64, place in the unit), `key` (Int32), `template`, `training` (Float64,
            the template's share of the events of training), `line` (Int64, from 0, or null), `score` (Float64, of
            the event, −∞ where the model cannot say, null where it has none of events).

        Raises:
            DataError: they were not kept, as of runs of older versions, or are damaged.
        """

    def spread(self, record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The run's stored scores under every choice that the protocol leaves after scoring.

        Returns:
            Of each choice `short`, `unseen`, `threshold`, `duplicates`, `f1` and `in_force` (the run's own).

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """

    def tied(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> Mapping[str, str]:
        """Letters of each model: two that share one are not told apart. Empty where nothing is known.

        Args:
            records: of one data set and protocol, those of the best model first.
        """

    def across(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> Mapping[str, Any] | None:
        """Mean ranks of models over data sets, each of which is one observation (Demšar, JMLR 7, 2006).

        Args:
            records: of each data set those of one protocol.

        Returns:
            `models` (the best first), `datasets`, `values` [models, data sets], `ranks` (mean rank of each model),
            `p_holm`, `friedman` (`chi_square`, `f`, `p`), `critical` (Nemenyi's difference), `tied` (sets of
            models that are not told apart) and `left_out`; None where no two models ran on two data sets.
        """

    def records(self) -> Sequence[Mapping[str, Any]]:
        """Every run of the folder, oldest first, for comparisons beyond those that are reported."""

    def card(self, record: Mapping[str, Any]) -> Card | None:
        """The card of a run's data set; None where it is not installed."""

    def model_cards(self, record: Mapping[str, Any]) -> Sequence[ModelCard]:
        """The cards of a run's model, of a combination those of its members; empty where it is not installed."""

    def published(self, dataset: str) -> Sequence[Table]:
        """Published tables of a data set."""


class ReportsRuns(Protocol):
    """A reporter whose `report` has a second parameter: it reads stored scores and writes files.

    One with a default is something else of the reporter's own, unless it is called `runs`.
    """

    def report(self, records: Sequence[Mapping[str, Any]], runs: Runs) -> str:
        """The text for standard output, without a final newline."""
