"""Specifications of figures against the schema of Vega-Lite, and their colours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
from reported_runs import MODELS
from vega_faults import faults_of

import logbench
from logbench_reporters.report.figures.across import across
from logbench_reporters.report.figures.cost import cost
from logbench_reporters.report.figures.critical import critical
from logbench_reporters.report.figures.curves import Curve, precision_recall, roc
from logbench_reporters.report.figures.figure import Figure
from logbench_reporters.report.figures.ladder import ladder
from logbench_reporters.report.figures.ranking import ranking
from logbench_reporters.report.figures.spread import spread
from logbench_reporters.report.figures.stages import stages
from logbench_reporters.report.figures.threshold import explored, threshold
from logbench_reporters.report.figures.timeline import timeline
from logbench_reporters.report.figures.training import training
from logbench_reporters.report.levels import Levels
from logbench_reporters.report.sections import sections
from logbench_reporters.report.study import Study
from logbench_reporters.report.theme import COLOURS

RUNG = {"name": "loop", "per_s": 9.0, "skipped": "", "windows": 9, "extrapolated": True, "equal_first": None,
        "equal_others": None, "different": None}  # fmt: skip


def trained(**facts: Any) -> dict[str, Any]:
    return {"model": "m", "status": "ok", "training": facts}


def every_figure(study: Study) -> list[Figure]:
    record = study.firsts[0]
    units, scores = study.units(record), study.scores(record)
    assert units is not None and scores is not None
    elsewhere = [{**one, "dataset": {**one["dataset"], "name": "other"}} for one in study.records]
    curves = [Curve("a", Levels.of(units), 1.0, 0.5), Curve("b", Levels.of(units), 2.0, None)]
    made = [
        ranking([*study.models, *study.rules], tied={"ecvc": "a", "pca": "ab", "new-event": "b"}),
        precision_recall(curves),
        roc(curves),
        threshold(explored("ecvc", record["threshold"], units, scores)),
        timeline("m", units),
        cost(study.models),
        spread("m", study.runs.spread(record), [{"source": "paper", "f1": 0.5}]),
        stages(record),
        across([*study.records, *elsewhere], MODELS),
        critical(
            {
                "models": ["a", "b"],
                "datasets": ["x", "y"],
                "values": [[0.9, 0.8], [0.2, 0.3]],
                "ranks": [1.0, 2.0],
                "p_holm": [1.0, 0.2],
                "friedman": {"p": 0.01},
                "critical": 1.4,
                "tied": [["a", "b"]],
            }
        ),
        ladder({"evaluation": [RUNG], "dataset": {"name": "d"}, "device": "cpu"}),
        training([trained(loss_by_pass=[2.0, 1.0], validation_by_pass=[2.5, 1.5], best_pass=2)]),
    ]
    assert None not in made
    return [one for one in made if one is not None]


def test_specifications_are_vega_lite(study: Study) -> None:
    assert faults_of({"layer": [{"mark": "potato"}]})
    for figure in every_figure(study):
        assert not faults_of(figure.spec()), figure.name
        assert figure.description.endswith(".") and figure.title
        json.dumps(figure.spec(), allow_nan=False)


def test_a_figure_draws_itself_in_a_notebook(study: Study) -> None:
    pytest.importorskip("vl_convert")
    bundle = ranking(study.models)._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["application/vnd.vegalite.v6+json"]["datasets"]["rows"][0]["name"] == study.models[0].name
    assert study.models[0].name in bundle["text/plain"]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("side", [0, 1], ids=["light", "dark"])
def test_colours_stand_out_from_the_ground(side: int) -> None:
    ground = luminance(COLOURS["ground"][side])
    for name, pair in COLOURS.items():
        if name not in {"ground", "line"}:
            light, dark = sorted([luminance(pair[side]), ground], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, name
    assert len({pair[side] for pair in COLOURS.values()}) == len(COLOURS)


def test_rungs_of_a_ladder_are_bars_that_say_if_verdicts_stay(study: Study, out: Path, tmp_path: Path) -> None:
    def rung(name: str, per_s: float | None, different: int | None, skipped: str = "") -> dict[str, Any]:
        compared = None if different is None else 9
        return {"name": name, "per_s": per_s, "skipped": skipped, "windows": 9, "extrapolated": False,
                "equal_first": compared, "equal_others": compared, "different": different}  # fmt: skip

    rungs = [
        rung("loop", 10.0, None),
        rung("fast", 500.0, 0),
        rung("rough", 200.0, 3),
        rung("gpu", None, None, "none"),
    ]
    found = {
        "ladder_version": 1,
        "evaluation": rungs,
        "dataset": {"name": "d", "simulated": True},
        "device": "cpu",
    }
    figure = ladder(found)
    assert figure is not None and "50 times loop; 1 of 3 rungs" in figure.description
    assert [(row["rung"], row["per_s"], row["kind"]) for row in figure.data["rungs"]] == [
        ("loop", 10.0, "the slow loop"), ("fast", 500.0, "same verdicts"), ("rough", 200.0, "other verdicts"),
    ]  # fmt: skip
    assert ladder({**found, "evaluation": rungs[-1:]}) is None
    (shown,) = (one for one in sections(replace(study, ladder=found)) if one.name == "cost")
    assert "ladder" in [one.name for one in shown.figures]
    file = tmp_path / "ladder.json"
    file.write_text('{"ladder_version": 7}', encoding="utf-8")
    from logbench_reporters.report.command import command

    done = click.testing.CliRunner().invoke(command, ["--runs", str(out), "--ladder", str(file)])
    assert isinstance(done.exception, logbench.DataError) and "version 7" in str(done.exception)


def test_models_without_passes_are_named_where_curves_would_be(study: Study) -> None:
    (section,) = (one for one in sections(study) if one.name == "training")
    assert not section.figures and all(name in section.sentence for name in MODELS)
