"""Text of events for models: what is shown is what stands in the log, in every way that a model can be run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from distributions import distribution
from labelled_log import registry, run_one, write
from text_spy import Spy, masked, rows, seen, units_of, values

from logbench import ModelComponent, ModelTraits, RunRecord, Sessions, prepare_sessions
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle

LINES = rows()
UNITS = units_of(LINES)
SETTINGS = {"protocol": {"train": "ratio", "train_ratio": 0.5, "held_out": 0.2, "content": "mixed"}}
# Need → what a unit shows of its messages.
EXPECTED: dict[str, Callable[[list[str]], list[Any]]] = {
    "texts": lambda messages: [masked(message) for message in messages],
    "messages": lambda messages: messages,
    "parameters": lambda messages: [values(message) for message in messages],
}
NEEDS = sorted(EXPECTED)


def found(*needs: Any) -> Registry:
    traits = ModelTraits(supervision="unsupervised", needs=frozenset(needs), stochastic=False)
    return registry(models=[ModelComponent("spy", Spy, traits=traits)])


def made(path: Path, *needs: Any, **options: Any) -> RunRecord:
    Spy.given.clear()
    options = {"windower": "session", "parser": "drain", **options}
    record = run_one(write(path / "a.log", LINES), found(*needs), "spy", SETTINGS, **options)
    assert record.status == "ok", record.error
    return record


def expected(need: str, units: list[str]) -> list[Any]:
    """What these units must show, in an order that does not depend on that of the units."""
    return in_order(EXPECTED[need](UNITS[unit]) for unit in units)


def in_order(units: Iterable[Any]) -> list[Any]:
    return sorted(units, key=repr)


def parts(path: Path, artifacts: Mapping[str, str]) -> dict[str, list[str]]:
    """Names of the units of each part of a run."""
    scores = pl.read_parquet(path / "runs" / artifacts["scores"])
    tested = scores.filter(pl.col("part") == "test")["unit"].to_list()
    held = scores.filter(pl.col("part") == "held_out")["unit"].to_list()
    return {
        "train": sorted(set(UNITS) - set(tested) - set(held)), "held_out": held, "scored": [*held, *tested],
    }  # fmt: skip


@pytest.mark.parametrize("need", NEEDS)
def test_every_part_of_a_run_shows_its_own_text(need: str, tmp_path: Path) -> None:
    record = made(tmp_path, need)
    assert record.needs == [need]
    names = parts(tmp_path, record.artifacts)
    looked_at = set()
    for part, shown in Spy.given:
        assert shown["lines"] is None
        if part in names and len(shown[need]) == len(names[part]):
            assert in_order(shown[need]) == expected(need, names[part]), part
            looked_at.add(part)
    assert looked_at == {"train", "held_out", "scored"}


def test_texts_are_those_of_a_part_alone_in_the_order_in_which_it_shows_them(tmp_path: Path) -> None:
    made(tmp_path, "texts")
    known: dict[str, set[str]] = {}
    for part, shown in Spy.given:
        flat = [text for unit in shown["texts"] for text in unit]
        assert shown["distinct"] == list(dict.fromkeys(flat))
        known.setdefault(part, set(flat))
    assert known["train"] < known["scored"], "training shows no text of the test"


@pytest.mark.parametrize("need", NEEDS)
def test_a_model_that_does_not_ask_gets_no_text(need: str, tmp_path: Path) -> None:
    made(tmp_path, "templates")
    assert len(Spy.given) > 3
    assert all(shown[need] is None and shown["distinct"] is None for _, shown in Spy.given)


@pytest.mark.parametrize("need", NEEDS)
def test_prepare_sessions_shows_what_a_run_shows(need: str, tmp_path: Path) -> None:
    names = parts(tmp_path, made(tmp_path, need).artifacts)
    material = prepare_sessions(
        "spy", "log", registry=found(need), data=tmp_path / "a.log", windower="session", parser="drain",
        settings=SETTINGS,
    )  # fmt: skip
    assert material.context.held_out is not None
    tested = [name for name in names["scored"] if name not in names["held_out"]]
    for sessions, units in (
        (material.train, names["train"]), (material.context.held_out, names["held_out"]), (material.test, tested),
    ):  # fmt: skip
        shown = seen(sessions)
        assert in_order(shown[need]) == expected(need, units) and shown["lines"] is None


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        for need in NEEDS:
            made(folder, need, save=folder / need)
        yield folder


@pytest.mark.parametrize("need", NEEDS)
def test_a_file_shows_what_the_run_showed(need: str, saved: Path) -> None:
    Spy.given.clear()
    score_bundle(Bundle(saved / need, found(need)), saved / "a.log", "cpu", silent)
    ((_, shown),) = Spy.given
    assert shown[need] == [EXPECTED[need](messages) for messages in UNITS.values()]
    assert shown["lines"] is None


@pytest.mark.parametrize("size", [40, 1_000, 100_000])
@pytest.mark.parametrize("need", NEEDS)
def test_a_pipe_shows_what_the_run_showed(need: str, size: int, saved: Path) -> None:
    """Sessions close after ten seconds without a line of theirs, so that they are scored bit by bit."""
    Spy.given.clear()
    text = (saved / "a.log").read_bytes()
    blocks = iter([text[begin : begin + size] for begin in range(0, len(text), size)])
    list(score_stream(Bundle(saved / need, found(need)), blocks, 10, "cpu", lambda: 0.0))
    assert all(shown["lines"] is None for _, shown in Spy.given)
    assert in_order(unit for _, shown in Spy.given for unit in shown[need]) == expected(need, list(UNITS))
    assert len(Spy.given) > 1


class Letters(Spy):
    """Scores a unit by the letters of its messages."""

    def score(self, sessions: Sessions, context: Any) -> Any:
        letters = sessions.messages().str.len_chars().to_numpy()
        return np.array([letters[a:b].sum() for a, b in pairwise(sessions.offsets)])


def test_units_of_equal_keys_and_other_text_are_not_taken_for_equal(tmp_path: Path) -> None:
    """Even where the traits say by mistake that keys alone decide."""
    lines = [(f"mount of {'7' * (node % 5)}1", 0, node, f"n{node}") for node in range(40)]
    traits = ModelTraits(supervision="unsupervised", needs=frozenset({"messages"}), keys_only=True)
    one = registry(models=[ModelComponent("letters", Letters, traits=traits)])
    write(tmp_path / "a.log", lines)
    record = run_one(tmp_path / "a.log", one, "letters", SETTINGS, windower="session", parser="drain",
                     save=tmp_path / "saved")  # fmt: skip
    assert record.status == "ok", record.error
    expected = {node: len(message) for message, _, _, node in lines}
    scores = pl.read_parquet(tmp_path / "runs" / record.artifacts["scores"])
    assert dict(scores.select("unit", "raw").iter_rows()).items() <= expected.items()
    scored = score_bundle(Bundle(tmp_path / "saved", one), tmp_path / "a.log", "cpu", silent)
    assert dict(scored.select("unit", "score").iter_rows()) == expected


PLUGIN = """
import logbench
from text_spy import Spy

