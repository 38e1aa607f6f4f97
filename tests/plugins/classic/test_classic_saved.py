"""A classic model that is saved and loaded again says the same, without pickle."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logbench import Context, DataError, Sessions, save_arrays
from logbench.base.options import make
from logbench_classic import logbench_models
from logbench_classic.counts import count

MODELS = {component.name: component for component in logbench_models()}


def build(name: str, **options: Any) -> Any:
    return MODELS[name].build(make(MODELS[name].config, options, name))


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
    with pytest.raises(DataError, match=r"state\.npz: no saved arrays of this model: No such file"):
        build("pca").load(tmp_path)
    (tmp_path / "state.npz").write_bytes(b"PK torn")
    with pytest.raises(DataError, match=r"state\.npz: no saved arrays"):
        build("pca").load(tmp_path)
    (tmp_path / "state.npz").unlink()
    save_arrays(tmp_path / "state.npz", column_of=np.arange(3, dtype=np.int32), idf=np.ones(3))
    with pytest.raises(DataError, match="it has no array 'mean'"):
        build("pca").load(tmp_path)


def tampered(name: str, folder: Path, change: Callable[[dict[str, Any]], None]) -> DataError:
    """The error of a model whose saved arrays were changed."""
    model = build(name)
    model.fit(drawn(1, 5, 400, 100), Context(seed=3))
    model.save(folder)
    with np.load(folder / "state.npz") as saved:
        arrays = dict(saved)
    change(arrays)
    (folder / "state.npz").unlink()
    save_arrays(folder / "state.npz", **arrays)
    with pytest.raises(DataError) as error:
        build(name).load(folder)
    return error.value


def at(name: str, place: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(arrays: dict[str, Any]) -> None:
        arrays[name][place] = value

    return change


@pytest.mark.parametrize("model", ["decision-tree", "random-forest", "isolation-forest"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (at("children", (0, 0), 0), "before itself"),  # would be walked for ever
        (at("children", (0, 1), -1), "before itself"),
        (at("children", (0, 1), 1 << 40), "beyond all nodes"),
        (at("features", 0, 1 << 40), "a column that there is not"),
        (at("features", 0, -7), "a column that there is not"),
        (at("roots", 0, 1 << 40), "has no root"),
        (at("roots", 0, -1), "has no root"),
        (at("thresholds", 0, np.nan), "holds NaN"),
    ],
)
def test_a_tree_that_no_fit_gives_is_not_walked(
    model: str, change: Callable[[dict[str, Any]], None], said: str, tmp_path: Path
) -> None:
    assert said in str(tampered(model, tmp_path, change))


@pytest.mark.parametrize("name", ["decision-tree", "random-forest", "isolation-forest"])
def test_loaded_trees_replace_those_of_a_fit(name: str, tmp_path: Path) -> None:
    model, other = build(name), build(name)
    model.fit(drawn(1, 5, 400, 100), Context(seed=3))
    other.fit(drawn(2, 5, 300, 100), Context(seed=4))
    asked = drawn(3, 5, 200, 100).unlabelled()
    expected = other.score(asked, Context()).primary
    assert not np.array_equal(model.score(asked, Context()).primary, expected)
    other.save(tmp_path)
    model.load(tmp_path)
    assert np.array_equal(model.score(asked, Context()).primary, expected)


def test_columns_of_keys_are_those_of_vectors(tmp_path: Path) -> None:
    assert "columns of its keys" in str(tampered("pca", tmp_path, at("column_of", 0, 1 << 20)))


def test_neighbours_are_no_more_than_vectors(tmp_path: Path) -> None:
    assert "neighbours of" in str(tampered("lof", tmp_path, lambda arrays: arrays.update(neighbours=1 << 40)))


FITTED: dict[str, tuple[str, Callable[[Any, Any], Any], dict[str, Any]]] = {
    "decision-tree": ("sklearn.tree.DecisionTreeClassifier", lambda one, x: one.predict_proba(x)[:, 1], {}),
    "random-forest": ("sklearn.ensemble.RandomForestClassifier", lambda one, x: one.predict_proba(x)[:, 1], {}),
    "isolation-forest": ("sklearn.ensemble.IsolationForest", lambda one, x: -one.score_samples(x), {}),
    "lof": ("sklearn.neighbors.LocalOutlierFactor", lambda one, x: -one.score_samples(x), {"novelty": True}),
    "one-class-svm": ("sklearn.svm.OneClassSVM", lambda one, x: -one.decision_function(x), {}),
    "linear-svm": ("sklearn.svm.LinearSVC", lambda one, x: one.decision_function(x), {}),
    "logistic-regression": (
        "sklearn.linear_model.LogisticRegression",
        lambda one, x: one.predict_proba(x)[:, 1],
        {},
    ),
}


@pytest.mark.parametrize("name", FITTED)
def test_plain_arrays_score_as_the_library_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimator that was fitted is asked for the same vectors."""
    path, asked, more = FITTED[name]
    module, _, cls = path.rpartition(".")
    kind, fitted = getattr(importlib.import_module(module), cls), list[Any]()
    fit = kind.fit

    def kept(self: Any, *given: Any, **options: Any) -> Any:
        fitted.append(self)
        return fit(self, *given, **options)

    monkeypatch.setattr(kind, "fit", kept)
    model = build(name, weighting="counts", **({"penalty": "l2"} if name == "linear-svm" else {}))
    model.fit(drawn(1, 5, 400, 20), Context(seed=3))
    if name == "lof":
        fitted = [kind(n_neighbors=model.neighbours, **more).fit(model.rows)]
    vectors = count(drawn(2, 7, 300, 3), False).matrix.astype(float).tocsr()
    theirs = asked(fitted[0], vectors.toarray())
    ours = model.anomaly(vectors)
    offset = {"isolation-forest": getattr(model, "offset", 0.0), "lof": 1.5}.get(name, 0.0)
    assert np.ptp(ours) > 0
    np.testing.assert_allclose(ours + offset, theirs, rtol=1e-9, atol=2e-6 if name == "one-class-svm" else 1e-11)
