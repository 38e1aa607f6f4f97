"""Classes of unequal size: as large a share as asked, each unit as often as another; weights by arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench import ConfigError, class_weights, oversampled


@given(
    labels=st.lists(st.sampled_from([0, 0, 0, 1, -1]), min_size=1, max_size=60),
    share=st.one_of(st.none(), st.floats(0.01, 0.5)),
    seed=st.integers(0, 3),
)
def test_the_rarer_class_has_the_share_asked_for(labels: list[int], share: float | None, seed: int) -> None:
    given_labels = np.array(labels, dtype=np.int8)
    repeats = oversampled(given_labels, share, seed)
    assert repeats.tolist() == oversampled(given_labels, share, seed).tolist() and repeats.min() >= 1
    sizes = {label: labels.count(label) for label in (0, 1)}
    rarer = min((1, 0), key=lambda label: sizes[label])
    assert all(times == 1 for times, label in zip(repeats, labels, strict=True) if label != rarer)
    mine = [int(times) for times, label in zip(repeats, labels, strict=True) if label == rarer]
    if share is None or not mine:
        assert repeats.sum() == len(labels)
        return
    assert max(mine) - min(mine) <= 1, "each unit as often as another"
    least = sizes[rarer] / (sizes[0] + sizes[1])
    if share <= least:
        assert abs(sum(mine) - len(mine)) <= 1
    else:
        other = sizes[1 - rarer]
        assert abs(sum(mine) - share * (sum(mine) + other)) <= 1


def test_the_rest_is_drawn_by_the_seed() -> None:
    labels = np.array([0] * 50 + [1] * 20, dtype=np.int8)
    assert oversampled(labels, 0.4, 0).tolist() != oversampled(labels, 0.4, 1).tolist()


def test_class_weights() -> None:
    assert class_weights(90, 10, balanced=False, anomaly_weight=None) == (1.0, 1.0)
    assert class_weights(90, 10, balanced=False, anomaly_weight=4.0) == (1.0, 4.0)
    normal, anomalous = class_weights(90, 10, balanced=True, anomaly_weight=None)
    assert normal * 90 == pytest.approx(anomalous * 10) == pytest.approx(50)
    with pytest.raises(ConfigError, match="exclude each other"):
        class_weights(90, 10, balanced=True, anomaly_weight=2.0)
