"""The bound against every set of sequences that could alarm."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench.evaluation.cells import numbered
from logbench.evaluation.f1_upper_bound import upper_bound

UNITS = st.lists(
    st.tuples(st.sampled_from([-1, 0, 0, 1]), st.integers(0, 4), st.integers(1, 4)), min_size=1, max_size=14
)


@settings(deadline=None)
@given(UNITS)
def test_the_bound_is_the_best_of_all_verdicts_by_sequence(units: list[tuple[int, int, int]]) -> None:
    labels, sequences, weights = (np.array(column) for column in zip(*units, strict=True))
    found = upper_bound(labels, sequences, weights.astype(float))
    known = labels >= 0
    truth, told, weight = labels[known], sequences[known], weights[known]
    assert found.ambiguous == sum(len(set(truth[told == s])) == 2 for s in set(told))
    assert found.units == sum(t == 1 and 0 in truth[told == s] for t, s in zip(truth, told, strict=True))
    if not (truth == 1).any():
        assert found.f1 is None
        return
    alarms = (np.array(choice)[told] for choice in product([False, True], repeat=5))
    anomalous = weight[truth == 1].sum()
    best = max(2 * weight[on & (truth == 1)].sum() / (weight[on].sum() + anomalous) for on in alarms)
    assert found.f1 == pytest.approx(best)


@given(st.lists(st.integers(0, 60), max_size=20), st.sampled_from([np.uint32, np.int64]))
def test_numbers_of_distinct_values_are_in_their_order(values: list[int], kind: type) -> None:
    order = sorted(set(values))
    assert numbered(np.array(values, dtype=kind)).tolist() == [order.index(value) for value in values]


def test_openstack_cannot_tell_models_apart(shared_data: Path, tmp_path: Path) -> None:
    """195 of its 198 anomalous sequences are those of normal ones too."""
    import logbench

    (record,) = logbench.run(
        "new-event", dataset="openstack-sequences", data=shared_data / "openstack_loghub", out=tmp_path
    )
    assert record.error is None
    bound, metrics = record.bound, record.metrics["session"]["all"]
    everything = record.trivial["predict_all"]["session"]["all"]["f1"]
    assert bound["units"] == 195 and everything <= bound["f1"] < everything + 0.02
    assert metrics["tp"] + metrics["fn"] == 198 and metrics["f1"] <= bound["f1"]
