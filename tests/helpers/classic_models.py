"""Build, fit and score a classic model; counts, weights and drawn units to hold it against."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from logbench import Context, Scores, Sessions
from logbench.base.options import make
from logbench_classic import logbench_models

Floats = NDArray[np.float64]
MODELS = {component.name: component for component in logbench_models()}
SUPERVISED = [name for name, component in MODELS.items() if component.traits.supervision == "supervised"]
KNOWN = 4
SEQUENCES = st.lists(st.lists(st.integers(0, KNOWN - 1), min_size=1, max_size=8), min_size=2, max_size=25)
ANY = st.lists(st.lists(st.integers(0, KNOWN + 2), max_size=8), min_size=1, max_size=15)


def build(name: str, **values: Any) -> Any:
    return MODELS[name].build(make(MODELS[name].config, values, name))


def fitted(name: str, train: Sessions, seed: int = 0, **values: Any) -> Any:
    model = build(name, **values)
    model.fit(train, Context(seed=seed))
    return model


def scores(model: Any, sessions: Sessions) -> Scores:
    return Scores.of(model.score(sessions.unlabelled(), Context()), len(sessions), "tested")


def table(sessions: Sessions, columns: int) -> Floats:
    """Counts by a loop over events; keys of `columns` and above are dropped."""
    found = np.zeros((len(sessions), columns))
    for unit, (start, end) in enumerate(pairwise(sessions.offsets)):
        for key in sessions.keys[start:end]:
            if key < columns:
                found[unit, key] += 1
    return found


def log_idf(train: Floats) -> Floats:
    return np.array([np.log(len(train) / ((column > 0).sum() + 1e-8)) for column in train.T])


def alarms(name: str, found: Scores) -> NDArray[np.bool_]:
    threshold = MODELS[name].traits.fixed_threshold
    assert isinstance(threshold, float)
    return found.primary > threshold


def drawn(units: int = 150, seed: int = 3) -> tuple[Sessions, Floats]:
    """Units of Poisson counts, labelled by one event and some chance, with their counts."""
    rng = np.random.default_rng(seed)
    rows = rng.poisson([3, 1, 0.5, 2], (units, KNOWN))
    labels = (rows[:, 2] + rng.integers(0, 2, units) > 2).astype(np.int8)
    sequences = [np.repeat(np.arange(KNOWN), row).tolist() for row in rows]
    return Sessions.of(sequences, KNOWN, labels=labels), rows.astype(float)
