"""How many components units have, without a label: parallel analysis of their counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Permutations, the quantile of their variances, and most units and texts that are looked at.
PERMUTATIONS, QUANTILE, UNITS, TEXTS = 20, 0.95, 10_000, 300


def parallel_analysis(counts: NDArray[np.float64]) -> int:
    """Components that texts share: Horn's parallel analysis (Psychometrika 1965) of their correlations.

    Components count while each has more variance than 95% of those of its place where every column is permuted by
    itself, so that texts come independently of each other. Correlations, because the few texts that come a hundred
    times in a unit would hide all others. Sums of vectors have the components of the counts that they are made of,
    whatever the vectors.

    Args:
        counts: how often each unit has each text, float64 [units, texts]. Of more than 10,000 units a sample is
            looked at, of more than 300 texts the most frequent.

    Returns:
        0 or more; the mean, which an analysis without centring takes for a component, is not among them.
    """
    rng = np.random.default_rng(0)  # the same on every call: no score depends on the model's seed
    if len(counts) > UNITS:
        counts = counts[rng.choice(len(counts), UNITS, replace=False)]
    counts = counts[:, np.argsort(-counts.sum(axis=0), kind="stable")[:TEXTS]]
    spread = counts.std(axis=0)
    table = (counts - counts.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    chance = np.quantile([_variances(rng.permuted(table, axis=0)) for _ in range(PERMUTATIONS)], QUANTILE, axis=0)
    above = _variances(table) > chance
    return len(above) if above.all() else int(above.argmin())


def _variances(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variances of the components, the largest first, float64 [columns]."""
    return np.linalg.eigvalsh(table.T @ table / len(table))[::-1].astype(np.float64)
