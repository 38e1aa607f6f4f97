"""A cut in time for each node or file: the first part of the lines, or of the sessions, of each trains."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import logbench
from logbench import ConfigError
from logbench.api.protocol import EvaluationProtocol
from logbench.data.lines import Lines
from logbench.pipeline.group_split import GroupCuts
from logbench.pipeline.line_split import SIDES
from logbench_windowers.time import Time

PROTOCOL = EvaluationProtocol(train="ratio", train_ratio=0.6, held_out=0.25, test_reserve=0.8, cut="node")


def lines(nodes: str) -> pl.DataFrame:
    """A line a second, each of the node that its letter names; `-`: of none."""
    return pl.DataFrame(
        {
            "line": pl.Series(range(len(nodes)), dtype=pl.UInt32),
            "message": ["work"] * len(nodes),
            "node": pl.Series([None if node == "-" else node for node in nodes], dtype=pl.String),
            "time": pl.Series([10**6 * at for at in range(len(nodes))]).cast(pl.Datetime("us")),
        }
    )


@pytest.mark.parametrize("nodes", ["aab-babbaab-aaabbb" * 5, "a" * 40 + "b" * 10, "ab", "-" * 20])
def test_the_lines_of_each_node_are_cut_as_a_loop_cuts_them(nodes: str) -> None:
    frame = lines(nodes)
    cuts = GroupCuts.of(Lines(frame.lazy()), PROTOCOL)
    windower: Any = cuts.splitting(Time(7 * 10**6, 7 * 10**6, "none"))
    assigned = windower.assign(frame.lazy()).collect()
    seen: dict[str, int] = {}
    counts = dict.fromkeys(SIDES, 0)
    for at, unit in enumerate(assigned["unit"]):
        total, place = nodes.count(nodes[at]), seen.get(nodes[at], 0)
        seen[nodes[at]] = place + 1
        end = round(0.6 * total)
        side = "held-out" if place >= end - round(0.25 * end) else "train"
        side = side if place < end else "reserved" if place < round(0.8 * total) else "test"
        counts[side] += 1
        assert unit.startswith(f"{side} 1970"), (at, unit)
    assert cuts.counted().get("test_lines") == counts["test"]
    assert cuts.counted()["train_lines"] == counts["train"]
    units = assigned.select("unit").unique(maintain_order=True)
    assert [SIDES[side] for side in cuts.unit_sides(units)] == [unit.split(" ")[0] for unit in units["unit"]]


@pytest.mark.parametrize("windower", ["session", "time", "count"])
def test_a_run_trains_on_the_first_part_of_each_file(
    windower: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    for name, first in (("a.log", 0), ("b.log", 5000)):
        text = "".join(f"{first + at} s{name[0]}{at // 4} step {at % 4}\n" for at in range(400))
        (tmp_path / name).write_text(text)
    by = {"session": 'id = "Session"', "time": 'window = "10s"', "count": 'windower = "count"\nwindow = "10"'}
    (tmp_path / "my.toml").write_text(
        'files = ["a.log", "b.log"]\npattern = "<Time> <Session> <Content>"\ntime = "Time"\n'
        f'time_format = "epoch"\n{by[windower]}\n'
    )
    tested = {}
    for cut in ("all", "file"):
        (record,) = logbench.run(
            "new-event", dataset=str(tmp_path / "my.toml"), out=tmp_path / "runs",
            settings={"protocol": {"train_ratio": 0.5, "held_out": 0.2, "cut": cut}},
        )  # fmt: skip
        assert record.error is None, record.error
        tested[cut] = record.scores.filter(pl.col("label") < 1)["unit"].to_list()
        assert (record.audit["chronological"] is None) == (cut == "file")
    if windower == "session":
        assert set(tested["all"]) == {f"sb{n}" for n in range(100)}
        assert set(tested["file"]) == {f"s{file}{n}" for file in "ab" for n in range(50, 100)}
    else:
        assert len(tested["all"]) == len(tested["file"])
        assert set(tested["all"]) != set(tested["file"])


def test_a_cut_that_cannot_be_is_said(tiny_hdfs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cuts in time, but protocol\.train=first does not"):
        EvaluationProtocol(cut="node")
    (record,) = logbench.run(
        "new-event", dataset="hdfs", data=tiny_hdfs, out=tmp_path,
        settings={"protocol": {"train": "ratio", "cut": "node"}},
    )  # fmt: skip
    assert "needs lines with a node" in str(record.error)


# Fields that came later, and change no hash as long as they change nothing.
ADDED = (
    *("cut", "test_label_noise", "procedure", "slices", "slice_units", "without_update"),
    *("feedback_budget", "feedback_delay"),
    *("target_units", "target_reserve", "target_alone", "template_match"),
)


def test_the_hash_of_other_protocols_is_as_before() -> None:
    fields = {name: value for name, value in asdict(EvaluationProtocol()).items() if name not in ADDED}
    text = json.dumps(fields, sort_keys=True).encode()
    assert EvaluationProtocol().digest == hashlib.sha256(text).hexdigest()[:16]
    assert EvaluationProtocol(train="ratio").digest != EvaluationProtocol(train="ratio", cut="node").digest
