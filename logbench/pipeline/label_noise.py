"""Flip labels of training units, to test supervised models, or of tested ones, to test what metrics are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..api.protocol import EvaluationProtocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Kind of noise → true labels that it flips.
CLASSES: dict[str, tuple[int, ...]] = {
    "symmetric": (0, 1),
    "anomaly_to_normal": (1,),
    "normal_to_anomaly": (0,),
}


def flipped(
    labels: NDArray[np.int8], parts: tuple[NDArray[np.int64], ...], protocol: EvaluationProtocol
) -> NDArray[np.int64]:
    """Choose units whose label is wrong in training, int64, ascending.

    Draws a share `label_noise` of each part's labels that the kind flips, by the split's seed. A larger noise
    flips the same units and more (Song et al., IEEE TNNLS 2022: symmetric and asymmetric noise).

    Args:
        labels: int8 [units], true labels.
        parts: indices of units that train, and of held-out units.
    """
    rng = np.random.default_rng([protocol.split_seed, 4])
    return np.sort(np.concatenate([_drawn(labels, part, protocol, protocol.label_noise, rng) for part in parts]))


def flipped_tested(
    labels: NDArray[np.int8], test: NDArray[np.int64], protocol: EvaluationProtocol
) -> NDArray[np.int64]:
    """The same of tested units, by `test_label_noise`: only metrics and an oracle see these labels."""
    rng = np.random.default_rng([protocol.split_seed, 8])
    return np.sort(_drawn(labels, test, protocol, protocol.test_label_noise, rng))


def _drawn(
    labels: NDArray[np.int8],
    part: NDArray[np.int64],
    protocol: EvaluationProtocol,
    share: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    drawn = rng.permutation(part[np.isin(labels[part], CLASSES[protocol.label_noise_kind])])
    return drawn[: round(share * len(drawn))]


def noisy(labels: NDArray[np.int8], wrong: NDArray[np.int64]) -> NDArray[np.int8]:
    """Labels of which these are wrong, int8 [units]; the same array if none is."""
    if not len(wrong):
        return labels
    seen = labels.copy()
    seen[wrong] = 1 - seen[wrong]
    return seen
