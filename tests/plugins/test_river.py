"""Detectors of river as models: the same scores as the detectors fed by hand, one unit after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import logbench
from logbench import Context, Sessions
from logbench_river import LodaConfig, TreesConfig, _loda, _trees

anomaly = pytest.importorskip("river.anomaly")

TRAIN = [[0, 0, 1], [0, 1, 1], [0, 1], [1, 0, 0, 1]] * 5
STREAM = [([0, 1], False), ([2, 3, 2], True), ([2, 0], True)]
ASKED = [[0, 0, 1], [2, 2], [1, 3, 3, 3], [1]]
KINDS: dict[str, Any] = {
    "hst": (_trees, TreesConfig(trees=3, height=3, window=4), lambda: anomaly.HalfSpaceTrees(3, 3, 4, seed=7)),
    "loda": (_loda, LodaConfig(bins=4, cuts=5), lambda: anomaly.LODA(4, 5, seed=7)),
}


def shares(unit: list[int]) -> dict[str, float]:
    return {
        "key 0": unit.count(0) / len(unit),
        "key 1": unit.count(1) / len(unit),
        "new": sum(key > 1 for key in unit) / len(unit),
    }


@pytest.mark.parametrize("learn", ["all", "quiet"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_the_detector_fed_one_by_one(kind: str, learn: str) -> None:
    from dataclasses import replace

    make, config, by_hand = KINDS[kind]
    model, detector = make(replace(config, learn=learn)), by_hand()
    model.fit(Sessions.of(TRAIN, 2), Context(seed=7))
    for at in np.random.default_rng(7).permutation(len(TRAIN)):
        detector.learn_one(shares(TRAIN[at]))
    for unit, verdict in STREAM:  # keys 2 and 3 are known to the parser by now
        model.update(Sessions.of([unit], 4), verdict, None)
        if learn == "all" or not verdict:
            detector.learn_one(shares(unit))
    found = model.score(Sessions.of(ASKED, 4), Context())
    assert found.tolist() == [detector.score_one(shares(unit)) for unit in ASKED]
    assert len(set(found.tolist())) > 1


def test_in_slices_it_learns_and_is_told_no_label(tmp_path: Any) -> None:
    settings = {"dataset": {"jobs": 200}, "protocol": {"slices": 3, "feedback_budget": 50}}
    (record,) = logbench.run("river-hst", dataset="drift-sim", out=tmp_path, settings=settings)
    assert record.status == "ok" and record.stream["learning"] == "updated"
    assert record.audit["stream"]["learned"] == record.split["test"] and record.audit["stream"]["told"] == 0
