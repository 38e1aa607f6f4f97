"""Tables of a leaderboard: one a data set and protocol, a row a model and configuration, each with its runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import DataError, StoredRuns, signed_by

from ..marks import marks_of
from ..report.study import Study, newest, value_of
from ..rows import Row, best_row, lower_is_better, metrics_shown, model_rows, rule_rows, showing
from .names import data_of, digest, facts_of, labels_of, protocol_of, slug

if TYPE_CHECKING:
    from logbench import Card

Record = Mapping[str, Any]
# Sources of a threshold that see labels of what is tested, or of held-out anomalies.
OF_LABELS = ("oracle", "labelled")


@dataclass(frozen=True)
class Entry:
    """One row: a model and configuration under one protocol on one data set.

    Attributes:
        row: its figures, means over `runs`. value: of the metric that ranks; None where it has none.
        rank: among the rows of models; equal values share one; None without a value.
        over: value less that of the best rule. runs: the newest of each seed and split, as recorded.
        before: older runs of the same, oldest first. label_free: neither model nor threshold saw a label.
    """

    row: Row
    key: str
    value: float | None
    rank: int | None
    over: float | None
    runs: Sequence[Record]
    before: Sequence[Record]
    label_free: bool

    @property
    def model(self) -> str:
        return self.row.name

    @property
    def newest(self) -> str:
        """When its newest run began."""
        return max(str(run["started"]) for run in self.runs)

    @property
    def dates(self) -> list[tuple[str, list[Record]]]:
        """Runs that worked by day, oldest first."""
        days: dict[str, list[Record]] = {}
        for run in sorted([*self.before, *self.runs], key=lambda run: str(run["started"])):
            if run["status"] == "ok" and run["metrics"]:
                days.setdefault(str(run["started"])[:10], []).append(run)
        return list(days.items())


@dataclass(frozen=True)
class Table:
    """Runs that may be ranked together.

    Attributes:
        data: name of the data set's page. protocol: name of the protocol's page. label: what tells the protocol
            from others of the site.
    """

    data: str
    protocol: str
    fields: Mapping[str, Any]
    label: str
    records: Sequence[Record]
    metric: str
    runs: StoredRuns | None = None

    @property
    def first(self) -> Record:
        """A record that knows most of the data."""
        return next((one for one in self.records if one["split"]), self.records[0])

    @property
    def key(self) -> str:
        return f"{self.data}-{self.protocol}"

    @property
    def label_free(self) -> bool:
        """Whether the protocol's threshold is chosen without labels."""
        return self.fields["threshold"] not in OF_LABELS

    @cached_property
    def lower(self) -> bool:
        return bool(lower_is_better(self._shown, [self.metric]))

    @cached_property
    def _shown(self) -> list[Record]:
        """Records with figures of other evaluators in the headline, where the metric may be."""
        return showing(self.records, metrics_shown(self.records, self.metric))

    @cached_property
    def newest(self) -> list[Record]:
        """The newest run of each seed and split, with figures of other evaluators in the headline."""
        return newest(self._shown)

    @cached_property
    def rules(self) -> list[Row]:
        return rule_rows(self.newest, metric=self.metric)

    @cached_property
    def best_rule(self) -> Row | None:
        return best_row(self.rules, self.metric, self.lower)

    @cached_property
    def tied(self) -> Mapping[str, str]:
        """Letters of models; two that share one are not told apart. Empty where scores are in several folders."""
        good = [run for entry in self.entries for run in entry.runs if run["status"] == "ok"]
        if self.runs is None or len({run["model"] for run in good}) < 2:
            return {}
        return Study(good, self.metric, self.runs).tied

    @cached_property
    def entries(self) -> list[Entry]:
        """The best first, those without a value last."""
        original = {record["run_id"]: record for record in self.records}
        latest = {record["run_id"] for record in newest(self.records)}
        groups: dict[str, list[Record]] = {}
        for record in self._shown:
            groups.setdefault(_configured(record), []).append(record)
        best = self.best_rule.metrics[self.metric] if self.best_rule else None
        made = []
        for key, group in groups.items():
            runs = [one for one in group if one["run_id"] in latest]
            (row,) = model_rows(runs, metric=self.metric)
            value = row.metrics.get(self.metric) if row.runs else None
            free = self.label_free and not any(map(_saw_labels, runs))
            row.marks = marks_of([original[one["run_id"]] for one in runs if one["status"] == "ok"], signed_by)
            ids = [[one["run_id"] for one in group if (one["run_id"] in latest) is now] for now in (True, False)]
            made.append((row, key, value, [[original[run] for run in of] for of in ids], free))
        sign = 1 if self.lower else -1
        made.sort(key=lambda one: (one[2] is None, sign * (one[2] or 0.0), one[0].name))
        values = [value for _, _, value, _, _ in made]
        return [
            Entry(
                row,
                f"{slug(row.name)}-{key}",
                value,
                None if value is None else 1 + values.index(value),
                None if value is None or best is None else value - best,
                now,
                before,
                free,
            )
            for row, key, value, (now, before), free in made
        ]

    def best(self) -> dict[str, Entry]:
        """The best label-free row of each model that has one, the best model first."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.label_free and entry.value is not None:
                found.setdefault(entry.model, entry)
        return found

    def configurations(self, model: str) -> int:
        """Label-free rows of a model, of which `best` is one."""
        return sum(entry.model == model and entry.label_free for entry in self.entries)


@dataclass(frozen=True)
class Board:
    """Every table of a site.

    Attributes:
        tables: by data set, the protocol with most rows first. homeless: runs that failed before their data were
            read, and stand in no table. folders: run → where its scores are.
    """

    tables: Sequence[Table]
    metric: str
    homeless: Sequence[Record] = ()
    folders: Mapping[str, StoredRuns] = field(default_factory=dict)

    def of_data(self, data: str) -> list[Table]:
        return [table for table in self.tables if table.data == data]

    def of_protocol(self, protocol: str) -> list[Table]:
        return [table for table in self.tables if table.protocol == protocol]

    @property
    def data(self) -> list[str]:
        return list(dict.fromkeys(table.data for table in self.tables))

    @property
    def protocols(self) -> dict[str, str]:
        """Name of the page → what tells it from others."""
        return {table.protocol: table.label for table in self.tables}

    @property
    def models(self) -> list[str]:
        return sorted({entry.model for table in self.tables for entry in table.entries}, key=str.lower)

    def titles(self) -> dict[str, str]:
        """Data set → its name, and what tells it from others of the same name."""
        firsts = {data: self.of_data(data)[0].first for data in self.data}
        made = {}
        for data, record in firsts.items():
            name = str(record["dataset"]["name"])
            named = [one for one in firsts.values() if one["dataset"]["name"] == name]
            told = labels_of([facts_of(one) for one in named])[named.index(record)] if len(named) > 1 else ""
            made[data] = f"{name} ({told})" if told else name
        return made

    def card(self, data: str) -> Card | None:
        """The card of a data set; None where its plugin is not installed."""
        record = self.of_data(data)[0].first
        return self.folders[record["run_id"]].card(record)


def board(paths: Iterable[Path], metric: str = "f1", registry: Any = None) -> Board:
    """Read records and sort them into tables.

    Args:
        paths: folders of records, or their files. metric: what ranks. registry: by default all installed plugins.

    Raises:
        DataError: there is no record.
    """
    found: dict[str, Record] = {}
    folders: dict[str, StoredRuns] = {}
    for path in paths:
        folder = path if path.is_dir() else path.parent
        runs = StoredRuns(folder, "site", registry=registry, file="" if path.is_dir() else path.name)
        for record in runs.records():
            if found.setdefault(record["run_id"], record) is record:
                folders[record["run_id"]] = runs
    groups, homeless = _grouped(sorted(found.values(), key=lambda one: str(one["started"])))
    if not groups:
        raise DataError("no record of a run that read its data, so there is no table; run something first")
    fields = {protocol: protocol_of(of[0]) for (_, protocol), of in groups.items()}
    labels = dict(zip(fields, labels_of(list(fields.values())), strict=True))
    tables = []
    for (data, protocol), of in groups.items():
        own = {id(folders[record["run_id"]]): folders[record["run_id"]] for record in of}
        runs_of = next(iter(own.values())) if len(own) == 1 else None
        tables.append(Table(data, protocol, fields[protocol], labels[protocol], of, metric, runs_of))
    tables.sort(key=lambda one: (one.data, not one.label_free, -len(one.records), one.label))
    return Board(tables, metric, homeless, folders)


def _grouped(records: Iterable[Record]) -> tuple[dict[tuple[str, str], list[Record]], list[Record]]:
    """Records by data set and protocol, and those that failed before it was known which data they have."""
    groups: dict[tuple[str, str], list[Record]] = {}
    early = []
    for record in records:
        if record["dataset"].get("digest") is None:
            early.append(record)
            continue
        name = slug(record["dataset"]["name"])
        key = f"{name}-{digest(data_of(record))[:8]}", digest(protocol_of(record))[:8]
        groups.setdefault(key, []).append(record)
    homeless = []
    for record in early:
        homes = [of for of in groups.values() if _alike(record, of[0])]
        if len(homes) == 1:
            homes[0].append(record)
        else:
            homeless.append(record)
    return groups, homeless


def _alike(record: Record, other: Record) -> bool:
    """Whether a run that read nothing was asked for what another one read."""
    bare = {**other, "dataset": {**other["dataset"], "digest": None}}
    same = {**record, "dataset": {**other["dataset"], **record["dataset"], "digest": None}}
    return data_of(bare) == data_of(same) and protocol_of(record) == protocol_of(other)


def _configured(record: Record) -> str:
    return digest([record["config"], json.dumps(record["model"])])[:8]


def _saw_labels(record: Record) -> bool:
    """Whether labels reached the model or the threshold in force."""
    given = record["audit"].get("labels", "none") != "none"
    told = record["audit"].get("stream", {}).get("told", 0) > 0
    return given or told or record["threshold"].get("source") in OF_LABELS


def value(record: Record, metric: str) -> float | None:
    """A figure of one run; None where it has none."""
    return value_of(record, metric) if record["status"] == "ok" else None
