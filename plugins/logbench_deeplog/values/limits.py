"""How large an error may be: learnt from errors on held-out entries, which are no anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..options import FullConfig, ValuesConfig

# No error below alarms: a tenth of a standard deviation. Else a constant's rounding would.
SMALLEST = 0.01
# Share of the errors that is their tail.
TAIL = 0.1


@dataclass(frozen=True)
class Limits:
    """Limits of the errors of one key.

    Attributes:
        mean, std: of the held-out errors: their Gaussian.
        count: held-out entries.
        gaussian, quantile: what each would allow at most.
        least: an error below alarms, too; 0 where none does.
        most: what is allowed.
    """

    mean: float
    std: float
    count: int
    gaussian: float
    quantile: float
    least: float
    most: float

    @classmethod
    def of(cls, errors: NDArray[np.float64], config: ValuesConfig | FullConfig) -> Limits:
        """Learn from held-out errors [n ≥ 1]."""
        inside = (1 + config.confidence) / 2 if config.two_sided else config.confidence
        mean, std, reach = float(errors.mean()), float(errors.std()), float(norm.ppf(inside))
        gaussian, quantile = mean + reach * std, upper_quantile(errors, inside)
        low, lowest = max(0.0, mean - reach * std), float(np.quantile(errors, 1 - inside, method="lower"))
        high = {"gaussian": gaussian, "quantile": quantile, "both": max(gaussian, quantile)}[config.interval]
        least = {"gaussian": low, "quantile": lowest, "both": min(low, lowest)}[config.interval]
        least = least if config.two_sided and least > 0 else 0.0
        return cls(mean, std, len(errors), gaussian, quantile, least, max(high, SMALLEST))

    def level(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Above 1 where an error is outside, rising with it; [n]."""
        high = errors / self.most
        return np.maximum(high, self.least / np.maximum(errors, 1e-300)) if self.least else high


def upper_quantile(errors: NDArray[np.float64], share: float) -> float:
    """Quantile of errors [n ≥ 1], by an exponential tail on their last tenth where they are too few for the share.

    Never below the largest error then. Tails of squared errors are about exponential, where errors are Gaussian.
    """
    if len(errors) * (1 - share) >= 1:
        return float(np.quantile(errors, share, method="higher"))
    begin = float(np.quantile(errors, 1 - TAIL))
    beyond = errors[errors > begin] - begin
    tail = float(beyond.mean()) if len(beyond) else 0.0
    return max(float(errors.max()), begin + tail * float(np.log(TAIL / (1 - share))))
