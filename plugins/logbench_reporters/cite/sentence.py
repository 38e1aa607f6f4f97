"""The protocol of runs in one sentence, to be put into a paper as it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from logbench import EvaluationProtocol

from ..words import several

Record = Mapping[str, Any]
TRAIN = {
    "first": "the first ones in time", "random": "drawn at random", "given": "as the data set gives them",
    "ratio": "before the others in time", "random_ratio": "drawn at random",
    "per_class_ratio": "drawn at random within each class", "group": "of other groups than the tested ones",
}  # fmt: skip
CONTENT = {"normal": "normal", "mixed": "unlabelled", "labelled": "labelled"}
SHORT = {"flag": "raise an alarm", "miss": "raise none", "drop": "are left out of the metrics"}
UNSEEN = {
    "anomalous": "raise an alarm anywhere", "target": "raise an alarm where the model meets one",
    "ignore": "raise none by themselves",
}  # fmt: skip
# Fields that the sentence says in words; others are named where they are not the default.
SAID = {
    "train", "train_units", "train_ratio", "content", "split_seed", "held_out", "min_events", "short", "unseen",
    "threshold", "alpha", "value", "duplicates",
}  # fmt: skip
DUPLICATES = {
    "all": "every {unit} counts", "unique": "each distinct pair of key sequence and label counts once",
}  # fmt: skip


def sentence(records: Sequence[Record]) -> str:
    """The data, the split, the rules, the threshold and the seeds of runs of one protocol.

    Args:
        records: of one data set and protocol, at least one; the first that worked tells the numbers.
    """
    record = next((one for one in records if one["status"] == "ok"), records[0])
    models = list(dict.fromkeys(one["model"] for one in records if not one["baseline"]))
    lead = f"{_joined(models or [record['model']])} {'was' if len(models) < 2 else 'were'} run with logbench"
    version = (record.get("source") or {}).get("version")
    return f"{lead}{f' {version}' if version else ''} on {_data(record)}: {'; '.join(_parts(record, records))}."


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _data(record: Record) -> str:
    data = record["dataset"]
    digest = f"SHA-256 {data['digest'][:12]}" if data.get("digest") else ""
    facts = ", ".join(part for part in ("simulated" if data.get("simulated") else "", digest) if part)
    return f"{data.get('name', 'data')}{f' ({facts})' if facts else ''}"


def _parts(record: Record, records: Sequence[Record]) -> Iterator[str]:
    protocol, split, unit = record["protocol"], record["split"], record["dataset"].get("unit", "unit")
    if split:
        trained = several(split["train"] + split["held_out"], f"{CONTENT[protocol['content']]} {unit}")
        yield (
            f"{trained} trained, {TRAIN[protocol['train']]} "
            f"({split['held_out']:,} of them held out), and {several(split['test'], unit)} were tested"
        )
        if split.get("training_anomalies") and protocol["content"] == "normal":
            anomalies = several(split["training_anomalies"], "unlabelled anomaly", "unlabelled anomalies")
            yield f"{anomalies} {'was' if split['training_anomalies'] == 1 else 'were'} among those that trained"
    limit = record["counts"].get("short_limit") or 0
    if limit > 1:  # else only units without any event are short
        yield f"{unit}s of fewer than {several(limit, 'event')} {SHORT[protocol['short']]}"
    yield f"keys that training lacks {UNSEEN[protocol['unseen']]}"
    yield from _thresholds(records)
    yield DUPLICATES[protocol["duplicates"]].format(unit=unit)
    for field in dataclasses.fields(EvaluationProtocol):
        if field.name not in SAID and protocol.get(field.name, field.default) != field.default:
            yield f"{field.name.replace('_', ' ')} {protocol[field.name]}"
    yield _seeds(records)
    yield f"protocol {protocol.get('hash', 'unknown')}"


def _thresholds(records: Sequence[Record]) -> Iterator[str]:
    """Where thresholds are from, with the models where they are from several places."""
    found: dict[str, list[str]] = {}
    for record in records:
        models = found.setdefault(_threshold(record), [])
        if record["model"] not in models:
            models.append(record["model"])
    for text, models in found.items():
        yield text if len(found) == 1 else f"{text} ({_joined(models)})"


def _threshold(record: Record) -> str:
    protocol, source = record["protocol"], record["threshold"].get("source", record["protocol"]["threshold"])
    held_out, value = record["threshold"].get("held_out", 0), protocol.get("value")
    return {
        "validation": f"the threshold is from {several(held_out, 'held-out unit')} without labels "
        f"(alpha {protocol['alpha']:g})",
        "labelled": f"the threshold is the best in F1 on {several(held_out, 'labelled held-out unit')}",
        "fixed": "the threshold is the model's own" if value is None else f"the threshold is {value:g}",
        "oracle": "the threshold is the best in F1 on the test labels (oracle)",
        "rule": "the model says yes or no by itself",
    }[source]


def _seeds(records: Sequence[Record]) -> str:
    seeds = sorted({one["seed"] for one in records if one["stochastic"]})
    splits = sorted({one["protocol"]["split_seed"] for one in records})
    told = _numbered("seed", seeds) if seeds else "no chance in the model"
    return f"{told}, {_numbered('split seed', splits)}"


def _numbered(name: str, numbers: Sequence[int]) -> str:
    return f"{name}{'s' if len(numbers) > 1 else ''} {_joined([*map(str, numbers)])}"
