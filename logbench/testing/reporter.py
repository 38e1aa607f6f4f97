"""Rules for reporters: they give a text for any records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ..running.reporting import reported
from .outcome import expect
from .records import TinyRuns, records
from .rule import Subject, rule
from .side_effects import watched


def report(subject: Subject, some: list[dict[str, Any]], folder: Path | None = None) -> str:
    """Build the reporter and make its text.

    Args:
        folder: where it may write; None: a new folder.
    """
    actual = reported(subject.build(), some, TinyRuns(folder or subject.fresh("report")))
    expect(isinstance(actual, str), "report to return a text", type(actual).__name__)
    text: str = actual
    return text


def with_metrics(some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records with metrics of units."""
    return [record for record in some if record["status"] == "ok" and record["metrics"].get("session")]


@rule("reporter", "runs", "a run with metrics becomes a text that names its model")
def runs(subject: Subject) -> None:
    some = with_metrics(records())
    text = report(subject, some[:1])
    expect("length" in text, "the model's name in the text", repr(text[:80]))
    expect(not text.endswith("\n"), "no final newline", repr(text[-20:]))


@rule("reporter", "failed", "failed and skipped runs are reported, alone and among others")
def failed(subject: Subject) -> None:
    some = records()
    for status in ("error", "skipped"):
        chosen = [record for record in some if record["status"] == status]
        report(subject, chosen)
        report(subject, [*chosen, *with_metrics(some)[:1]])


@rule("reporter", "unlabelled", "runs without labels, so without metrics, are reported")
def unlabelled(subject: Subject) -> None:
    report(subject, [record for record in records() if record["status"] == "ok" and not record["metrics"]])


@rule("reporter", "weighted", "metrics that are None are reported")
def weighted(subject: Subject) -> None:
    report(
        subject, [record for record in with_metrics(records()) if record["metrics"]["session"]["distinct"] is None]
    )


@rule("reporter", "other-metrics", "runs with the metrics of another evaluator alone are reported")
def other_metrics(subject: Subject) -> None:
    report(subject, [record for record in records() if "other" in record["metrics"]])


@rule("reporter", "many", "all of them together are reported, and none at all")
def many(subject: Subject) -> None:
    report(subject, records())
    report(subject, [])


@rule(
    "reporter",
    "same",
    "the same records give the same text and stay as they were; nothing is printed, or written but in runs.folder",
)
def same(subject: Subject) -> None:
    given, folder = records(), subject.fresh("report")
    with watched(subject.fresh("watched"), folder) as watch:
        first = report(subject, given, folder)
    shutil.rmtree(folder)
    folder.mkdir()  # the text may name its files, so the folder is the same
    expect(first == report(subject, records(), folder), "the same text", "another")
    expect(json.dumps(given) == json.dumps(records()), "the records as they were", "others")
    expect(not watch.faults, "no files, no prints, random states left alone", watch.faults)
