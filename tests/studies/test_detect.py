"""From a path to ranked units: planted incidents are found, and surprise is what a loop computes."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest
from planted_logs import Planted, planted
from scipy.stats import nbinom, poisson

from logbench.base.errors import DataError
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.data.sessions import Sessions
from logbench.studies.detect import detect
from logbench.studies.surprise import NEAR, USUAL, rank
from logbench.testing.command import runner
from logbench_ownlogs.guess import guess

FAST = ("access", "windows-events", "journald", "cri")


def place_of(log: Planted, folder: Path) -> int | None:
    """The rank of the planted incident, from 1."""
    (folder / "a.log").write_bytes(log.text.encode())
    (folder / "guess.toml").write_text(guess([folder / "a.log"]).text)
    found = detect(str(folder / "guess.toml"), Registry(), silent, top=20)
    for number, row in enumerate(found.rows, 1):
        if log.unit and row["unit"] == log.unit:
            return number
        if not log.unit:
            begin = dt.datetime.fromisoformat(row["unit"]).replace(tzinfo=dt.UTC)
            if log.begin - dt.timedelta(seconds=60) < begin < log.end:
                return number
    return None


@pytest.mark.parametrize("name", FAST)
def test_a_planted_incident_ranks_among_the_first(name: str, tmp_path: Path) -> None:
    log = next(one for one in planted(1) if one.name == name)
    place = place_of(log, tmp_path)
    assert place is not None
    assert place <= 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_all_planted_incidents_rank_among_the_first(seed: int, tmp_path: Path) -> None:
    places = {}
    for log in planted(seed):
        folder = tmp_path / log.name
        folder.mkdir()
        places[log.name] = place_of(log, folder)
    assert {name: place for name, place in places.items() if place is None or place > 5} == {}


def surprise(counts: list[int], unit: int) -> float:
    """Nats of a count or a larger one, from the units that are not near, one after the other."""
    near = min(NEAR, len(counts) // 20)
    others = [c for at, c in enumerate(counts) if abs(at - unit) > near]
    some = [c for c in others if c]
    there = (len(some) + 0.5) / (len(others) + 1)
    mean = (sum(c - 1 for c in some) + 0.5) / (len(some) + 0.5) if some else 1.0
    variance = float(np.var([c - 1 for c in some])) if len(some) > 1 else 0.0
    if variance > 1.05 * mean:
        size = mean**2 / (variance - mean)
        tail = nbinom.logsf(counts[unit] - 2, size, size / (size + mean))
    else:
        tail = poisson.logsf(counts[unit] - 2, mean)
    return float(-math.log(there) - tail)


def test_the_surprise_of_counts_is_that_of_a_loop_over_units() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(0.3, 120).tolist()
    counts[40], counts[41], counts[77] = 9, 5, 14
    units = [[0] * 3 + [1] * count for count in counts]
    ranking = rank(Sessions.of(units, vocabulary=2), order=False)
    for unit, count in enumerate(counts):
        if count:
            expected = surprise(counts, unit)
            found = [reason.surprise for reason in ranking.reasons[unit] if reason.keys == (1,)]
            assert found == ([pytest.approx(expected)] if expected > USUAL else [])
    assert set(np.argsort(-ranking.scores)[:2].tolist()) == {40, 77}


def test_what_is_missing_or_out_of_place_in_a_session_is_a_reason() -> None:
    usual = [[0, 1, 2, 3] for _ in range(100)]
    usual[30], usual[60] = [0, 1, 3], [0, 2, 1, 3]
    ranking = rank(Sessions.of(usual, vocabulary=4), order=True)
    assert set(np.argsort(-ranking.scores)[:2].tolist()) == {30, 60}
    assert {(reason.what, reason.keys) for reason in ranking.reasons[30]} >= {("absent", (2,)), ("order", (1, 3))}
    assert ranking.scores[50] == 0


def test_the_command_says_what_it_assumed_and_fits_into_eighty_columns(tmp_path: Path) -> None:
    log = next(one for one in planted(5) if one.name == "docker")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "shop.log").write_text(log.text)
    saved = tmp_path / "my.toml"
    words = ("detect", str(tmp_path / "logs"), "--save-definition", str(saved), "--top", "4")
    ran = runner(tmp_path, tmp_path / "cache")(*words)
    assert ran.code == 0, ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
    assert f" 1  {log.unit}" in ran.out
    assert "lost worker" in ran.out
    assert "assumed: format docker" in ran.err
    assert "assumed: sessions by job" in ran.err
    again = runner(tmp_path, tmp_path / "cache")("detect", "--dataset", str(saved), "--json", "--top", "1")
    assert json.loads(again.out)["unit"] == log.unit


def test_what_cannot_be_compared_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("")
    with pytest.raises(DataError, match="holds no line"):
        guess([tmp_path / "empty.log"])
    with pytest.raises(DataError, match="no such file"):
        guess([tmp_path / "gone.log"])
