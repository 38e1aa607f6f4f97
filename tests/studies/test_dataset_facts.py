"""What `datasets info` says of data, against counting in plain Python; drift against its definition."""

from __future__ import annotations

import itertools
import json
import math
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hdfs_lines import WriteHdfs
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_log import Row, registry, write

from logbench import IncompatibleError, Sessions
from logbench.base.progress_bars import Bars
from logbench.studies.dataset_facts import PERMUTATIONS, describe, drift

KEYS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=6)


def divergence(first: list[list[int]], second: list[list[int]]) -> float:
    """By the definition: the mean relative entropy to the mixture, in bits."""
    shares = []
    for units in (first, second):
        counts = Counter(itertools.chain.from_iterable(units))
        shares.append({key: count / counts.total() for key, count in counts.items()})
    total = 0.0
    for mine, other in (shares, shares[::-1]):
        total += sum(p * math.log2(p / ((p + other.get(key, 0)) / 2)) for key, p in mine.items()) / 2
    return total


def apart(first: list[list[int]], second: list[list[int]], seed: int = 0) -> dict[str, float] | None:
    sides = [np.arange(len(first)), len(first) + np.arange(len(second))]
    return drift(Sessions.of([*first, *second], 4), sides, seed)


@given(KEYS, KEYS, st.integers(0, 5))
@settings(deadline=None, max_examples=40)
def test_drift_is_the_divergence_of_the_shares_of_keys(
    first: list[list[int]], second: list[list[int]], seed: int
) -> None:
    found = apart(first, second, seed)
    assert found is not None and found == apart(first, second, seed)
    assert found["divergence"] == pytest.approx(divergence(first, second), abs=1e-9)
    partitions = list(itertools.combinations(range(len(first) + len(second)), len(first)))
    units = [*first, *second]
    values = sorted(
        divergence([units[i] for i in chosen], [units[i] for i in range(len(units)) if i not in chosen])
        for chosen in partitions
    )
    assert values[0] - 1e-9 <= found["chance"] <= values[-1] + 1e-9
    least = sum(value > found["divergence"] + 1e-9 for value in values) / len(values)
    most = sum(value >= found["divergence"] - 1e-9 for value in values) / len(values)
    noise = 5 * math.sqrt(0.25 / PERMUTATIONS)
    assert least - noise <= found["p"] <= most + noise + 1 / PERMUTATIONS


def test_drift_tells_other_keys_from_the_same_ones() -> None:
    same, other = [[0, 1, 2]] * 40, [[0, 1, 3]] * 40
    shifted, equal = apart(same, other), apart(same, same)
    assert shifted is not None and shifted["p"] == 1 / (PERMUTATIONS + 1)
    assert shifted["divergence"] == pytest.approx(1 / 3) and shifted["chance"] < 0.1
    assert equal is not None and equal["p"] == 1.0 and equal["divergence"] == pytest.approx(0)
    assert apart(same, []) is None and apart(same, [[]]) is None


LOG: list[Row] = [
    *((f"m{i % 3}", 0, i, f"n{i // 4}") for i in range(60)),
    *(("late" if i % 7 == 3 else f"m{i % 3}", int(i % 7 == 3 and i > 70), i, f"n{i // 4}") for i in range(60, 98)),
]
SETTINGS: dict[str, Any] = {"protocol": {"train": "first", "train_units": 12, "train_ratio": 0.5, "held_out": 0}}


def units_by_hand() -> tuple[list[list[str]], list[int]]:
    keys, labels = [], []
    for _, rows in itertools.groupby(LOG, key=lambda row: row[3]):
        lines = list(rows)
        keys.append([message for message, *_ in lines])
        labels.append(max(label for _, label, *_ in lines))
    return keys, labels


def test_counts_are_those_of_a_loop(tmp_path: Path) -> None:
    data = write(tmp_path / "a.log", LOG)
    found = describe("log", registry(), Bars(enabled=False), data=data, windower="node", settings=SETTINGS)
    keys, labels = units_by_hand()
    assert found["facts"]["lines"] == len(LOG) and found["unit"] == "node" and found["units"] == len(keys)
    assert found["labels"] == {"normal": labels.count(0), "anomaly": labels.count(1), "unlabelled": 0}
    frequent = [(row["template"], row["events"], row["known"]) for row in found["templates"]]
    words = Counter(message for message, *_ in LOG)
    assert sorted(frequent) == sorted((word, count, word != "late") for word, count in words.items())
    assert [count for _, count, _ in frequent] == sorted(words.values(), reverse=True)
    lines = Counter(label for _, label, *_ in LOG)
    assert found["line_labels"] == {"normal": lines[0], "anomaly": lines[1], "unlabelled": 0}
    assert found["prevalence"] == pytest.approx(labels.count(1) / len(labels))
    both: dict[tuple[str, ...], set[int]] = {}
    for unit, label in zip(keys, labels, strict=True):
        both.setdefault(tuple(unit), set()).add(label)
    assert found["distinct"] == len(both)
    ambiguous = [unit for unit, seen in both.items() if len(seen) == 2]
    assert found["bound"]["ambiguous"] == len(ambiguous)
    lengths = [len(unit) for unit, label in zip(keys, labels, strict=True) if label == 0]
    assert found["lengths"]["normal"]["min"] == min(lengths) and found["lengths"]["normal"]["max"] == max(lengths)
    assert found["lengths"]["normal"]["median"] == statistics.median(lengths)
    assert found["lengths"]["unlabelled"] is None


