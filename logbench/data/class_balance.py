"""Train on classes of unequal size: repeat units of the rarer one, or weight the loss of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..base.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def oversampled(labels: NDArray[np.int8], share: float | None, seed: int) -> NDArray[np.int64]:
    """How often each training unit counts, int64 [units], so that the rarer class is `share` of all.

    Every unit of it is repeated as often as another, but for a rest that the seed draws. A class that is there in
    that share already stays as it is, and so does one that is absent.

    Args:
        labels: int8 [units], 0 normal, 1 anomaly; others count once.
        share: above 0 and below 1; None: each unit once.

    Examples:
        >>> oversampled(np.array([0, 0, 0, 0, 0, 0, 1], np.int8), 0.25, seed=0).tolist()
        [1, 1, 1, 1, 1, 1, 2]
    """
    repeats = np.ones(len(labels), dtype=np.int64)
    classes = sorted((np.flatnonzero(labels == label) for label in (1, 0)), key=len)
    rarer, other = classes
    if share is None or not len(rarer):
        return repeats
    wanted = round(share / (1 - share) * len(other))
    times, rest = divmod(max(wanted, len(rarer)), len(rarer))
    repeats[rarer] = times
    repeats[np.random.default_rng([seed, 8]).permutation(rarer)[:rest]] += 1
    return repeats


def class_weights(
    normal: float, anomalous: float, balanced: bool, anomaly_weight: float | None
) -> tuple[float, float]:
    """What a normal and an anomalous unit count as in the loss.

    Args:
        normal, anomalous: units of each class, both above 0.
        balanced: both classes count alike, and all units together as many as they are.
        anomaly_weight: what an anomaly counts as, a normal unit as 1; None: 1.

    Raises:
        ConfigError: both are asked for.

    Examples:
        >>> class_weights(6, 2, balanced=True, anomaly_weight=None)
        (0.6666666666666666, 2.0)
    """
    if balanced and anomaly_weight is not None:
        raise ConfigError(
            f"balanced=true and anomaly_weight={anomaly_weight:g} exclude each other; leave one of them out"
        )
    if balanced:
        return (normal + anomalous) / 2 / normal, (normal + anomalous) / 2 / anomalous
    return 1.0, 1.0 if anomaly_weight is None else anomaly_weight
