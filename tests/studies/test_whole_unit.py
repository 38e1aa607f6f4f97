"""`logbench show UNIT`: all lines of a unit of a run, of scored logs and of detected ones, with what decided."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import logbench
from logbench import DataError
from logbench.base.progress import silent
from logbench.cli.unit_text import AROUND, ENDS, unit_text
from logbench.components.registry import Registry
from logbench.deploy.alarm_lines import AlarmLines
from logbench.deploy.score_files import look_of, score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running import looks
from logbench.running.bundle import Bundle
from logbench.studies.detect import detect
from logbench.studies.whole_unit import WholeUnit, whole_unit

PLAIN = 'files = "a.log"\npattern = "<Time> <Level> <Session> <Content>"\nlevel = "Level"\nparser = "none"\n'
SESSIONS = PLAIN + 'id = "Session"\n'
WINDOWS = PLAIN + 'time = "Time"\ntime_format = "epoch"\nwindower = "time"\nwindow = "20s"\n'


def lines() -> list[str]:
    """Two sessions at a time, so that their lines stand between each other."""
    found = []
    for i in range(80):
        events = ["begin", "read", "write", "end"] if i != 70 else ["begin", *["retry"] * 60, "end"]
        for at, event in enumerate(events):
            found.append(f"{1_700_000_000 + 10 * i + at} INFO s{i} {event}")
    return sorted(found, key=lambda line: (int(line.split()[2][1:]) // 2, line.split()[0]))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "a.log").write_text("\n".join(lines()) + "\n")
    (folder / "sessions.toml").write_text(SESSIONS)
    (folder / "windows.toml").write_text(WINDOWS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        yield folder


def of_session(name: str) -> list[int]:
    return [at for at, line in enumerate(lines()) if line.split()[2] == name]


def numbers(unit: WholeUnit) -> list[Any]:
    return [line["number"] for line in unit.lines]


def shown(words: list[str], folder: Path, registry: Registry) -> WholeUnit:
    return whole_unit(words, folder / "runs", registry, silent)


@pytest.fixture(scope="module")
def ran(place: Path) -> tuple[Any, Registry]:
    registry = Registry()
    (record,) = logbench.run(
        "new-event", dataset=str(place / "sessions.toml"), out=place / "runs", save=place / "saved"
    )
    assert record.error is None
    return record, registry


def test_a_unit_of_a_run_has_its_lines_and_the_one_that_decided(place: Path, ran: tuple[Any, Registry]) -> None:
    record, registry = ran
    unit = shown([record.run_id, "s70"], place, registry)
    assert numbers(unit) == of_session("s70")
    (decided,) = [line for line in unit.lines if line["mark"] == "decided"]
    first = next(at for at in of_session("s70") if lines()[at].endswith("retry"))
    assert (decided["number"], decided["text"], decided["raw"]) == (first, "INFO retry", lines()[first])
    assert (decided["file"], decided["line"]) == ("a.log", first + 1)
    assert unit.facts["verdict"] and "60, never in training: retry" in unit.facts["why"]


def test_a_unit_of_the_training_is_shown_without_a_verdict(place: Path, ran: tuple[Any, Registry]) -> None:
    unit = shown(["last", "s3"], place, ran[1])
    assert numbers(unit) == of_session("s3") and not unit.facts  # though a tested one begins so, too


def test_windows_are_cut_as_in_the_run(place: Path) -> None:
    registry = Registry()
    (record,) = logbench.run("new-event", dataset=str(place / "windows.toml"), out=place / "runs")
    assert record.error is None
    found = [shown([record.run_id, name], place, registry) for name in record.scores["unit"]]
    tested = [number for unit in found for number in numbers(unit)]
    assert sorted(tested) == list(range(min(tested), len(lines())))  # each line of held-out and test units once
    assert {len(unit.lines) for unit in found} == set(
        record.scores["unit"].replace_strict({unit.name: len(unit.lines) for unit in found}).to_list()
    )


def test_units_of_scored_and_detected_logs_are_found_by_name_alone(
    place: Path, ran: tuple[Any, Registry], tmp_path: Path
) -> None:
    new = tmp_path / "a.log"
    new.write_text("1 INFO n1 begin\n2 INFO n2 begin\n3 INFO n1 panic\n4 INFO n2 end\n5 INFO n1 end\n")
    bundle = Bundle(place / "saved", ran[1])
    frame = score_bundle(bundle, new, "cpu", silent)
    looks.keep("score", look_of(bundle, new, frame))
    unit = shown(["n1"], place, ran[1])
    assert [line["raw"].split(" ", 2)[2] for line in unit.lines] == ["n1 begin", "n1 panic", "n1 end"]
    assert [line["mark"] for line in unit.lines] == ["", "decided", ""]
    assert unit.of == "score" and unit.facts["score"] == 1.0
    found = detect(str(place / "sessions.toml"), ran[1], silent, top=3)
    looks.keep("detect", found.look)
    assert numbers(shown(["detect", "s70"], place, ran[1])) == of_session("s70")
    assert shown(["s70"], place, ran[1]).of == "detect"  # the newest that knows it
    assert numbers(shown(["score", "n2"], place, ran[1])) == [1, 3]
    new.write_text("1 INFO n1 begin\n")
    with pytest.raises(DataError, match=r"its log cannot be read again: .*a\.log has changed since"):
        shown(["score", "n1"], place, ran[1])


def test_alarms_of_a_stream_are_kept_with_their_lines(place: Path, ran: tuple[Any, Registry]) -> None:
    text = "".join(f"{i} INFO n{i % 2} {'panic' if i == 5 else 'begin'}\n" for i in range(8))
    blocks = iter([text[:40].encode(), text[40:].encode()])
    taken = AlarmLines()
    list(score_stream(Bundle(place / "saved", ran[1]), blocks, 1e9, "cpu", lambda: 0.0, alarmed=taken.take))
    unit = shown(["score", "n1"], place, ran[1])
    assert [line["raw"] for line in unit.lines] == text.splitlines()[1::2]
    assert [(line["line"], line["mark"]) for line in unit.lines] == [
        (2, "telling"),
        (4, ""),
        (6, "decided"),
        (8, ""),
    ]
    assert "1, never in training: panic" in unit.facts["why"]
    with pytest.raises(DataError, match="score: no unit n0"):
        shown(["score", "n0"], place, ran[1])


def test_a_name_that_is_none_is_told_with_the_closest(place: Path, ran: tuple[Any, Registry]) -> None:
    with pytest.raises(DataError, match="no unit s700; did you mean 's70'"):
        shown([ran[0].run_id, "s700"], place, ran[1])
    with pytest.raises(DataError, match=r"zz: neither a run in .*, nor a unit of"):
        shown(["zz"], place, ran[1])


def test_long_units_fold_around_what_decided(place: Path, ran: tuple[Any, Registry]) -> None:
    unit = shown([ran[0].run_id, "s70"], place, ran[1])
    everything, folded = list(unit_text(unit, True)), list(unit_text(unit, False))
    assert sum("retry" in line for line in everything) == 61  # 60 lines and the reason
    rows = [line for line in folded if line[:1] in "> " and "a.log:" in line]
    assert len(rows) == 1 + 1 + AROUND + ENDS and sum(line.startswith("> ") for line in rows) == 1
    assert sum(line.strip().startswith("…") for line in folded) == 1
    assert f"… {len(unit.lines) - len(rows)} lines …" in "\n".join(folded)


def test_the_command_shows_a_unit(place: Path, ran: tuple[Any, Registry]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "logbench", "show", ran[0].run_id, "s70", "--out", str(place / "runs")],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "> " in done.stdout and "INFO retry" in done.stdout and "INFO s70" not in done.stdout