@pytest.mark.parametrize(("kind", "cut"), [("first", 12), ("ratio", 12)])
def test_unseen_keys_of_a_split_are_those_that_training_lacks(tmp_path: Path, kind: str, cut: int) -> None:
    data = write(tmp_path / "a.log", LOG)
    found = describe("log", registry(), Bars(enabled=False), data=data, windower="node", settings=SETTINGS)
    keys, labels = units_by_hand()
    known = set(itertools.chain.from_iterable(keys[:cut]))  # the first 12 are normal
    strange = [label for unit, label in zip(keys[cut:], labels[cut:], strict=True) if set(unit) - known]
    split = found["splits"][kind]
    assert split["unseen"] == {"normal": strange.count(0), "anomaly": strange.count(1), "unlabelled": 0}
    assert split["tested"] == {"normal": labels[cut:].count(0), "anomaly": labels[cut:].count(1), "unlabelled": 0}
    normal = [unit for unit, label in zip(keys[cut:], labels[cut:], strict=True) if label == 0]
    assert split["drift"]["divergence"] == pytest.approx(divergence_of_words(keys[:cut], normal), abs=1e-9)
    assert "names its training part" in found["splits"]["given"]["skipped"]


def divergence_of_words(first: list[list[str]], second: list[list[str]]) -> float:
    number = {word: i for i, word in enumerate(sorted({word for unit in [*first, *second] for word in unit}))}
    return divergence(*([[number[word] for word in unit] for unit in units] for units in (first, second)))


def test_overlapping_windows_serve_the_chronological_split_alone(tmp_path: Path) -> None:
    data = write(tmp_path / "a.log", LOG)
    options: dict[str, Any] = {"data": data, "settings": {"count": {"size": 10, "stride": 5}}}
    found = describe("log", registry(), Bars(enabled=False), **options)
    served = [kind for kind, split in found["splits"].items() if "skipped" not in split]
    assert served == ["ratio"] and found["splits"]["ratio"]["shared_lines"] == 0 and found["unit"] == "window"


def test_data_that_no_split_serves_say_why(tmp_path: Path) -> None:
    data = write(tmp_path / "a.log", LOG)
    with pytest.raises(IncompatibleError, match="need lines with a file"):
        describe("log", registry(), Bars(enabled=False), data=data, windower="file")


def test_the_command_prints_a_table_or_one_object(write_hdfs: WriteHdfs, run_logbench: Any) -> None:
    data = write_hdfs(labels="BlockId,Label\nblk_1,Normal\nblk_-2,Anomaly\nblk_3,Anomaly\n")
    words = ["datasets", "info", "hdfs", "--data", str(data), "--set", "protocol.train_units=1"]
    shown = run_logbench(*words, COLUMNS="100")
    assert "8 lines, 9 events" in shown.out and "3: 1 normal, 2 anomalous; prevalence 0.6667" in shown.out
    assert "Jensen-Shannon" in shown.err and max(map(len, shown.out.splitlines())) <= 100
    (line,) = run_logbench(*words, "--json").out.splitlines()
    facts = json.loads(line)
    assert facts["licence"] and facts["realised"]["labels"] == {"normal": 1, "anomaly": 2, "unlabelled": 0}
    assert "first" in facts["realised"]["splits"]


def test_without_data_the_card_says_how_to_have_them(run_logbench: Any) -> None:
    shown = run_logbench("datasets", "info", "hdfs")
    assert "CC-BY" in shown.out and "realised" not in shown.out and "datasets fetch hdfs" in shown.err
    assert json.loads(run_logbench("datasets", "info", "hdfs", "--json").out)["realised"] is None
    shown = run_logbench("datasets", "info", "deeplog-archive")
    assert "Du et al." in shown.out and "give --data PATH" in shown.err and "fetch" not in shown.err
    assert not run_logbench("datasets", "info", "hdfs", "--card").err
