"""The head of a page: the data, the protocol as explained chips, the audit, and four figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from logbench import EvaluationProtocol

from .figures.figure import finds_nothing, number
from .study import Study

# Fields of the protocol that stand first; others follow where they are not the default.
FIRST = ("train", "content", "short", "unseen", "threshold", "duplicates")


def chips(study: Study) -> list[dict[str, str]]:
    """Name, value and meaning of each field of the protocol that is worth a look."""
    protocol, fields = (
        study.records[0]["protocol"],
        {one.name: one for one in dataclasses.fields(EvaluationProtocol)},
    )
    changed = [
        name
        for name, field in fields.items()
        if name not in FIRST and name in protocol and protocol[name] != field.default and name != "split_seed"
    ]
    names = [name for name in (*FIRST, *changed) if name in protocol]
    told = [
        {"name": name, "value": _text(protocol[name]), "meaning": str(fields[name].metadata.get("help", ""))}
        for name in names
        if name in fields
    ]
    seeds = sorted({str(record["protocol"]["split_seed"]) for record in study.records})
    hashes = sorted({str(record["protocol"].get("hash", "")) for record in study.records} - {""})
    return [
        *told,
        {
            "name": "split seed",
            "value": ", ".join(seeds),
            "meaning": "decides which units are drawn for each side",
        },
        {
            "name": "hash",
            "value": ", ".join(hashes),
            "meaning": "of every field; runs of another hash are not compared",
        },
    ]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def facts(study: Study) -> list[str]:
    """Sentences about the data and the split."""
    first = next((one for one in study.records if one["split"]), study.records[0])
    data, split, unit = first["dataset"], first["split"], study.unit
    told = []
    if data.get("simulated"):
        told.append("Simulated data: never set against published figures.")
    if split:
        told.append(
            f"{split['train']:,} {unit}s train, {split['held_out']:,} are held out, {split['test']:,} are tested."
        )
    shares = {round(row.prevalence, 6) for row in study.models if row.prevalence is not None}
    if len(shares) == 1:
        told.append(f"{shares.pop():.2%} of the tested {unit}s are anomalous.")
    bound: Mapping[str, Any] = next((one["bound"] for one in study.records if one.get("bound")), {})
    if bound.get("f1") is not None and bound["f1"] < 0.999:
        told.append(f"By key sequences alone no model can pass F1 {number(bound['f1'])}.")
    return told


def audit(study: Study) -> dict[str, Any]:
    """What was checked against leaks: a run ends where a check fails, so those that worked passed."""
    checks = [record["audit"] for record in study.records if record["status"] == "ok"]
    if not checks:
        return {"passed": None, "lines": ["no run worked, so nothing was checked"]}
    first = checks[0]
    lines = [f"no {study.unit} is on two sides ({first.get('units', 0):,} looked at)"]
    if first.get("parser_messages") is not None:
        lines.append(f"the parser saw {first['parser_messages']:,} distinct messages, all of training")
    lines.append(
        f"labels given to models: {', '.join(sorted({str(one.get('labels', 'unknown')) for one in checks}))}"
    )
    chosen_on = sorted({str(one.get("threshold", "nothing")) for one in checks})
    lines.append(f"the threshold was chosen on: {', '.join(chosen_on)}")
    shared = sum(one.get("shared_lines") or 0 for one in checks[:1])
    if shared:
        lines.append(f"{shared:,} lines belong to units of both sides")
    straddling = study.records[0]["split"].get("straddling") if study.records[0]["split"] else None
    if straddling:
        lines.append(f"{straddling:,} training {study.unit}s reach past the start of the test")
    differ = {
        record["model"]: record["audit"]["alone"]["differ"]
        for record in study.good
        if isinstance(record["audit"].get("alone"), Mapping) and record["audit"]["alone"]["differ"]
    }
    lines += [f"{model}: {count:,} scores change where a unit is scored alone" for model, count in differ.items()]
    return {"passed": True, "lines": lines}


def figures(study: Study) -> list[dict[str, str]]:
    """The four figures: best model, its metric, the best rule, the difference."""
    best = next((row for row in study.models if row.metrics.get(study.metric) is not None), None)
    if best is None:
        return []
    value, rule = best.metrics[study.metric] or 0.0, study.best_rule
    nothing, low_high = finds_nothing(study.metric, value), best.bounds.get(study.metric)
    interval = f"95% interval {number(low_high[0])} to {number(low_high[1])}" if low_high else _no_interval(best)
    told = [
        {"name": "best model", "value": "none" if nothing else best.name, "note": f"of {len(study.models)}"},
        {"name": f"its {study.metric}", "value": number(value), "note": interval},
    ]
    if rule is not None:
        ruled = rule.metrics[study.metric] or 0.0
        sign = "+" if value >= ruled else "−"
        told += [
            {"name": "best rule, without a model", "value": number(ruled), "note": rule.name},
            {"name": "what the model adds", "value": f"{sign}{number(abs(value - ruled))}", "note": study.metric},
        ]
    return told


def _no_interval(row: Any) -> str:
    return "deterministic: no interval over seeds" if not row.counted else f"{row.runs} run: no interval"


def headline(study: Study) -> str:
    """The page in a sentence."""
    told = figures(study)
    if not told:
        return f"{study.records[0]['dataset'].get('name')}: no run has a value of {study.metric}"
    data = study.records[0]["dataset"].get("name")
    first = f"{told[0]['value']} is best of {len(study.models)} on {data}: {study.metric} {told[1]['value']}"
    if finds_nothing(study.metric, study.models[0].metrics[study.metric]):
        first = f"none of {len(study.models)} finds an anomaly on {data}: {study.metric} {told[1]['value']}"
    if len(told) < 4:
        return first
    return f"{first}; the rule '{told[2]['note']}' gives {told[2]['value']}"
