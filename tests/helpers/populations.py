"""Populations of distinct sequences with known verdicts, to draw samples from: real ones and made-up ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Rule = Callable[[Sequence[str]], bool]


def cells_of(normal: Any, anomalous: Any, alarm: Any) -> Any:
    """Cells of each sequence, [sequences, 4], from how often it occurs with each label and its verdict."""
    return np.stack([anomalous * alarm, normal * alarm, normal * ~alarm, anomalous * ~alarm], axis=1).astype(float)


def archive(folder: Path) -> tuple[Mapping[str, Any], Any, Any]:
    """Verdicts of rules on each distinct sequence of the DeepLog archive's test set, and its multiplicities.

    Returns:
        Rule → bool [sequences]; normal and anomalous units of each sequence, int64 [sequences].
    """
    train = [line.split() for line in (folder / "hdfs_train").read_text().splitlines()]
    normal, anomalous = (
        Counter(line.strip() for line in (folder / name).read_text().splitlines())
        for name in ("hdfs_test_normal_1pct", "hdfs_test_abnormal")
    )
    texts = sorted({*normal, *anomalous})
    sequences = [text.split() for text in texts]
    verdicts = {name: np.array([rule(one) for one in sequences]) for name, rule in rules(train).items()}
    return verdicts, np.array([normal[t] for t in texts]), np.array([anomalous[t] for t in texts])


def rules(train: Sequence[Sequence[str]]) -> dict[str, Rule]:
    """Rules as models of this package know them: short sessions, unseen keys, lengths, pairs of keys."""
    known = {key for one in train for key in one}
    shortest, longest = min(map(len, train)), max(map(len, train))
    grams = {pair for one in train for pair in pairs(one)}
    unseen: Rule = lambda one: not known.issuperset(one)  # noqa: E731
    pair: Rule = lambda one: not grams.issuperset(pairs(one))  # noqa: E731
    return {
        "unseen key": unseen,
        "unseen key or short": lambda one: len(one) < 11 or unseen(one),
        "length": lambda one: not shortest <= len(one) <= longest,
        "2-gram": pair,
        "2-gram, short missed": lambda one: len(one) >= 11 and pair(one),
    }


def pairs(sequence: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from zip(["^", *sequence], [*sequence, "$"], strict=True)


def random_verdicts(anomalous: Any, recall: float, false_alarms: float, seed: int) -> Any:
    """Verdicts that do not depend on how often a sequence occurs, bool [sequences]."""
    drawn = np.random.default_rng(seed).random(len(anomalous))
    return np.where(anomalous > 0, drawn < recall, drawn < false_alarms)


def skewed(size: int, seed: int) -> tuple[Any, Any]:
    """Normal and anomalous units of `size` sequences whose multiplicities have a Pareto tail of index 1.2."""
    rng = np.random.default_rng(seed)
    times = np.ceil((1 - rng.random(size)) ** (-1 / 1.2)).astype(np.int64)
    anomalous = rng.random(size) < 0.4
    return times * ~anomalous, times * anomalous


def samples(population: Any, size: int, repetitions: int, seed: int) -> Iterator[Any]:
    """Sequences drawn with replacement, [size, n] each."""
    rng = np.random.default_rng(seed)
    for _ in range(repetitions):
        yield population[rng.integers(0, len(population), size)]


def exchangeable(first: Any, other: Any) -> Any:
    """Pairs [2 · sequences, 8] in which both runs are equally good: each sequence with its verdicts both ways."""
    return np.vstack([np.hstack([first, other]), np.hstack([other, first])])
