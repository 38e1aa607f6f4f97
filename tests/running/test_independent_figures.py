"""Every figure of a record, made again from raw lines in plain Python; only what was drawn is taken from it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from labelled_log import CARD, Log, Row, registry, run_one, write

from logbench import (
    Context,
    DatasetComponent,
    EvaluationProtocol,
    Lines,
    ModelComponent,
    RunRecord,
    Scores,
    Sessions,
)
from logbench.pipeline.label_budget import hidden_units

INF = float("inf")
WINDOWS: dict[str, Any] = {"session": {}, "count": {"size": 5}, "time": {"size": "10s"}}
TRAINS = ("first", "random", "ratio", "random_ratio", "per_class_ratio", "group")
CONTENTS = ("normal", "mixed", "labelled")
MODELS = ("new-event", "length", "2-gram", "n-gram", "far")
FIRST, RATIO, HELD_OUT, SHORTEST, ALPHA = 40, 0.4, 0.25, 3, 0.1
Pair = tuple[int, float]


class GroupedLines(Log):
    """The same log; a node's group is its last digit."""

    def read(self, path: Path) -> Lines:
        came = super().read(path)
        return Lines(came.frame.with_columns(group=pl.col("node").str.slice(-1)), files=came.files)


class Far:
    """A graded model: how many events a unit is from the mean, and how many of its keys training never met."""

    def fit(self, train: Sessions, context: Context) -> None:
        self.mean = float(train.lengths.mean())

    def score(self, sessions: Sessions, context: Context) -> Scores:
        known = abs(sessions.lengths - self.mean)
        return Scores(known + sessions.unseen, ignoring=known)


KNOWN = registry(datasets=[DatasetComponent("log", GroupedLines, card=CARD)], models=[ModelComponent("far", Far)])


@dataclass
class Unit:
    """Lines that belong together; `side` where the lines were cut before."""

    side: str
    lines: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    label: int = 0
    group: str = ""


def log(seed: int) -> list[Row]:
    """Sessions that begin one after another and mingle; late ones have messages that early ones have not."""
    draw, rows = random.Random(seed), list[tuple[float, Row]]()
    for session in range(150):
        odd = draw.random() < 0.2
        words = ["open", *draw.choices("abc", k=draw.choice((0, 1, 1, 2, 2, 2, 3, 5))), "close"]
        words = words[: draw.choice((1, 2, 9, 9, 9, 9))]
        if session > 60 and draw.random() < 0.2:
            words[draw.randrange(len(words))] = f"late {draw.randrange(3)}"
        if odd:
            words[draw.randrange(len(words))] = draw.choice(("bad", "a", "close"))
        bad = draw.randrange(len(words)) if odd else -1
        for at, word in enumerate(words):
            second = 10 * session + draw.random() * 9 + 7 * at
            rows.append((second, (word, int(at == bad), int(second), f"node-{session}-{session % 7}")))
    return [row for _, row in sorted(rows, key=lambda one: one[0])]


