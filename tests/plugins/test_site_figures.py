"""Figures of the site beside ranks: where the records have them, once each, with what they do not tell."""

from __future__ import annotations

import copy
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import logbench
from logbench.cli import cli
from logbench_reporters.report.figures.figure import Figure
from logbench_reporters.site.board import Board, board
from logbench_reporters.site.figures import LIMITS, figures_of, limit_of

pytest.importorskip("vl_convert")
SMALL = {"dataset": {"blocks": 400}, "protocol": {"train_units": 120}, "costs": {"fp": 1.0, "fn": 50.0},
         "budget": {"a_day": 30.0}}  # fmt: skip
MODELS = ["new-event", "length"]
ASKED = ("classification", "costs", "budget", "first-alarm", "types", "calibration")
ON_CALL = {"price-curve", "budget-curve", "first-alarm", "types"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with every evaluator of alarms, as it is and disturbed, and one that moved from data to data."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        for dose in ({}, {"unstable": "remove", "unstable_dose": 0.2}):
            settings = {**SMALL, "protocol": {"train_units": 120, **dose}}
            logbench.run(MODELS, dataset="hdfs-sim", settings=settings, out=folder, evaluators=ASKED)
        words = [
            "transfer",
            "new-event",
            "--source",
            "hdfs-sim",
            "--target",
            "drift-sim",
            "--target-units",
            "0,20",
        ]
        words += [
            "--set",
            "hdfs-sim.blocks=300",
            "--set",
            "drift-sim.jobs=300",
            "--set",
            "protocol.train_units=100",
            "--out",
            str(folder),
        ]
        done = CliRunner().invoke(cli, words, standalone_mode=False)
        assert done.exception is None, done.output
    return folder


@pytest.fixture(scope="module")
def made(runs: Path) -> Board:
    return board([runs])


@pytest.fixture(scope="module")
def pages(made: Board, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from logbench_reporters.site.write import write

    out = tmp_path_factory.mktemp("site") / "public"
    write(made, out, "a board", scores=False)
    return {data: (out / f"data/{data}.html").read_text() for data in made.data}


def records_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]


def store(folder: Path, records: list[dict[str, Any]]) -> Path:
    """Records that were changed, without the sums that would tell so."""
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({**one, "checksums": {}}) + "\n" for one in records]
    (folder / "records.jsonl").write_text("".join(lines))
    return folder


def captions(page: str) -> list[str]:
    found = re.findall("<figcaption>(.*?)</figcaption>", page)
    return [html.unescape(re.sub("<[^>]+>", "", one)) for one in found]


def of_source(made: Board, moved: bool) -> Iterator[str]:
    return (data for data in made.data if bool(made.of_data(data)[0].first["dataset"].get("source")) is moved)


def test_a_table_has_the_figures_that_its_runs_were_asked_for(made: Board, pages: dict[str, str]) -> None:
    (data,) = of_source(made, False)
    found = figures_of(made, data)
    plain, disturbed = (
        next(one.protocol for one in made.of_data(data) if one.fields["unstable"] == name)
        for name in ("none", "remove")
    )
    names = {figure.name for figure in found[plain]}
    assert names - {"reliability"} == ON_CALL | {"disturbed-new-event", "disturbed-length"}
    assert found[disturbed] == [], "the curve has the dose, and alarms are those of the logs as they are"
    said = captions(pages[data])
    for figure in found[plain]:
        (caption,) = (one for one in said if one.startswith(f"{figure.title}. {figure.description}"))
        assert caption.endswith(f"What it does not tell: {limit_of(figure)}")
    assert len(said) == len(found[plain]) + 1, "and the ranks by protocol"
    assert len(re.findall("<svg", pages[data])) == len(said)


