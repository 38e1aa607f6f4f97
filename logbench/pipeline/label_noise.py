"""Wrong labels of training units, for supervised training; labels of tested units never change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..api.protocol import EvaluationProtocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

# True labels that are flipped, by the kind of noise.
CLASSES: dict[str, tuple[int, ...]] = {
    "symmetric": (0, 1),
    "anomaly_to_normal": (1,),
    "normal_to_anomaly": (0,),
}


def flipped(
    labels: NDArray[np.int8], parts: tuple[NDArray[np.int64], ...], protocol: EvaluationProtocol
) -> NDArray[np.int64]:
    """Units whose label is wrong in training, int64, ascending.

    Of each part, as many as `label_noise` of the labels that the kind flips, drawn by the split's seed; a larger
    noise flips more beside the same ones (Song et al., IEEE TNNLS 2022: symmetric and asymmetric noise).

    Args:
        labels: int8 [units], true ones. parts: indices of units that train, and of those held out.
    """
    rng = np.random.default_rng([protocol.split_seed, 4])
    chosen = []
    for part in parts:
        drawn = rng.permutation(part[np.isin(labels[part], CLASSES[protocol.label_noise_kind])])
        chosen.append(drawn[: round(protocol.label_noise * len(drawn))])
    return np.sort(np.concatenate(chosen))


def noisy(labels: NDArray[np.int8], wrong: NDArray[np.int64]) -> NDArray[np.int8]:
    """The labels as training sees them, int8 [units]; the same array where none is wrong."""
    if not len(wrong):
        return labels
    seen = labels.copy()
    seen[wrong] = 1 - seen[wrong]
    return seen