def cut_into(rows: list[Row], windower: str, train: str) -> list[Unit]:
    cuts = train == "ratio" and windower != "session"
    end = round(RATIO * len(rows))
    held = end - round(HELD_OUT * end)
    found: dict[Any, Unit] = {}
    for line, (word, label, second, node) in enumerate(rows):
        side = ("train" if line < held else "held" if line < end else "test") if cuts else ""
        begin = {"train": 0, "held": held, "test": end, "": 0}[side]
        name: Any = {"session": node, "count": (line - begin) // 5, "time": second // 10}[windower]
        unit = found.setdefault((side, name), Unit(side, group=node[-1]))
        unit.lines.append(line)
        unit.keys.append(word)
        unit.label = max(unit.label, label)
    return list(found.values())


def share_of(units: list[Unit], train: str, content: str, tested: set[int]) -> set[int]:
    """The training share; of a split that is drawn, by its rule and what the record tests."""
    every = range(len(units))
    may = [at for at in every if content != "normal" or not units[at].label]
    if units[0].side:
        return {at for at in every if units[at].side != "test"}
    if train == "first":
        return set(may[:FIRST])
    if train == "ratio":
        return set(every[: round(RATIO * len(units))])
    if train == "per_class_ratio":
        by_class = [[at for at in every if units[at].label == label] for label in (0, 1)]
        return {at for of in by_class for at in of[: int(RATIO * len(of))]}
    left = set(every) - tested
    if train == "group":
        groups = {unit.group for unit in units}
        drawn = {units[at].group for at in left}
        assert len(drawn) == round(RATIO * len(groups)) and left == {a for a in every if units[a].group in drawn}
    else:
        size = FIRST if train == "random" else round(RATIO * len(units))
        assert len(left) == size and (train != "random" or left <= set(may))
    return left


def hidden(fits: set[int], held: set[int], asked: Any) -> set[int]:
    """Units whose label is beyond the budget: as many as asked, which ones is drawn."""
    parts = (np.array(sorted(part), dtype=np.int64) for part in (fits, held))
    drawn = set(hidden_units(*parts, EvaluationProtocol.of(asked)).tolist())
    budget, units = asked["label_budget"], len(fits) + len(held)
    assert drawn <= fits | held
    assert len(drawn) == (units - round(budget * units if budget <= 1 else budget) if budget is not None else 0)
    return drawn


def labels_of(seen: list[int], used: int) -> dict[str, int]:
    """Counts of labels; a model that learns from normal units is handed those that say normal."""
    return {"seen": len(seen), "seen_normal": seen.count(0), "seen_anomalous": seen.count(1), "used": used}


def straddling(units: list[Unit], trained: set[int], tested: set[int], train: str) -> int | None:
    later = sorted(at for at in tested if at > max(trained))
    if train not in ("first", "ratio") or not later:
        return None
    return sum(units[at].lines[-1] >= units[later[0]].lines[0] for at in trained)


def learned(units: list[Unit], train: set[int], normals: set[int], model: str) -> Any:
    """A function from a unit to its score and its score without keys that training never met."""
    vocabulary = {key for at in train for key in units[at].keys}
    mine = [units[at] for at in normals]
    if model == "new-event":
        known = {key for unit in mine for key in unit.keys}
        return lambda u: (
            float(any(key not in known for key in u.keys)),
            float(any(key not in known and key in vocabulary for key in u.keys)),
        )
    if model == "length":
        sizes = [len(unit.keys) for unit in mine]
        return lambda u: (float(not min(sizes) <= len(u.keys) <= max(sizes)),) * 2
    if model == "far":
        mean = sum(len(unit.keys) for unit in mine) / len(mine)
        far = [lambda u: abs(len(u.keys) - mean), lambda u: sum(key not in vocabulary for key in u.keys)]
        return lambda u: (far[0](u) + far[1](u), far[0](u))
    n = 2 if model == "2-gram" else 3

    def grams(unit: Unit) -> list[tuple[str, ...]]:
        keys = ["^", *(key if key in vocabulary else "?" for key in unit.keys), "$"]
        return [tuple(keys[at : at + n]) for at in range(len(keys) - n + 1)]

    normal = {gram for unit in mine for gram in grams(unit)}

    def scores(unit: Unit) -> tuple[float, float]:
        of = grams(unit)
        missed = [gram for gram in of if gram not in normal]
        known = [gram for gram in missed if "?" not in gram]
        if model == "2-gram":
            by_length = 1 / (n * (len(unit.keys) + 2 - n / 2))  # as published: one mismatch, by the unit's length
            return bool(missed) * by_length, bool(known) * by_length
        return len(missed) / max(len(of), 1), len(known) / max(len(of), 1)

    return scores


def chosen_threshold(held: list[float], cases: list[Pair], model: str, threshold: str) -> float:
    """Of an oracle the highest of the best."""
    if model != "far":
        return 0.0
    if threshold == "fixed":
        return 2.5
    if threshold == "validation":
        return min(t for t in held if sum(s > t for s in held) <= ALPHA * len(held) + 1e-9)
    tried = sorted({score for _, score in cases} | {-INF, INF}, reverse=True)
    return max(tried, key=lambda t: (f1(cells([(y, s > t or s == INF) for y, s in cases])), t))


def cells(cases: list[Any]) -> Counter[str]:
    return Counter(("tp" if label else "fp") if alarm else ("fn" if label else "tn") for label, alarm in cases)


def f1(of: Counter[str]) -> float:
    return 2 * of["tp"] / max(2 * of["tp"] + of["fp"] + of["fn"], 1)


def metrics(cases: list[Any]) -> dict[str, float]:
    of = cells(cases)
    ratios = {
        "precision": of["tp"] / max(of["tp"] + of["fp"], 1),
        "recall": of["tp"] / max(of["tp"] + of["fn"], 1),
    }
    ratios |= {"f1": f1(of), "prevalence": (of["tp"] + of["fn"]) / max(len(cases), 1)}
    if 0 < of["tp"] + of["fn"] < len(cases):
        product = (of["tp"] + of["fp"]) * (of["tp"] + of["fn"]) * (of["tn"] + of["fp"]) * (of["tn"] + of["fn"])
        ratios["mcc"] = (of["tp"] * of["tn"] - of["fp"] * of["fn"]) / (product or 1) ** 0.5
    return {**{name: float(of[name]) for name in ("tp", "fp", "tn", "fn")}, **ratios}


def auroc(cases: list[Pair]) -> float:
    """How often an anomaly scores above a normal unit; half where they tie."""
    pairs = [(a > n) + (a == n) / 2 for y, a in cases if y for x, n in cases if not x]
    return sum(pairs) / len(pairs)


def compute(rows: list[Row], record: RunRecord, windower: str, out: Path) -> dict[str, Any]:
    """What the record should say."""
    asked, model = record.protocol, record.model
    train, content, limit = asked["train"], asked["content"], asked["min_events"] or 1
    units = cut_into(rows, windower, train)
    drawn = pl.read_parquet(out / record.artifacts["scores"]).select("index", "part").rows()
    held, tested = ({at for at, part in drawn if part == which} for which in ("held_out", "test"))
    share, part = share_of(units, train, content, tested), asked["contamination"]
    reserve = set[int]()
    if part is not None and train == "first":  # half of the anomalies that do not train anyway
        outside = {at for at, unit in enumerate(units) if unit.label} - share
        reserve = outside - tested
        assert len(reserve) == len(outside) // 2
        share = share | reserve
    assert tested == set(range(len(units))) - share
    trained = {at for at in share if content != "normal" or not units[at].label}
    if part is not None:  # none of the anomalies trains, or all
        normals = {at for at in share if not units[at].label}
        trained = share if part else normals
        assert held <= trained and record.split["contaminating"] == len(trained - normals)
        assert len(held & normals) == round(HELD_OUT * len(normals))
    elif units[0].side:
        assert held == {at for at in trained if units[at].side == "held"}
    else:
        assert held <= trained and len(held) == round(HELD_OUT * len(trained))
    fits = trained - held
    wrong = {"anomaly_to_normal": (1,), "normal_to_anomaly": (0,), "symmetric": (0, 1)}[asked["label_noise_kind"]]
    flipped = {
        at for at in trained if asked["label_noise"] and units[at].label in wrong
    }  # all of them: noise is 1
    seen = {at: units[at].label ^ (at in flipped) for at in trained}
    unknown = hidden(fits, held, asked)
    normals = {at for at in fits if content != "labelled" or (not seen[at] and at not in unknown)}
    score, vocabulary = learned(units, fits, normals, model), {key for at in fits for key in units[at].keys}
    sequences = {tuple(units[at].keys) for at in fits}
    strange = {at for at, unit in enumerate(units) if set(unit.keys) - vocabulary}
    short = {at for at, unit in enumerate(units) if len(unit.keys) < limit}

    def ruled(at: int) -> float | None:
        if at in short:
            return {"flag": INF, "miss": -INF, "drop": None}[asked["short"]]
        if asked["unseen"] == "anomalous" and at in strange:
            return INF
        return float(score(units[at])[asked["unseen"] == "ignore"])

    scored = {at: value for at in sorted(tested) if (value := ruled(at)) is not None}
    pairs = {(tuple(units[at].keys), units[at].label): at for at in scored}
    choices = pairs.values() if asked["duplicates"] == "unique" else scored
    calm = [at for at in sorted(held) if content != "labelled" or (not seen[at] and at not in unknown)]
    levels = [value for at in calm if (value := ruled(at)) is not None]
    value = chosen_threshold(levels, [(units[at].label, scored[at]) for at in choices], model, asked["threshold"])

    def of(which: Any, alarms: Any = lambda at: scored[at] > value or scored[at] == INF) -> dict[str, float]:
        return metrics([(units[at].label, alarms(at)) for at in which])

    dropped = [units[at].label for at in tested if at not in scored]
    beyond = [at for at in scored if tuple(units[at].keys) not in sequences]
    return {
        "split": {
            "train": len(fits),
            "held_out": len(held),
            "test": len(tested),
            "left_out": len(share) - len(trained),
            "training_anomalies": sum(units[at].label for at in trained),
            "straddling": straddling(units, trained - reserve, tested, train),
            "flipped": {
                name: sum(units[at].label == label for at in flipped)
                for label, name in enumerate(("normal", "anomaly"))
            },
        },
        "labels": labels_of([seen[at] for at in trained - unknown], len(normals) + len(calm))
        if content == "labelled"
        else {},
        "groups": len({units[at].group for at in trained} & {units[at].group for at in tested}),
        "counts": {
            "labelled": len(tested),
            "scored": len(scored),
            "excluded": {"normal": dropped.count(0), "anomaly": dropped.count(1)},
            "short": len(short & tested),
            "unseen": len(strange & tested),
            "repeats": sum(tuple(units[at].keys) in sequences for at in tested),
        },
        "threshold": {"value": value, "held_out": len(levels)},
        "repeats": sum(tuple(units[at].keys) in sequences for at in calm if ruled(at) is not None),
        "all": of(scored),
        "distinct": of(pairs.values()),
        "unseen_sequences": of(beyond) if beyond else None,
        "auroc": auroc([(units[at].label, scored[at]) for at in scored]),
        "trivial": {
            "predict_all": of(scored, lambda at: True),
            "short": of(scored, lambda at: at in short),
            "unseen": of(scored, lambda at: at in strange),
            "unseen_or_short": of(scored, lambda at: at in short | strange),
        },
    }


def check(folder: Path, model: str, windower: str = "session", seed: int = 0, **protocol: Any) -> RunRecord:
    asked = {"train": "ratio", "train_units": FIRST, "train_ratio": RATIO, "held_out": HELD_OUT}
    asked |= {"min_events": SHORTEST, "alpha": ALPHA, "split_seed": seed, **protocol}
    settings: dict[str, Any] = {"protocol": asked, windower: WINDOWS[windower]}
    if model == "n-gram":
        settings[model] = {"n": 3}
    rows = log(seed)
    record = run_one(write(folder / "a.log", rows), KNOWN, model, settings, windower=windower)
    assert record.status == "ok", record.error
    wanted = compute(rows, record, windower, folder / "runs")
    assert {name: record.split[name] for name in wanted["split"]} == wanted["split"]
    assert record.labels == wanted["labels"]
    assert record.split["groups"]["shared"] == wanted["groups"]
    assert {name: record.counts[name] for name in wanted["counts"]} == wanted["counts"]
    assert {name: record.threshold[name] for name in wanted["threshold"]} == wanted["threshold"]
    assert record.threshold["repeats"] == wanted["repeats"]
    (unit,) = set(record.metrics) - {"event"}
    for kind in ("all", "distinct", "unseen_sequences"):
        same(record.metrics[unit][kind], wanted[kind])
    assert record.metrics[unit]["all"]["auroc"] == pytest.approx(wanted["auroc"])
    for rule, values in wanted["trivial"].items():
        same(record.trivial[rule][unit]["all"], values)
    return record


def same(found: Any, wanted: Any) -> None:
    if wanted is None:
        assert found is None
    else:
        assert {name: found[name] for name in wanted} == pytest.approx(wanted)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("train", TRAINS)
@pytest.mark.parametrize("windower", WINDOWS)
def test_splits_of_every_kind_of_unit(tmp_path: Path, windower: str, train: str, content: str) -> None:
    check(tmp_path, "far", windower, train=train, content=content)


@pytest.mark.parametrize("duplicates", ["all", "unique"])
@pytest.mark.parametrize("unseen", ["ignore", "target", "anomalous"])
@pytest.mark.parametrize("short", ["flag", "miss", "drop"])
@pytest.mark.parametrize("model", MODELS)
def test_verdicts_of_every_rule(tmp_path: Path, model: str, short: str, unseen: str, duplicates: str) -> None:
    check(tmp_path, model, seed=1, short=short, unseen=unseen, duplicates=duplicates)


@pytest.mark.parametrize("duplicates", ["all", "unique"])
@pytest.mark.parametrize("short", ["flag", "miss", "drop"])
@pytest.mark.parametrize("threshold", [{"threshold": "oracle"}, {"threshold": "fixed", "value": 2.5}])
def test_thresholds_of_every_source(tmp_path: Path, threshold: Any, short: str, duplicates: str) -> None:
    check(tmp_path, "far", seed=2, short=short, unseen="anomalous", duplicates=duplicates, **threshold)


@pytest.mark.parametrize("train", ["first", "ratio", "group"])
@pytest.mark.parametrize("kind", ["symmetric", "anomaly_to_normal"])
def test_labels_that_are_all_wrong(tmp_path: Path, kind: str, train: str) -> None:
    """Of the third kind no unit would be left that trains as normal."""
    check(tmp_path, "far", content="labelled", train=train, label_noise=1.0, label_noise_kind=kind)


@pytest.mark.parametrize("train", ["first", "ratio", "group"])
@pytest.mark.parametrize("more", [{"label_budget": 0.5}, {"label_budget": 30, "label_noise": 1.0}])
def test_labels_that_nobody_may_see(tmp_path: Path, more: Any, train: str) -> None:
    check(tmp_path, "far", content="labelled", train=train, label_noise_kind="anomaly_to_normal", **more)


@pytest.mark.parametrize("content", ["normal", "mixed"])
@pytest.mark.parametrize("train", ["first", "ratio", "per_class_ratio", "group"])
def test_anomalies_that_train_unknown(tmp_path: Path, train: str, content: str) -> None:
    without = check(tmp_path, "far", train=train, content=content, contamination=0.0).split
    normals, anomalies = without["train"] + without["held_out"], without["left_out"]
    assert anomalies > 0
    most = anomalies / (normals + anomalies)
    mixed = check(tmp_path, "far", train=train, content=content, contamination=most).split
    assert mixed["test_digest"] == without["test_digest"] and mixed["left_out"] == 0
