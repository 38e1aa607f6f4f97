"""Records that are damaged or made up: each costs one line and itself, and no command ends in a traceback."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hostile_tries import tries
from made_records import made

import logbench
from logbench import DataError, LogbenchError, RunRecord, StoredRuns
from logbench.cli import runs as runs_command
from logbench.components.registry import Registry
from logbench.running import records, run_names, stored
from logbench.running.reporting import reported

LINES = {
    "deep": b"[" * 200_000,
    "deep inside": b'{"run_id": "x", "notes": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a long number": b'{"run_id": "x", "seed": ' + b"9" * 5000 + b"}",
    "a long version": b'{"run_id": "x", "record_version": ' + b"9" * 4000 + b"}",
    "missing keys": b'{"run_id": "x", "record_version": 2, "started": "", "model": "m"}',
    "no text": b"\xff\xfe\0" * 1000,
    "a number as its name": b'{"run_id": 3}',
    "a list as its name": b'{"run_id": []}',
    "a line end within": b'{"run_id": "x\r", "record_version": 2}',
}
VALUES: list[Any] = [None, 0, -1, 1 << 70, 1.5, "", "x", "\x1b[2J", [], [1], {}, {"x": 1}, True, float("nan")]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_bad_line_costs_itself_alone(line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records.append(made("a"), tmp_path)
    with (tmp_path / records.FILE).open("ab") as file:
        file.write(line + b"\n")
    records.append(made("b"), tmp_path)
    assert [record["run_id"] for record in records.read(tmp_path)] == ["a", "b"]
    said = capsys.readouterr().err.splitlines()
    assert len(said) <= 1 and all(len(one) < 500 for one in said)
    assert run_names.find("last", tmp_path)["run_id"] == "b"


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "folder"])
def test_records_that_are_no_file_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / records.FILE
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)
    for act in (lambda: list(records.read(tmp_path)), lambda: records.append(made("a"), tmp_path)):
        with pytest.raises(DataError) as error:
            act()
        assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(kinds=("reporter",))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Two records of real runs, one of which failed, with their folder."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        small: dict[str, Any] = {"dataset": {"blocks": 200}, "protocol": {"train_units": 100}}
        logbench.run("length", dataset="hdfs-sim", out=folder, settings=small)
    made_ones: list[dict[str, Any]] = [dict(record) for record in records.read(folder)]
    for record in made_ones:  # a stranger knows how to make it right again
        record["checksums"].pop("record")
    failed = {**made_ones[0], "run_id": "z", "status": "error", "error": {"stage": "fit", "message": "it failed"}}
    return [*made_ones, failed]


def mutated(value: Any, rng: random.Random) -> Any:
    """The same with one place changed, left out or added."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice([*value])
        if rng.random() < 0.15:
            return {name: one for name, one in value.items() if name != key}
        if rng.random() < 0.05:
            return {**value, "\x1b]0;x\a": rng.choice(VALUES)}
        return {**value, key: mutated(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        return [*value[:at], mutated(value[at], rng), *value[at + 1 :]]
    return rng.choice(VALUES)


@pytest.mark.slow
def test_made_up_records_are_shown_or_passed_over(
    real: list[dict[str, Any]], registry: Registry, tmp_path: Path
) -> None:
    reporters = {name: entry.item for name, entry in registry.components["reporter"].items()}
    shown = 0
    for rng in tries(150):
        spoiled = mutated(rng.choice(real), rng)
        text = json.dumps({**spoiled, "run_id": "spoiled"} if isinstance(spoiled, dict) else spoiled)
        (tmp_path / records.FILE).write_text("\n".join([json.dumps(real[0]), text]) + "\n")
        found = list(records.read(tmp_path))
        assert found[0]["run_id"] == real[0]["run_id"]
        shown += len(found) - 1
        try:
            for record in found:
                runs_command._row(record)
                RunRecord(**{k: v for k, v in record.items() if k in real[0]})._repr_html_()
            for item in reporters.values():
                reported(item.build(item.config()) if item.config else item.build(), found, StoredRuns(tmp_path))
        except LogbenchError as error:
            assert "\n" not in str(error)
        except Exception as error:
            error.add_note(text[:3000])
            raise
    assert shown > 10


@pytest.mark.parametrize("known", [True, False], ids=["with checksum", "of old"])
def test_a_damaged_table_is_one_line(known: bool, tmp_path: Path) -> None:
    record = made("a", artifacts={"scores": "a/scores.parquet"}, checksums={"scores": "0" * 64} if known else {})
    path = tmp_path / record.artifacts["scores"]
    path.parent.mkdir()
    for rng in tries(20):
        path.write_bytes(rng.choice([b"PAR1" + rng.randbytes(200) + b"PAR1", b"", rng.randbytes(50), b"PAR1" * 3]))
        with pytest.raises(DataError, match="run it again") as error:
            stored.table(record.as_dict(), tmp_path, "scores")
        assert "\n" not in str(error.value)
