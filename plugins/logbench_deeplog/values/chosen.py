"""What trains: the keys that get a model, their values, and which pairs of history and next entry are held out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .features import Features, columns_of, features_of
from .numbers import Numbers, numbers_of
from .series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Sessions

    from ..options import ValuesConfig


@dataclass(frozen=True)
class Chosen:
    """Entries of training, in an order that sessions in another order have, too.

    Attributes:
        features: values of each key that gets a model.
        values: float64 [n, F], standardised, NaN where one is missing.
        place: int64 [n], earlier entries in the series.
        rows: of each such key its pairs that train, and those held out.
        facts: for the record.
    """

    features: list[Features]
    values: NDArray[np.float64]
    place: NDArray[np.int64]
    rows: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    facts: dict[str, Any]

    @classmethod
    def of(cls, train: Sessions, config: ValuesConfig) -> Chosen:
        """Choose from the training sessions."""
        numbers, series = numbers_of(train, config.since), Series.of(train)
        series = series.sorted_by(numbers.values[series.events])
        values, words, keys = numbers.values[series.events], numbers.words[series.events], series.keys
        without: dict[str, list[int]] = {"no values": [], "fewer than 2 pairs": []}
        names, columns = {}, {}
        pairs = series.place >= earlier_of(config)
        stretches = stretches_of(keys)
        for key, own in stretches.items():
            found, left_out = columns_of(Numbers(values[own], words[own]), config.nominal)
            if left_out:
                names[str(key)] = [f"value {column + 1}" for column in left_out]
            pairs[own] &= np.isfinite(values[own][:, found]).any(1)
            if found and pairs[own].sum() >= 2:
                columns[key] = found
            else:
                without["fewer than 2 pairs" if found else "no values"].append(key)
        if (beyond := len(columns) - config.max_models) > 0:
            rarest = sorted(columns, key=lambda key: (pairs[stretches[key]].sum(), -key))[:beyond]
            without["beyond max_models"] = sorted(rarest)
            for key in rarest:
                del columns[key]
        pairs &= np.isin(keys, list(columns))
        held = series.held_out(pairs)
        features = []
        for key, found in columns.items():
            own = stretches[key]
            features.append(features_of(key, found, values[own][~held[own]]))
        facts = {
            "value_models": len(features),
            "no_value_model": without,
            "values": {str(one.key): one.names for one in features},
            "nominal": names,
            "training_coverage": round(float(pairs.mean()), 4) if len(pairs) else 0.0,
        }
        rows = []
        for own in (stretches[one.key] for one in features):
            trains, out = np.flatnonzero(pairs[own] & ~held[own]), np.flatnonzero(pairs[own] & held[own])
            rows.append((own.start + trains, own.start + out))
        return cls(features, standardised(features, values, keys), series.place, rows, facts)


def stretches_of(keys: NDArray[np.int32]) -> dict[int, slice]:
    """Where each key stands in ascending keys [n]."""
    names, firsts = np.unique(keys, return_index=True)
    begins = [*firsts.tolist(), len(keys)]
    return {key: slice(*ends) for key, ends in zip(names.tolist(), pairwise(begins), strict=True)}


def earlier_of(config: ValuesConfig) -> int:
    """Earlier entries that an entry to judge has at least."""
    return config.h if config.whole else 1


def width_of(features: list[Features]) -> int:
    """Columns that the keys' values take."""
    return max((len(one.columns) for one in features), default=1)


def standardised(
    features: list[Features], values: NDArray[np.float64], keys: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Values [n, all columns] of entries of ascending `keys` [n], as float64 [n, F]."""
    every, stretches = np.full((len(values), width_of(features)), np.nan), stretches_of(keys)
    for one in features:
        every[stretches[one.key]] = one.standardised(values[stretches[one.key]], every.shape[1])
    return every
