"""What `compare` says of stored scores: pairing, the headline's units, and what it cannot say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench import DataError, RunRecord
from logbench.base.files import write_parquet
from logbench.evaluation.intervals import paired
from logbench.evaluation.paired_tests import swapped
from logbench.running import records
from logbench.studies.compare import confidence, correct

# A held-out unit, an unlabelled one and a dropped one are not judged.
UNITS = pl.DataFrame(
    {
        "part": ["held_out"] + ["test"] * 9,
        "index": [9, 0, 1, 2, 3, 4, 5, 6, 7, 8],
        "label": [0, 1, 1, 1, 0, 0, 0, 1, -1, 0],
        "verdict": [True, True, False, True, False, True, False, True, True, None],
        "weight": [1.0] * 10,
        "sequence": [0, 1, 1, 2, 3, 3, 4, 5, 6, 7],
    },
    schema_overrides={"label": pl.Int8, "sequence": pl.UInt32},
)


def stored(folder: Path, name: str, units: pl.DataFrame, duplicates: str = "all") -> dict[str, Any]:
    write_parquet(units, folder / f"{name}.parquet")
    record = RunRecord(
        run_id=name, started="", model="m", protocol={"duplicates": duplicates},
        artifacts={"scores": f"{name}.parquet"},
    )  # fmt: skip
    records.append(record, folder)
    return record.as_dict()


def other(rows: pl.DataFrame) -> pl.DataFrame:
    """Every verdict turned, in another order, with sequences numbered otherwise."""
    turned = rows.with_columns(verdict=~pl.col("verdict"), sequence=(100 - pl.col("sequence")).cast(pl.UInt32))
    return turned.reverse()


def judged(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("index") < 7).sort("index")


def test_judged_units_are_paired_by_index(tmp_path: Path) -> None:
    first, rival = stored(tmp_path, "a", UNITS), stored(tmp_path, "b", other(UNITS))
    found, notes = confidence(first, rival, tmp_path, "f1", 300, 4)
    expected = paired(judged(UNITS), judged(other(UNITS)), "f1")
    assert (found["low"], found["high"], found["effective"]) == (expected.low, expected.high, expected.effective)
    assert found["p"] == swapped(judged(UNITS), judged(other(UNITS)), "f1", swaps=300, seed=4)
    assert found["clusters"] == 5 and found["low"] < found["high"]
    right = (judged(UNITS)["verdict"] == (judged(UNITS)["label"] == 1)).sum()
    assert found["mcnemar"]["first_only"] == right and found["mcnemar"]["other_only"] == 7 - right
    assert notes == ["McNemar's test takes units for independent; here sequences repeat, so its p is too small"]


def test_where_distinct_units_are_the_headline_they_are_what_is_drawn(tmp_path: Path) -> None:
    first, rival = stored(tmp_path, "a", UNITS, "unique"), stored(tmp_path, "b", other(UNITS), "unique")
    found, notes = confidence(first, rival, tmp_path, "recall", 300, 4)
    share = pl.Series("weight", [0.5, 0.5, 1, 0.5, 0.5, 1, 1])  # two sequences are judged both ways
    once, rivals = (judged(units).with_columns(share) for units in (UNITS, other(UNITS)))
    expected = paired(once, rivals, "recall")
    assert (found["low"], found["high"]) == (expected.low, expected.high)
    assert notes == [
        "no McNemar's test: units are weighted, so they cannot be counted for McNemar's test",
    ]


def test_distinct_units_that_are_judged_alike_are_counted_once(tmp_path: Path) -> None:
    alike = UNITS.with_columns(verdict=pl.when(pl.col("verdict").is_not_null()).then(pl.col("sequence") > 2))
    first, rival = stored(tmp_path, "a", alike, "unique"), stored(tmp_path, "b", other(alike), "unique")
    found, notes = confidence(first, rival, tmp_path, "f1", 300, 4)
    once, rivals = (
        judged(units).filter(pl.col("index").is_in([0, 2, 3, 5, 6])) for units in (alike, other(alike))
    )
    expected = paired(once, rivals, "f1")
    assert (found["low"], found["high"]) == (expected.low, expected.high) and notes == []
    assert found["mcnemar"]["first_only"] + found["mcnemar"]["other_only"] == 5


def test_what_cannot_be_said_is_a_note(tmp_path: Path) -> None:
    heavy = UNITS.with_columns(weight=pl.lit(2.0))
    first, rival = stored(tmp_path, "a", heavy), stored(tmp_path, "b", other(heavy))
    found, notes = confidence(first, rival, tmp_path, "auroc", 10, 0)
    assert found["low"] is None and found["mcnemar"] is None
    assert "weighted" in notes[0], "nothing was asked of the metric's evaluator"


def test_what_no_sample_can_tell_is_said_in_words(tmp_path: Path) -> None:
    """One sequence holds nearly all anomalies: no interval, and why."""
    rows = pl.DataFrame(
        {
            "part": ["test"] * 203, "index": range(203), "label": [1] * 201 + [0] * 2,
            "verdict": [True] * 201 + [False] * 2, "weight": [1.0] * 203, "sequence": [0] * 200 + [1, 2, 3],
        },
        schema_overrides={"label": pl.Int8, "sequence": pl.UInt32},
    )  # fmt: skip
    found, notes = confidence(stored(tmp_path, "a", rows), stored(tmp_path, "b", rows), tmp_path, "recall", 50, 0)
    assert found["low"] is None and found["p"] == 1 and found["effective"] == pytest.approx(201**2 / (200**2 + 1))
    assert "b: both runs give every unit the same verdict" in notes[0]
    assert notes[1].startswith("b: no interval: its 4 clusters of equal sequences are worth 1.0 of equal weight")


def test_several_p_are_corrected_and_runs_without_one_are_no_test() -> None:
    rows = [{"run": "first"}, {"p": 0.04}, {"p": None}, {"p": 0.01}]
    correct(rows)
    assert [row.get("p_holm") for row in rows] == [None, 0.04, None, 0.02]


def test_other_units_are_refused(tmp_path: Path) -> None:
    first = stored(tmp_path, "a", UNITS)
    rival = stored(tmp_path, "b", UNITS.filter(pl.col("index") != 2))
    with pytest.raises(DataError, match="a and b judged other units"):
        confidence(first, rival, tmp_path, "f1", 10, 0)
