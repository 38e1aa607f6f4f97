"""Examples and the time line of the report page: units of their kind, each once."""

from __future__ import annotations

import json
import re
from datetime import datetime

import polars as pl

from logbench_reporters.report.examples import examples
from logbench_reporters.report.figures.timeline import timeline
from logbench_reporters.report.sections import sections
from logbench_reporters.report.strip import steps
from logbench_reporters.report.study import Study


def test_examples_say_of_how_many_they_are(study: Study) -> None:
    known = study.firsts[0]["metrics"]["session"]["all"]
    (section,) = (one for one in sections(study) if one.name == "examples")
    for kind, total in (("false alarms", "fp"), ("missed anomalies", "fn"), ("found anomalies", "tp")):
        shown = re.search(rf"(\d+) of ([\d,]+) {kind}", section.sentence)
        assert int(shown[2].replace(",", "")) == known[total] if shown else known[total] == 0


def test_the_timeline_counts_every_unit_once(study: Study) -> None:
    units = study.units(study.firsts[0])
    assert units is not None
    figure = timeline("m", units)
    assert figure is not None
    counted = {
        kind: sum(row[kind] for row in figure.table) for kind in ("true alarm", "false alarm", "missed", "units")
    }
    alarm, anomaly = units["verdict"], units["label"] == 1
    assert counted == {
        "true alarm": (alarm & anomaly).sum(),
        "false alarm": (alarm & ~anomaly).sum(),
        "missed": (~alarm & anomaly).sum(),
        "units": len(units),
    }
    assert timeline("m", units.drop("last_time")) is None
    for row in figure.table[:5]:  # the bars to be seen closely are those of the table, in finer stretches
        begin = datetime.fromisoformat(f"{row['from']}+00:00").timestamp() * 1000
        (next_one,) = {one["to"] for one in figure.data["drift"] if abs(one["from"] - begin) < 1000}
        inside = [bar for bar in figure.data["alarms"] if begin - 1000 < bar["from"] < next_one - 1000]
        for kind in ("true alarm", "false alarm", "missed"):
            assert sum(bar["units"] for bar in inside if bar["kind"] == kind) == row[kind]
    upper, lower = figure.marks["vconcat"]
    (zoom,) = lower["params"]
    assert upper["encoding"]["x"]["scale"]["domain"] == {"param": zoom["name"]}
    still = json.dumps(figure.spec(still=True))
    assert zoom["name"] not in still and zoom["name"] in json.dumps(figure.spec())


def test_examples_are_of_their_kind_and_bring_every_event(study: Study) -> None:
    record = next(one for one in study.firsts if one["model"] == "isolation-forest")
    groups, scores = examples(study, record), study.scores(record)
    assert scores is not None
    test = {row["unit"]: row for row in scores.filter(pl.col("part") == "test").iter_rows(named=True)}
    kinds = {"False alarms": (True, 0), "Missed anomalies": (False, 1), "Found anomalies": (True, 1)}
    assert [group["title"] for group in groups] == list(kinds)
    for group in groups:
        for item in group["items"]:
            row = test[item["unit"]]
            assert (row["verdict"], row["label"]) == kinds[group["title"]]
            assert item["strip"] is None or len(item["strip"]["boxes"]) == row["events"]
    assert any(item["strip"] for group in groups for item in group["items"])


def test_steps_follow_the_score_and_else_the_training() -> None:
    inf = float("inf")
    given_events = [
        (5.0, 0.1),
        (3.0, 0.1),
        (1.0, 0.0),
        (inf, 0.1),
        (None, 0.0),
        (None, 1e-5),
        (None, 0.2),
        (-inf, 0.0),
    ]
    events = [{"score": score, "training": training} for score, training in given_events]
    expected = ["strange", "rare", "usual", "strange", "strange", "rare", "usual", "strange"]
    assert steps(events, 4.0) == expected
