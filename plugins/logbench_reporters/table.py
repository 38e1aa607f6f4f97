"""A table of runs for people: what was measured, under which protocol, and what a trivial rule reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tabulate import tabulate

RULE = "unseen_or_short"
METRICS = ("f1", "precision", "recall", "mcc", "auroc", "auprc")


class Table:
    """One row a run, then the rules of each protocol; see `Reporter.report`.

    Args:
        table_format: one that `tabulate` knows.
    """

    def __init__(self, table_format: str) -> None:
        self.format = table_format

    def report(self, records: Sequence[Mapping[str, Any]]) -> str:
        """A heading a comparison (data set, split, protocol), its table, and what went wrong below it."""
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for record in records:
            same = f"{record['dataset']['name']} {record['preset']} {record['protocol']['hash']}"
            groups.setdefault(same, []).append(record)
        return "\n\n".join(f"{_heading(group)}\n\n{self._table(group)}" for group in groups.values())

    def _table(self, records: Sequence[Mapping[str, Any]]) -> str:
        rows = [_row(record) for record in records]
        if all(record["status"] == "ok" for record in records):  # a column that says nothing makes lines wrap
            rows = [{name: cell for name, cell in row.items() if name != "status"} for row in rows]
        rows += list(_rules(records))
        text = tabulate(rows, headers="keys", tablefmt=self.format, floatfmt=".3f", missingval="–")
        return "\n".join([text, *(line for record in records if (line := _failure(record)))])


def _heading(records: Sequence[Mapping[str, Any]]) -> str:
    record = next((record for record in records if record["split"]), records[0])  # skipped ones may have none
    data, protocol, split = record["dataset"], record["protocol"], record["split"]
    simulated = " (SIMULATED: never set against published figures)" if data.get("simulated") else ""
    lines = [f"{data['name']}{simulated}"]
    if split:
        unit = data.get("unit", "session")
        lines.append(
            f"{split['train']:,} {unit}s train ({protocol['train']}, {protocol['content']}), "
            f"{split['held_out']:,} held out, {split['test']:,} tested; split seed {split['seed']}"
        )
    lines.append(
        f"protocol {record['preset']}: short (< {protocol['min_events']} events) {protocol['short']}, "
        f"unseen {protocol['unseen']}, threshold {protocol['threshold']}, headline: {protocol['duplicates']}"
    )
    return "\n".join(lines)


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    found = next(iter(record["metrics"].values()), None) if record["metrics"] else None
    threshold = record.get("threshold") or {}
    source = threshold.get("source")
    named = f" ({source})" if source in {"oracle", "rule"} else ""
    return {
        "model": record["model"],
        "seed": record["seed"],
        **_cells(found, record["protocol"]),
        "threshold": f"{threshold['value']:.4g}{named}" if threshold.get("value") is not None else None,
        "fit s": record["stages"].get("fit", {}).get("wall_s"),
        "score s": record["stages"].get("score", {}).get("wall_s"),
        "status": record["status"],
    }


def _cells(found: Mapping[str, Any] | None, protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Headline metrics, and F1 of the other choice of duplicates beside them."""
    first, second = ("all", "distinct") if protocol["duplicates"] == "all" else ("distinct", "all")
    head, other = ((found or {}).get(name) or {} for name in (first, second))
    return {**{name: head.get(name) for name in METRICS}, f"f1 {second}": other.get("f1")}


def _rules(records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rules of the first run that has them: they do not depend on the model."""
    for record in records:
        if record["trivial"]:
            for name, metrics in record["trivial"].items():
                found = next(iter(metrics.values()), None)
                yield {"model": f"rule: {name.replace('_', ' ')}", **_cells(found, record["protocol"])}
            prevalence = next(iter(record["metrics"].values()))["all"]["prevalence"]
            yield {"model": f"(prevalence {prevalence:.4f})"}
            return


def _failure(record: Mapping[str, Any]) -> str:
    error = record.get("error")
    return f"{record['model']} {record['status']} at {error['stage']}: {error['message']}" if error else ""
