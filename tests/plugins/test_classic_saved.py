"""A classic model that is saved and loaded again says the same, without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skops.io import dump

from logbench import Context, DataError, Sessions
from logbench.base.options import make
from logbench_classic import logbench_models

MODELS = {component.name: component for component in logbench_models()}


def build(name: str) -> Any:
    return MODELS[name].build(make(MODELS[name].config, {}, name))


def drawn(seed: int, keys: int, units: int, every: int) -> Sessions:
    """Normal units of as many 0 as 1 and some 2, each of `every` anomalous, of any keys."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(units) % every == 0).astype(np.int8)
    sizes = rng.integers(1, 5, units)
    normal = [[0, 1] * n + [2] * int(rng.integers(1, 6)) for n in sizes]
    anomalous = [rng.integers(0, keys, n + 1).tolist() for n in sizes]
    sequences = [anomalous[at] if label else normal[at] for at, label in enumerate(labels)]
    return Sessions.of(sequences, vocabulary=5, labels=labels)


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_scores_alike(name: str, tmp_path: Path) -> None:
    model, again = build(name), build(name)
    model.fit(drawn(1, 5, 400, 100), Context(seed=3))
    model.save(tmp_path)
    again.load(tmp_path)
    test = drawn(2, 7, 80, 3).unlabelled()  # with unseen keys
    ours, theirs = (one.score(test, Context()) for one in (model, again))
    assert np.array_equal(ours.primary, theirs.primary) and np.ptp(ours.primary) > 0
    assert np.array_equal(ours.event, theirs.event) and np.array_equal(ours.ignoring, theirs.ignoring)


def test_what_is_no_saved_state_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"state\.skops: no saved state"):
        build("pca").load(tmp_path)
    (tmp_path / "state.skops").write_bytes(b"PK torn")
    with pytest.raises(DataError, match=r"state\.skops: no saved state"):
        build("pca").load(tmp_path)
    dump({"idf": np.ones(3)}, tmp_path / "state.skops")
    with pytest.raises(DataError, match="no saved state of this model: 'mean'"):
        build("pca").load(tmp_path)


def test_a_type_that_is_not_trusted_is_not_loaded(tmp_path: Path) -> None:
    dump({"idf": np.ones(3), "mean": Path("x"), "residual": 0, "q": 0}, tmp_path / "state.skops")
    with pytest.raises(DataError, match="no saved state of this model"):
        build("pca").load(tmp_path)
