"""Stored scores as a ranked list of units, with the deciding raw line, its template, and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from ..api.optional_reporters import Which
from ..api.record_sections import Record
from ..base.errors import DataError, LogbenchError
from ..components.configured import configured
from ..components.registry import Registry
from ..data.lines import Lines
from ..reading.data_parts import open_data
from ..running import records
from ..running.log_digest import digest_of
from ..running.resolve import stored_dataset
from ..running.stored import part, table


def ranked(frame: pl.DataFrame, which: Which, count: int) -> pl.DataFrame:
    """The `count` most anomalous test units of a kind, equal sequences once (`units` says how many).

    Ties in score are broken by the negative log-likelihood where the model has one.
    """
    wanted = {
        "top": pl.lit(True),
        "found": pl.col("verdict") & (pl.col("label") == 1),
        "false-positives": pl.col("verdict") & (pl.col("label") == 0),
        "missed": ~pl.col("verdict") & (pl.col("label") == 1),
    }[which]
    keys = ["score", *(["nll"] if "nll" in frame.columns else [])]
    chosen = frame.filter((pl.col("part") == "test") & pl.col("score").is_not_null() & wanted)
    chosen = chosen.sort(keys, descending=True, nulls_last=True, maintain_order=True)
    sizes = chosen.group_by("sequence", "label").agg(units=pl.len())
    first = chosen.unique(["sequence", "label"], keep="first", maintain_order=True).head(count)
    return first.join(sizes, on=["sequence", "label"], how="left", maintain_order="left", nulls_equal=True)


def described(record: Record, folder: Path, which: Which, count: int, registry: Registry) -> list[dict[str, Any]]:
    """Rows for people: `unit`, `units` like it, `label`, `score`, `verdict`, `event`, `file`, `line` (from 1,
    in that file where the data set names it, else of all), `raw`, `text` (without what all lines begin with),
    `template`, `expected` (templates, likeliest first), `why` (a line a reason) and `telling` (lines that show
    what is unusual about the counts, each with `file`, `line`, `raw` and `text`).

    `file` and `raw` are None where the data are gone or have changed since.

    Raises:
        DataError: the run has no scores, or none that it decided by.
    """
    scores = records.scores(record, folder)
    if record["status"] != "ok":
        raise DataError(
            f"run {record['run_id']} has scores but no verdicts: its status is {record['status']}"
            f"{_why(record)}; decide from its scores: logbench rescore {record['run_id']} --set protocol.KEY=VALUE"
        )
    frame = ranked(scores, which, count)
    templates = table(record, folder, "templates")
    names = dict(zip(templates["key"], templates["template"], strict=True))
    told = frame["telling"].explode().drop_nulls().to_list() if "telling" in frame.columns else []
    raw = raw_lines(record, [*frame["line"].drop_nulls().to_list(), *told], registry)
    return [
        {
            "unit": row["unit"],
            "units": row["units"],
            "label": {0: "normal", 1: "anomaly"}.get(row["label"], "unknown"),
            "score": row["score"],
            "verdict": "alarm" if row["verdict"] else "no alarm",
            "short": row["short"],
            "event": row["decided_by"] if row["decided_by"] is not None and row["decided_by"] >= 0 else None,
            "events": row["events"],
            **raw.get(row["line"], {"file": None, "line": _from_one(row["line"]), "raw": None, "text": None}),
            "telling": [raw[line] for line in row.get("telling") or [] if line in raw],
            "template": names.get(row["key"]),
            "expected": [names[key] for key in row["expected"]] if row["expected"] is not None else None,
            "why": row.get("why"),
        }
        for row in frame.iter_rows(named=True)
    ]


def _why(record: Record) -> str:
    return f" ({record['error']['message']})" if record["error"] else ""


def _from_one(line: int | None) -> int | None:
    return None if line is None else line + 1


def raw_lines(record: Record, numbers: list[int], registry: Registry) -> dict[int, dict[str, Any]]:
    """`raw`, `text`, `file` and `line` (from 1) of lines (from 0) of the run's data; none where they are gone or
    have changed."""
    data = record["dataset"]
    try:
        entry = stored_dataset(data["name"], part(record, "config", "dataset"), registry)
        path, digest = Path(part(record, "dataset", "path")), part(record, "dataset", "digest")
        dataset = configured(entry, part(record, "config", "dataset"))
        opened = open_data(dataset.build(), dataset.name, path)
        if not isinstance(opened, Lines) or not numbers or digest_of(opened.files, path) != digest:
            return {}
        found = opened.located().filter(pl.col("number").is_in(numbers)).collect(engine="streaming")
    except (LogbenchError, OSError):
        return {}
    return {row.pop("number"): row for row in found.iter_rows(named=True)}


def unlabelled_hint(which: Which, record: Record) -> None:
    """Raises DataError where a kind that needs labels is asked of a run that failed or has none."""
    if which != "top" and not record["metrics"]:
        if error := record["error"]:
            raise DataError(f"run {record['run_id']} failed, so {which} cannot be told: {error['message']}")
        raise DataError(f"run {record['run_id']} has no labels: {which} cannot be told; use --top")
