"""The cost of models beside their quality."""

from __future__ import annotations

import json
import re
from typing import Any

from reporter_records import failed, record

from logbench_reporters.cost import front
from logbench_reporters.flat import Flat
from logbench_reporters.table import Table


def timed(model: str, f1: float, seconds: float, seed: int = 0, **more: Any) -> dict[str, Any]:
    fit = {"wall_s": seconds, "cpu_s": 2 * seconds, "peak_rss_mb": 100 + seconds, "added_rss_mb": seconds}
    score = {"wall_s": 1.0, "cpu_s": 1.5, "items_per_s": 500 * (seed + 1), "peak_rss_mb": 90.0}
    facts = {"stages": {"fit": fit, "score": score}, "training": {"parameters": 1234}}
    return record(model, f1, seed, **{**facts, "environment": {"device": "auto"}, **more})


def test_cost_stands_beside_quality() -> None:
    """Means of times over seeds, the largest memory, the sum of the parameters of a combination's members."""
    members = {"members": {"a": {"parameters": 2}, "b": {"parameters": 40}}}
    runs = [timed("m", 0.5, 3.0), timed("m", 0.7, 5.0, seed=1), timed("a+b", 0.4, 9.0, training=members)]
    runs += [timed("a+c", 0.3, 0.5, training={"members": {"a": {"parameters": 2}, "c": {}}}), failed("n")]
    rows = {row["name"]: row for row in json.loads(Flat("json").report(runs))}
    assert [rows[name]["parameters"] for name in ("m", "a+b", "a+c", "n")] == [1234, 42, None, None]
    facts = ("fit_s", "fit_cpu_s", "score_s", "score_cpu_s", "units_per_s", "peak_mb", "added_mb", "device")
    assert [rows["m"][name] for name in facts] == [4, 8, 1, 1.5, 750, 105, 5, "cpu"]
    text = Table("simple").report(runs)
    assert "cost on cpu, means over runs" in text and "–" not in text.partition("cost on")[2]
    assert re.search(r"^m +0\.600 +1,234 +4\.00 +8\.00 +750 +105 +5$", text, re.M), text
    assert "the fastest first: a+c, m" in text  # a+b is slower than m, and worse
    assert max(map(len, text.partition("cost on")[2].splitlines()[:9])) <= 80


def test_the_front_is_what_no_point_beats() -> None:
    points = {"a": (0.9, 5.0), "b": (0.9, 6.0), "c": (0.8, 1.0), "twin": (0.9, 5.0), "d": (0.7, 1.0)}
    assert front(points, lower=False) == ["a", "c", "twin"]
    assert front(points, lower=True) == ["d"]


def test_runs_elsewhere_and_scores_of_before_say_so() -> None:
    gpu = timed("m", 0.5, 3.0)
    gpu["stages"]["fit"]["peak_gpu_mb"] = 77.0
    text = Table("simple").report(
        [gpu, timed("n", 0.4, 1.0), record("old", stages={}, environment={"device": "cpu"})]
    )
    assert re.search(r"^m .* 77 +cuda$", text, re.M) and re.search(r"^n .* cpu$", text, re.M), text
    assert "without times, as scores are those of an earlier run: old" in text
    assert "cost" not in Table("simple").report([failed("b")])