def test_doses_are_those_of_the_records(runs: Path, made: Board) -> None:
    (data,) = of_source(made, False)
    (figure,) = (one for of in figures_of(made, data).values() for one in of if one.name == "disturbed-length")
    expected = {
        one["protocol"]["unstable_dose"] * (one["protocol"]["unstable"] != "none"): round(
            one["metrics"]["session"]["all"]["f1"], 4
        )
        for one in records_of(runs)
        if one["model"] == "length"
    }
    assert {row["dose"]: row["value"] for row in figure.data["doses"]} == expected and len(expected) == 2


def test_a_transfer_stands_once_on_the_page_of_its_target(made: Board, pages: dict[str, str]) -> None:
    (data,) = of_source(made, True)
    found = [figure for of in figures_of(made, data).values() for figure in of]
    assert [figure.name for figure in found] == ["transfer-new-event"] and len(made.of_data(data)) == 3
    assert {row["units"] for row in found[0].data["transfer"]} == {0, 20}
    assert "trained on" in pages[data] and sum("trained on hdfs-sim" in one for one in captions(pages[data])) == 1


def test_what_another_log_trained_is_not_ranked_with_what_this_one_did(runs: Path, tmp_path: Path) -> None:
    first = records_of(runs)[0]
    moved = [copy.deepcopy(first) | {"run_id": name} for name in ("a", "b")]
    for one in moved:
        source = {"name": one["run_id"], "config": {}, "windower": {}, "components": []}
        one["dataset"] |= {"source": source, "source_digest": "f" * 64}
    found = board([store(tmp_path, [first, *moved])])
    assert sorted(len(table.records) for table in found.tables) == [1, 1, 1]
    assert {f"hdfs-sim (source={name})" for name in ("a", "b", "none")} == set(found.titles().values())


def test_scores_may_be_in_several_folders_or_gone(runs: Path, tmp_path: Path) -> None:
    plain = [one for one in records_of(runs) if one["protocol"]["unstable"] == "none"]
    plain = [one for one in plain if not one["dataset"].get("source")]
    folders = {one["model"]: store(tmp_path / one["model"], [one]) for one in plain}
    copies = {one["model"]: folders[one["model"]] / one["artifacts"]["scores"] for one in plain}
    for one in plain:
        path = copies[one["model"]]
        path.parent.mkdir(parents=True)
        path.write_bytes((runs / one["artifacts"]["scores"]).read_bytes())

    def drawn() -> list[Figure]:
        found = board(folders.values())
        (figures,) = figures_of(found, *found.data).values()
        return figures

    assert {one.name for one in drawn()} - {"reliability"} == ON_CALL
    assert {row["model"] for one in drawn() for row in one.table} == set(MODELS)
    copies["new-event"].unlink()
    assert {row["model"] for one in drawn() for row in one.table} == {"length"}
    copies["length"].unlink()
    assert drawn() == []


def test_names_of_others_stay_text_in_figures(runs: Path, tmp_path: Path) -> None:
    from logbench_reporters.site.write import write

    records = [one for one in records_of(runs) if one["model"] == "length"]
    hostile = "</text></svg><script>alert(1)</script><img src=x onerror=alert(2)>"
    found = board([store(tmp_path / "runs", [one | {"model": hostile, "artifacts": {}} for one in records])])
    write(found, tmp_path / "public", "t", scores=False)
    page = (tmp_path / f"public/data/{found.data[0]}.html").read_text()
    assert any(f"f1 of {hostile} by dose" in one for one in captions(page))
    assert page.count("<script") == 1 and "<img" not in page and page.count("<svg") == len(captions(page))


def test_pages_stay_small_whatever_the_number_of_units(pages: dict[str, str]) -> None:
    assert max(len(page.encode()) for page in pages.values()) < 200_000
    assert not any(re.search(r"(?:src|href)=\"(?:https?:)?//", page) for page in pages.values())


def test_every_figure_of_the_site_has_a_limit_of_its_own() -> None:
    assert len(set(LIMITS.values())) == len(LIMITS)
    for first in LIMITS:
        assert not any(other.startswith(first) for other in LIMITS if other != first)
