"""The sections of a page in their order, each with a sentence that says what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..slices import SIGNS, signs_said
from .examples import examples
from .figures.across import across, one_protocol_each
from .figures.by_slice import by_slice
from .figures.cost import cost
from .figures.critical import critical
from .figures.curves import Curve, precision_recall, roc
from .figures.disturbed import disturbed
from .figures.dose import doses, without_doses
from .figures.each_model import each_model
from .figures.figure import Figure, number
from .figures.ladder import ladder
from .figures.ranking import ranking
from .figures.spread import spread
from .figures.stages import stages
from .figures.threshold import Explored, explored, threshold
from .figures.timeline import timeline
from .figures.training import training
from .figures.transferred import transferred
from .levels import Levels
from .on_call import on_call
from .study import Study, once, threshold_of

# Models whose curves are drawn and whose thresholds can be moved, the best ones.
MOST_CURVES, MOST_THRESHOLDS = 20, 8
# Held-out and test units up to which each protocol is tried on them.
MOST_SPREAD = 200_000


@dataclass(frozen=True)
class Section:
    """A heading, a sentence, and figures; `kind` names the part of the template that shows what is beside them."""

    name: str
    title: str
    sentence: str
    figures: Sequence[Figure] = ()
    kind: str = ""
    data: Any = field(default=None)


def sections(study: Study) -> list[Section]:
    """Those of which something is known."""
    made = (
        _ranking(study), _by_slice(study), _curves(study), _threshold(study), _spread(study), _on_call(study),
        _examples(study), _timeline(study), _training(study), _cost(study), _across(study),
    )  # fmt: skip
    return [one for one in made if one is not None]


def _ranking(study: Study) -> Section:
    figure = ranking([*study.models, *study.rules], study.metric, study.lower, study.tied)
    letters = study.tied
    tied = ""
    if letters and study.good:
        best = study.good[0]["model"]
        same = [name for name, of in letters.items() if name != best and set(of) & set(letters.get(best, ""))]
        said = f"cannot be told apart from {', '.join(same)}" if same else "is told apart from every other model"
        tests = "paired tests of verdicts, Holm's correction"
        tied = f"{best} {said}. Brackets join models that are not told apart ({tests})."
    table = {"metric": study.metric, "rows": _table(study), "tied": bool(letters)}
    return Section("ranking", "Ranking", f"{figure.description} {tied}".strip(), [figure], "ranking", table)


def _table(study: Study) -> list[dict[str, Any]]:
    rows = []
    other = "F1, distinct" if study.records[0]["protocol"]["duplicates"] == "all" else "F1, all"
    for row in (*study.models, *study.rules):
        rule = row.kind == "rule"
        rows.append(
            {
                "name": " ".join(filter(None, (row.name, SIGNS.get(row.learned)))),
                "kind": row.kind,
                "tied": study.tied.get(row.name, ""),
                "note": ""
                if row.status == "ok" and row.runs
                else f"{row.status}: {row.reason}"
                if not rule
                else "",
                "cells": [
                    (study.metric, row.metrics.get(study.metric)),
                    *(
                        (name, row.metrics.get(name))
                        for name in ("precision", "recall", "auprc")
                        if name != study.metric
                    ),
                    (other, row.other),
                    ("fit s", None if rule else row.cost.fit_s),
                    ("score s", None if rule else row.cost.score_s),
                ],
            }
        )
    return rows


def _by_slice(study: Study) -> Section | None:
    figure = by_slice(study.firsts, study.unit, study.metric)
    if figure is None:
        return None
    said = signs_said([row.learned for row in study.models])
    return Section("slices", "Slice by slice", f"{figure.description} {'. '.join(said)}".strip(), [figure])


def _curves(study: Study) -> Section | None:
    curves = []
    for record in study.firsts[:MOST_CURVES]:
        units = study.units(record)
        if units is None or not len(units):
            continue
        area = next((row.metrics.get("auprc") for row in study.models if row.name == record["model"]), None)
        curves.append(Curve(record["model"], Levels.of(units), threshold_of(record), area))
    if not curves:
        return None
    figures = [precision_recall(curves), roc(curves)]
    more = len(study.firsts) - len(curves)
    left = f" {more} further models are left out." if more > 0 else ""
    return Section("curves", "Precision and recall", figures[0].description + left, figures)


def _threshold(study: Study) -> Section | None:
    found: list[Explored] = []
    for record in study.firsts:
        units, scores = study.units(record), study.scores(record)
        moved = record.get("stream", {}).get("learning") in SIGNS  # each slice has a threshold of its own
        if moved or record["threshold"].get("rule") or units is None or scores is None or not len(units):
            continue
        found.append(explored(record["model"], record["threshold"], units, scores))
        if len(found) == MOST_THRESHOLDS:
            break
    if not found:
        return None
    figure = threshold(found[0])
    best = max(found[0].levels.f1)
    said = (
        f"Move the threshold of {found[0].model}: the one in force gives F1 "
        f"{number(float(found[0].levels.f1[found[0].start]))}, the oracle's {number(float(best))}. That is "
        "chosen on labels of the test: for comparison alone."
    )
    return Section("threshold", "Threshold", said, [figure], "threshold", [one.as_data() for one in found])


def _spread(study: Study) -> Section | None:
    record = next((one for one in study.firsts if not one["threshold"].get("rule")), None)
    scores = study.scores(record) if record else None
    if record is None or scores is None:
        return None
    if len(scores) > MOST_SPREAD:
        said = f"Left out for {len(scores):,} units; logbench protocols {record['model']} shows it."
        return Section("protocols", "Protocol", said)
    if not (choices := study.runs.spread(record)):
        return None
    published = [
        {"source": f"{table.name}: {table.source}", "f1": row.metrics["f1"]}
        for table in study.runs.published(record["dataset"]["name"])
        for row in table.rows
        if row.model == record["model"] and "f1" in row.metrics
    ]
    figure = spread(record["model"], choices, published)
    return Section("protocols", "How much of it is the protocol", figure.description, [figure])


def _on_call(study: Study) -> Section | None:
    figures = on_call(study)
    return Section("on-call", "What a person on call gets", figures[0].description, figures) if figures else None


def _examples(study: Study) -> Section | None:
    record = study.firsts[0] if study.firsts else None
    groups = examples(study, record) if record is not None else []
    units = study.units(record) if record is not None else None
    if record is None or not groups or units is None:
        return None
    alarm, anomaly = units["verdict"], units["label"] == 1
    of = {"false-positives": alarm & ~anomaly, "missed": ~alarm & anomaly, "found": alarm & anomaly}
    counts = ", ".join(
        f"{len(group['items'])} of {total:,} {group['title'].lower()}" if total else f"no {group['title'].lower()}"
        for group, total in ((group, of[group["kind"]].sum()) for group in groups)
    )
    said = f"{record['model']}: {counts}, those of the highest scores, equal sequences once."
    return Section("examples", "Why it alarmed", said, kind="examples", data=groups)


def _across(study: Study) -> Section | None:
    models, records = list(dict.fromkeys(row.name for row in study.models)), study.runs.records()
    ranks = across(without_doses(records, study.records), models, study.metric, study.lower)
    ranked = study.runs.across(one_protocol_each(records, study.records), study.metric)
    means = critical(ranked, study.metric) if ranked else None
    records = once(records, study.metric)
    made = [one for one in (ranks, means) if one] + doses(records, study.records, models, study.metric)
    for draw in (disturbed, transferred):
        made += each_model(draw, records, study.records, models, study.metric, study.lower)
    return Section("across", "Across data sets and protocols", made[0].description, made) if made else None


def _timeline(study: Study) -> Section | None:
    for record in study.firsts:
        units = study.units(record)
        figure = timeline(record["model"], units) if units is not None and len(units) else None
        if figure is not None:
            return Section("timeline", "Along the log", figure.description, [figure], "timeline")
    return None


def _training(study: Study) -> Section | None:
    """Losses by pass; which models have none is said, so that nobody misses a curve."""
    figure = training(study.firsts)
    curves = {row["model"] for row in figure.data["losses"]} if figure else set()
    names = [record["model"] for record in study.firsts if record["model"] not in curves]
    without = f"No curve: {', '.join(names)} (fitted at once, without passes that have a loss)." if names else ""
    said = " ".join(filter(None, (figure.description if figure else "", without)))
    return Section("training", "Training", said, [figure] if figure else []) if said else None


def _cost(study: Study) -> Section | None:
    made = [
        cost(study.models, study.metric, study.lower),
        stages(study.firsts[0]) if study.firsts else None,
        ladder(study.ladder) if study.ladder else None,
    ]
    figures = [one for one in made if one is not None]
    return Section("cost", "Cost", figures[0].description, figures) if figures else None