@logbench.hookimpl
def logbench_models():
    traits = logbench.ModelTraits(
        supervision="unsupervised", needs=frozenset(NEEDS), stochastic=False, joint_scores=True
    )
    yield logbench.ModelComponent("spy", Spy, traits=traits)
"""


def test_a_model_in_a_process_of_its_own_sees_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path / "site", "spying", PLUGIN.replace("NEEDS", repr(NEEDS)))
    log = tmp_path / "a.csv"
    log.write_text("id,message\n" + "".join(f"{node},{message}\n" for message, _, _, node in LINES))
    paths = [str(tmp_path / "site"), *[entry for entry in sys.path if entry]]
    command = [
        sys.executable, "-m", "logbench", "run", "spy", "--dataset", "./my.toml", "--data", str(log),
        "--out", "runs",
    ]  # fmt: skip
    (tmp_path / "my.toml").write_text(
        'files = "a.csv"\nformat = "csv"\nid = "id"\nmessage = "message"\nparser = "drain"\n'
    )
    command += [f"--set=protocol.{key}={value}" for key, value in SETTINGS["protocol"].items()]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = map(json.loads, (tmp_path / "runs" / "records.jsonl").read_text().splitlines())
    (record,) = [one for one in records if one["model"] == "spy"]
    assert record["status"] == "ok" and record["isolation"] == "worker"
    shown = record["training"]
    for need in NEEDS:
        assert in_order(shown[need]) == expected(need, parts(tmp_path, record["artifacts"])["train"])
    assert shown["lines"] is None
