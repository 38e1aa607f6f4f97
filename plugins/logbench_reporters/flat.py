"""Reports for machines: every fact in a column of its own, the same in CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from logbench import escaped

from .rows import (
    INTERVALS,
    METRICS,
    Record,
    Row,
    comparisons,
    metrics_shown,
    model_rows,
    over,
    prevalence,
    rule_rows,
    showing,
)


class Flat:
    """CSV with a header, or a JSON list of objects; see `Reporter.report`.

    Args:
        each_seed: one row a run instead of one a model.
        metric: stands beside the usual ones.
    """

    def __init__(self, form: Literal["csv", "json"], each_seed: bool = False, metric: str = "f1") -> None:
        self.form, self.each_seed, self.metric = form, each_seed, metric

    def report(self, records: Sequence[Record]) -> str:
        """Rows of models and rules of all comparisons."""
        frame = pl.DataFrame(flat(records, self.each_seed, self.metric), infer_schema_length=None)
        if self.form == "json":
            return json.dumps(json.loads(frame.write_json()))  # in ASCII, which every terminal has
        texts = pl.col(pl.String).map_elements(_cell, pl.String)
        return frame.with_columns(texts).rename(_cell).write_csv().rstrip("\n")


def _cell(text: str) -> str:
    return escaped(text, "csv")


def flat(records: Sequence[Record], each_seed: bool, metric: str = "f1") -> list[Mapping[str, Any]]:
    """Flatten rows: every fact in a column of its own, `None` if it is missing."""
    result: list[Mapping[str, Any]] = []
    names = metrics_shown(records, metric)
    for group in comparisons(showing(records, names)):
        first = next((record for record in group if record["split"]), group[0])
        data, split = first["dataset"], first["split"]
        rows = [*model_rows(group, each_seed, metric), *rule_rows(group, each_seed, metric)]
        facts = {
            "dataset": data["name"],
            "simulated": bool(data.get("simulated")),
            "digest": data.get("digest"),
            "preset": first["preset"],
            **{
                f"protocol_{name}": first["protocol"][name] for name in ("train", "content", "min_events", "short")
            },
            **{f"protocol_{name}": first["protocol"][name] for name in ("unseen", "threshold", "duplicates")},
            **{name: split.get(name) for name in ("train", "held_out", "test")},
            "prevalence": prevalence(group),
            **({"procedure": first["protocol"]["procedure"]} if any(row.learned for row in rows) else {}),
            "contended": max(record["environment"].get("contended", 0) for record in group),
        }
        what = over(rows)
        result += [
            {
                **_facts(row, metric, names),
                "interval": f"95% t over {what}" if row.bounds else None,
                **facts,
                **_tested(row),
                **({"learned": row.learned} if row.learned else {}),
                **({"marks": "; ".join(row.marks)} if row.marks else {}),
            }
            for row in rows
        ]
    return result


def _tested(row: Row) -> dict[str, float]:
    """Prevalence of the row's own units, because rows of one table may have different units."""
    return {} if row.prevalence is None else {"prevalence": row.prevalence}


def _facts(row: Row, metric: str, names: Sequence[str]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": row.name,
        "deterministic": None if row.kind == "rule" else not row.counted,
        "runs": row.runs,
        "failed": row.failed,
        "status": row.status,
        "reason": row.reason or None,
        "seeds": " ".join(map(str, row.seeds)) or None,
        "split_seeds": " ".join(map(str, row.splits)),
        **{name: row.metrics.get(name) for name in dict.fromkeys((*METRICS, *names))},
        "tied": row.tied or None,
        "f1_other_duplicates": row.other,
        **{
            f"{name}_{end}": row.bounds.get(name, (None, None))[at]
            for name in dict.fromkeys((*INTERVALS, metric))
            for at, end in enumerate(("low", "high"))
        },
        "threshold": row.threshold,
        "threshold_exact": None if row.threshold is None else repr(row.threshold),
        "threshold_source": row.source,
        **row.cost.as_dict(),
        "short": row.short,
        "short_limit": row.limit,
    }
