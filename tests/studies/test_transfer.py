"""Trained on one log, tested on another: who trains, what is known, and that no label of the target is seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from click.testing import CliRunner
from labelled_log import CARD, Log, Row, registry, write

from logbench import ConfigError, Context, DatasetComponent, EvaluationProtocol, ModelComponent, Plan, Sessions
from logbench.base.errors import DataError, IncompatibleError
from logbench.base.progress import silent
from logbench.cli import cli
from logbench.data.lines import KeySequences
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines, group_sequences
from logbench.pipeline.near_templates import near_keys
from logbench.pipeline.parsing import learn
from logbench.pipeline.split import split_units
from logbench.pipeline.transfer import joined, transfer_split
from logbench.running import records
from logbench.studies.plans import ModelsRequest
from logbench.studies.transfer import Target, targets_of, transfer, units_of
from logbench.studies.workbench import Workbench
from logbench_parsers.none import Verbatim
from logbench_windowers.column import Column


def rows_of(words: Sequence[str], units: int, seed: int, flip: bool = False) -> list[Row]:
    """Lines of so many units, in random order; some units are anomalous and say `failed`."""
    draw, rows = np.random.default_rng(seed), []
    bad = {unit for unit in range(units) if draw.random() < 0.2}
    for second, unit in enumerate(draw.permutation(np.repeat(np.arange(units), 4)).tolist()):
        text = "failed now" if unit in bad and draw.random() < 0.7 else str(draw.choice(words))
        rows.append((text, int((unit in bad) != flip), second, f"u{unit}"))
    return rows


HERE, THERE = ("open file", "close file", "read block"), ("open file", "close file", "write block now")
TARGET, SOURCE = rows_of(THERE, 40, 2), rows_of(HERE, 30, 1)


def grouped(folder: Path, rows: Sequence[Row], name: str) -> GroupedLines:
    lines = Log().read(write(folder / name, rows))
    return group_lines(read_lines(lines, Column("id"), Verbatim(), silent, True), Verbatim())


def test_both_logs_stand_in_one_and_equal_texts_are_one(tmp_path: Path) -> None:
    target, source = grouped(tmp_path, TARGET, "b.log"), grouped(tmp_path, SOURCE, "a.log")
    both = joined(target, source)
    assert both.messages.to_list() == list(dict.fromkeys([*target.messages, *source.messages]))
    texts, at = both.messages.gather(both.codes).to_list(), 0
    for rows, log, prefix, shift in ((TARGET, target, "", 0), (SOURCE, source, "source ", len(TARGET))):
        for name in log.units["unit"]:
            unit = both.units.row(at, named=True)
            events = range(both.offsets[at], both.offsets[at + 1])
            own = [(line, row) for line, row in enumerate(rows) if row[3] == name]
            assert unit["unit"] == prefix + name
            assert [texts[event] for event in events] == [row[0] for _, row in own]
            assert [int(both.lines[event]) - shift for event in events] == [line for line, _ in own]
            assert unit["label"] == max(row[1] for _, row in own)
            assert (unit["first_line"], unit["last_line"]) == (own[0][0] + shift, own[-1][0] + shift)
            at += 1
    assert at == len(both) == 70 and both.facts["lines"] == len(TARGET) + len(SOURCE)
    assert both.times is not None and both.line_labels is not None and len(both.times) == len(both.codes)


@pytest.mark.parametrize("units", [0, 1, 2, 7, 10])
@pytest.mark.parametrize("seed", [0, 3])
def test_no_unit_of_the_target_trains_and_is_tested(tmp_path: Path, units: int, seed: int) -> None:
    target, source = grouped(tmp_path, TARGET, "b.log"), grouped(tmp_path, SOURCE, "a.log")
    fields: dict[str, Any] = {"train": "random", "train_units": 20, "split_seed": seed, "target_reserve": 10}
    protocol = EvaluationProtocol(**fields, target_units=units)
    own = split_units(source.units, protocol)
    found = transfer_split(joined(target, source), target, own, protocol)
    first_seen = list(dict.fromkeys(row[3] for row in TARGET))
    names = target.units["unit"].to_list()
    assert {names[at] for at in found.test} == set(first_seen[10:]), "all but the first ten, whatever trains"
    adapted = {names[at] for part in (found.train, found.held_out) for at in part if at < 40}
    assert adapted == set(first_seen[:units])
    trained = {at - 40 for at in found.train.tolist() if at >= 40}
    assert trained == set(own.train.tolist())
    held = found.held_out.tolist()
    if units < 2:
        assert {at - 40 for at in held} == set(own.held_out.tolist()), "the threshold is the source's"
    else:
        assert all(at < 40 for at in held) and len(held) == units - units // 2, "or the target's own"
    assert {names[at] for at in found.hidden if at < 40} == adapted
    assert found.reserved == 10 - units
    protocol = EvaluationProtocol(**fields, target_units=10, target_alone=True)
    alone = transfer_split(joined(target, source), target, own, protocol)
    assert (alone.train < 40).all() and len(alone.train) == 5


def test_without_times_units_are_drawn_and_the_given_part_trains_first() -> None:
    units, parts = [f"u{at}" for at in range(30)], ["test"] * 20 + ["train"] * 10
    frame = pl.DataFrame({"unit": units, "keys": [[1, 2, 3]] * 30, "label": [0] * 20 + [1] * 10, "part": parts})
    given, drawn = group_sequences(KeySequences(frame)), group_sequences(KeySequences(frame.drop("part")))
    protocol = EvaluationProtocol(train="random", train_units=20, target_units=8)
    for log, within in ((given, set(range(20, 30))), (drawn, set(range(30)))):
        found = transfer_split(joined(log, drawn), log, split_units(drawn.units, protocol), protocol)
        adapted = {at for part in (found.train, found.held_out) for at in part.tolist() if at < 30}
        assert adapted <= within and len(adapted) == 8 and adapted != set(range(8))
        assert set(found.test.tolist()) == set(range(30)) - adapted
    with pytest.raises(DataError, match="lower --target-units"):
        protocol = EvaluationProtocol(train="random", train_units=20, target_units=30)
        transfer_split(joined(drawn, drawn), drawn, split_units(drawn.units, protocol), protocol)


class Words:
    """Counts of words: nothing is near but what shares words."""

    def fit(self, texts: Sequence[str]) -> None:
        self.words = sorted({word for text in texts for word in text.split()})

    def of(self, texts: Sequence[str]) -> Any:
        return np.array([[text.split().count(word) for word in self.words] for text in texts], dtype=np.float32)


@pytest.mark.parametrize("least", [0.3, 0.7, 1.0])
def test_an_unseen_message_has_the_key_of_the_nearest_template(tmp_path: Path, least: float) -> None:
    log = grouped(tmp_path, [*SOURCE, ("close the file", 0, 999, "x"), ("nothing", 0, 999, "x")], "a.log")
    known = learn(log, np.arange(3), Verbatim())
    keys, plain = near_keys(log, known, Words(), least), known.lookup(log.messages)
    words = sorted({word for text in known.templates for word in text.split()})
    for text, key, before in zip(log.messages, keys.tolist(), plain.tolist(), strict=True):
        if before < known.size:
            assert key == before
            continue
        alike = []
        for template in known.templates:
            a, b = ([one.split().count(word) for word in words] for one in (text, template))
            length = (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
            alike.append(sum(x * y for x, y in zip(a, b, strict=True)) / length if length else 0.0)
        assert key == (alike.index(max(alike)) if max(alike) >= least - 1e-9 else before)
    sequences = group_sequences(KeySequences(pl.DataFrame({"unit": ["a"], "keys": [[1, 2]]})))
    with pytest.raises(IncompatibleError, match="key sequences"):
        near_keys(sequences, known, Words(), 0.5)


class Rare:
    """Scores a unit by its events that training never had; keeps what it was given."""

    given: ClassVar[list[Sessions]] = []

    def fit(self, train: Sessions, context: Context) -> None:
        Rare.given.append(train)

    def score(self, sessions: Sessions, context: Context) -> Any:
        return sessions.unseen.astype(float)


def bench() -> Workbench:
    here = DatasetComponent("there", Log, card=CARD)
    found = registry(
        models=[ModelComponent("rare", Rare)], datasets=[DatasetComponent("log", Log, card=CARD), here]
    )
    return Workbench.here(found)


def plan(folder: Path, rows: Sequence[Row], **protocol: Any) -> Plan:
    settings = {"protocol": {"train": "random", "train_units": 25, "content": "normal", **protocol}}
    return Plan(
        model="rare", dataset="log", data=write(folder / "b.log", rows), source="there",
        source_data=write(folder / "a.log", SOURCE), windower="session", settings=settings, out=folder / "runs",
    )  # fmt: skip


@pytest.mark.parametrize("units", [0, 10])
def test_labels_of_the_target_move_its_metrics_and_nothing_else(tmp_path: Path, units: int) -> None:
    folders = [tmp_path / "true", tmp_path / "flipped"]
    found, Rare.given = [], []
    for folder, flip in zip(folders, (False, True), strict=True):
        folder.mkdir()
        asked = plan(folder, rows_of(THERE, 40, 2, flip), target_units=units, target_reserve=10)
        ((_, record),) = bench().run([asked])
        assert record["status"] == "ok", record["error"]
        scores = pl.read_parquet(folder / "runs" / record["artifacts"]["scores"])
        found.append((record, scores.select(~cs.starts_with("first_anomalous", "label")), scores))
    (true, scores, full), (flipped, others, _) = found
    assert [name for name in scores.columns if not scores[name].equals(others[name])] == []
    assert true["threshold"]["value"] == flipped["threshold"]["value"]
    assert true["metrics"] != flipped["metrics"], "but the figures are of the labels"
    held = full.filter(part="held_out")
    assert held["label"].unique().to_list() == ([-1] if units else [0])
    assert Rare.given[0].labels is None and len(Rare.given[0]) == true["split"]["train"]
    facts = true["split"]["transfer"]
    assert facts is not None and (facts["target_train"], facts["target_held_out"]) == (units // 2, units // 2)
    assert true["dataset"]["source"]["name"] == "there" and len(true["dataset"]["source_digest"]) == 64
    tested = {row[0] for row in TARGET if row[3] in set(full.filter(part="test")["unit"])}
    assert facts["messages"] == len(tested)
    assert facts["same"] + facts["parsed"] + facts["near"] + facts["unseen"] == facts["messages"]
    assert (facts["unseen"] > 0) == (units == 0), "what the target's own units say is known"


def request(folder: Path) -> ModelsRequest:
    one = plan(folder, TARGET)
    names = ("windower", "settings", "out", "source", "source_data")
    fields = {name: getattr(one, name) for name in names}
    return ModelsRequest(models=("rare",), fields=fields, command="", splits=range(2), stochastic_only=True)


def test_a_row_for_each_number_of_units_and_these_units_alone(tmp_path: Path) -> None:
    asked, here = request(tmp_path), bench()
    targets = [Target("log", tmp_path / "b.log"), Target("there", write(tmp_path / "c.log", rows_of(HERE, 30, 5)))]
    rows = list(transfer(asked, targets, [0, 10], "f1", here))
    assert [(row["target"], row["units"], row["alone"]) for row in rows] == [
        (name, *rest) for name in ("log", "there") for rest in ((0, False), (10, False), (10, True))
    ]
    assert [row["tested"] for row in rows] == [30] * 3 + [20] * 3 and len(rows[0]["runs"]) == 2
    assert rows[2]["passed"]["source_train"] == 0 and rows[1]["passed"]["source_train"] > 0
    values = {run["run_id"]: run["metrics"]["log"]["all"]["f1"] for run in records.read(tmp_path / "runs")}
    for row in rows:
        assert row["value"] == pytest.approx(np.mean([values[name] for name in row["runs"]]))


def test_wrong_words_are_said() -> None:
    assert units_of("10, 0,10") == [0, 10] and targets_of("a, b", []) == [Target("a"), Target("b")]
    for wrong in ("", "x", "1,,2", "-1", "1.5"):
        with pytest.raises(ConfigError, match="--target-units"):
            units_of(wrong)
    with pytest.raises(ConfigError, match="one each"):
        targets_of("a,b", [Path("x")])
    with pytest.raises(ConfigError, match="no data set"):
        targets_of(",", [])
    with pytest.raises(ConfigError, match="2 or more"):
        EvaluationProtocol(target_alone=True)


def test_fields_of_transfer_are_refused_in_a_plain_run() -> None:
    words = ["run", "length", "--dataset", "hdfs-sim", "--set", "protocol.target_units=5"]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert "no other data set trains; use logbench transfer" in str(done.exception)


def test_the_command_says_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    words = ["transfer", "new-event", "--source", "hdfs-sim", "--target", "drift-sim", "--target-units", "0,20"]
    words += ["--set", "hdfs-sim.blocks=300", "--set", "drift-sim.jobs=300", "--set", "protocol.train_units=100"]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.exception is None, done.output
    assert "f1 of new-event, trained on hdfs-sim" in done.stdout and "20 alone" in done.stdout
    assert "distinct messages known" in done.stdout and max(map(len, done.stdout.splitlines())) <= 80
    done = CliRunner().invoke(cli, [*words, "--json", "--jobs", "2"], standalone_mode=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(list(records.read(tmp_path / "runs"))) == 3, "all were taken over"
    assert [row["units"] for row in rows] == [0, 20, 20] and all(row["passed"]["messages"] for row in rows)


def test_one_log_is_no_transfer_and_units_of_both_are_said(tmp_path: Path) -> None:
    """Whoever names one log twice, or a part of it under another name, tests what trains."""
    asked = plan(tmp_path, SOURCE)
    ((_, same),) = bench().run([replace(asked, data=asked.source_data)])
    assert same["status"] == "skipped" and "the same log" in same["error"]["message"]
    part = [row for row in SOURCE if row[3] in {"u1", "u2", "u3", "u4"}]
    part[-1] = ("another text", *part[-1][1:])  # so that one unit is another
    ((_, record),) = bench().run([plan(tmp_path, [*part, *(row for row in TARGET if row[3] == "u30")])])
    scores = pl.read_parquet(tmp_path / "runs" / record["artifacts"]["scores"])
    assert record["status"] == "ok" and scores.filter(part="test").height == 5
    own = split_units(grouped(tmp_path, SOURCE, "c.log").units, EvaluationProtocol(**asked.settings["protocol"]))
    names = grouped(tmp_path, SOURCE, "c.log").units["unit"]
    trained = set(names.gather(np.concatenate([own.train, own.held_out])))
    both = len(trained & {"u1", "u2", "u3", "u4"} - {part[-1][3]})
    said = [note for note in record["notes"] if "of the same names and messages" in note]
    assert both and len(said) == 1 and said[0].startswith(f"{both} of 5 tested logs train")
    ((_, apart),) = bench().run([plan(tmp_path, TARGET)])
    assert not any("of the same names and messages" in note for note in apart["notes"])
