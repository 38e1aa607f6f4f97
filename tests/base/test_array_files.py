"""Arrays of a model come back as they were, or one line says what is not as asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import logbench
from logbench import DataError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "state.npz"
    logbench.save_arrays(
        path,
        rows=np.arange(6.0).reshape(3, 2),
        offsets=np.array([0, 1, 4, 6]),
        narrow=np.array([1, 2, 3], dtype=np.int8),
        names=np.array(["a", "bc"]),
        limit=2.5,
        count=7,
        endless=np.array([np.inf]),
        missing=np.array([np.nan]),
    )
    return path


def test_arrays_and_numbers_come_back(file: Path) -> None:
    state = logbench.load_arrays(
        file, rows="float64 [units, 2]", offsets="int64 [units + 1]", names="U9 [names]", limit="float64",
        count="int64", endless="float64 [1]",
    )  # fmt: skip
    assert state["rows"].tolist() == [[0, 1], [2, 3], [4, 5]] and state["offsets"].tolist() == [0, 1, 4, 6]
    assert state["names"].tolist() == ["a", "bc"] and state["endless"].tolist() == [np.inf]
    assert (type(state["limit"]), state["limit"], type(state["count"]), state["count"]) == (float, 2.5, int, 7)


def test_a_narrower_type_becomes_the_one_that_is_asked_for(file: Path) -> None:
    assert logbench.load_arrays(file, narrow="int64 [n]")["narrow"].dtype == np.int64


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"absent": "float64"}, "it has no array 'absent'"),
        ({"rows": "float64 [units]"}, r"'rows' is float64 \[3, 2\], not float64 \[units\]"),
        ({"rows": "float64 [units, 3]"}, r"not float64 \[units, 3\]"),
        ({"rows": "float64 [units, units]"}, r"not float64 \[units, units\]"),
        ({"rows": "float32 [units, 2]"}, "'rows' is float64"),
        ({"rows": "float64 [units, 2]", "offsets": "int64 [units]"}, "'offsets' is int64"),
        ({"offsets": "int64 [units + 1]", "narrow": "int64 [units + 1]"}, "'narrow' is int8"),
        ({"limit": "int64"}, "'limit' is float64"),
        ({"limit": "float64 [n]"}, r"'limit' is float64 \[\]"),
        ({"names": "float64 [n]"}, "'names' is <U2"),
        ({"missing": "float64 [n]"}, "'missing' holds NaN"),
    ],
)
def test_what_is_not_as_asked_is_one_line(file: Path, wanted: dict[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        logbench.load_arrays(file, **wanted)
    assert "\n" not in str(error.value) and str(file) in str(error.value)


def test_objects_are_not_saved_and_nothing_is_overwritten(file: Path) -> None:
    with pytest.raises(TypeError, match="a holds object"):
        logbench.save_arrays(file.with_name("b.npz"), a=np.array([{}], dtype=object))
    assert not file.with_name("b.npz").exists()
    with pytest.raises(FileExistsError):
        logbench.save_arrays(file, a=1)
