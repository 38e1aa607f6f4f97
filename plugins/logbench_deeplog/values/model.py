"""The values of entries as a model: fit, score, explain, save, load."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch

from logbench import DataError, IncompatibleError, make_options
from logbench.torch import fit_network, load_network, new_network, save_network

from ..options import ValuesConfig
from .chosen import Chosen, earlier_of, width_of
from .features import Features
from .levels import coverage, foretell, levels_of, unit_scores
from .limits import Limits
from .network import Entries, KeyLSTMs, Pairs
from .numbers import numbers_of
from .series import Series

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from logbench import Context, Scores, Sessions


@dataclass(frozen=True)
class Judged:
    """Entries that a model of values judged.

    Attributes:
        level: float64 [events], above 1 where a value is not as expected; −∞ where no model says.
        entries: of each key the events int64 [n], and values that came and were foretold, float64 [n, values].
    """

    level: NDArray[np.float64]
    entries: Mapping[int, tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]


class Values:
    """Score of a unit: its largest level, above 1 where an entry's values are not what its key's entries foretold.

    A key has a model where numbers stand in its entries, and two pairs of history and next entry are in training.
    """

    name = "deeplog-values"

    def __init__(self, config: ValuesConfig) -> None:
        self.config = config
        self.network: KeyLSTMs | None = None
        self.features: list[Features] = []
        self.limits: list[Limits] = []

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Train a model for each key that allows one.

        Returns:
            Facts: `value_models` (how many), `no_value_model` (keys by reason), `values` and `nominal` (names by
            key), `training_coverage`, `interval`, `confidence`, `limits` (by key), and those of `fit_network`.
        """
        chosen = Chosen.of(train, self.config)
        self.features, self.limits = chosen.features, []
        self.network = new_network(self._build, context.seed, context.device)
        facts = {**chosen.facts, "interval": self.config.interval, "confidence": self.config.confidence}
        if left_out := facts["no_value_model"].get("beyond max_models"):
            context.note(f"the rarest {len(left_out):,} keys with values are not judged (max_models)")
        if not self.features:
            context.note(f"{self.name}: no key has values that others foretell, so that no entry is judged")
            return facts
        trained = self._train(self.network, chosen, context)
        limits = {str(one.key): asdict(limit) for one, limit in zip(self.features, self.limits, strict=True)}
        return {**facts, "limits": limits, **trained}

    def _train(self, network: KeyLSTMs, chosen: Chosen, context: Context) -> dict[str, Any]:
        """Train the network, then learn the limits from what is held out."""
        device, h = context.device, self.config.h
        entries = Entries(chosen.values, chosen.place, h, torch.float32, device)
        batches = Pairs([own for own, _ in chosen.rows], self.config.batch, context.seed, device)

        def loss(rows: torch.Tensor) -> torch.Tensor:
            return entries.errors(network(entries.histories(rows)), rows).mean()

        def errors(network: KeyLSTMs, entries: Entries) -> list[NDArray[np.float64]]:
            return [foretell(network, at, entries, held)[1] for at, (_, held) in enumerate(chosen.rows)]

        def validate() -> float:
            return float(np.mean([one.mean() for one in errors(network, entries)]))

        facts = fit_network(network, batches, loss, context, self.config, self.name, validate)
        exact = Entries(chosen.values, chosen.place, h, _exact(device), device)
        self.limits = [Limits.of(one, self.config) for one in errors(self._precise(device), exact)]
        return facts

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Largest level of each unit; `coverage` is the share of events that are judged."""
        level = self.judge(sessions, context).level
        return unit_scores(level, sessions, context, {"coverage": coverage(level)})

    def judge(self, sessions: Sessions, context: Context) -> Judged:
        """Judge every entry of a key with a model that has an earlier one and a value."""
        numbers, series = numbers_of(sessions, self.config.since).values, Series.of(sessions)
        level, entries = np.full(len(sessions.keys), -np.inf), {}
        network, device = self._precise(context.device), context.device
        for at, (one, limit) in enumerate(zip(self.features, self.limits, strict=True)):
            own = series.take(np.arange(*np.searchsorted(series.keys, [one.key, one.key + 1])))
            values = one.standardised(numbers[own.events], width_of(self.features))
            rows = np.flatnonzero((own.place >= earlier_of(self.config)) & np.isfinite(values).any(1))
            given = Entries(values, own.place, self.config.h, _exact(device), device)
            events = own.events[rows]
            level[events], foretold = levels_of(network, at, limit, given, rows)
            foretold = foretold[:, : len(one.columns)] * one.scale + one.mean
            entries[one.key] = events, numbers[events][:, one.columns], foretold
        return Judged(level, entries)

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """What came and was expected at event `events[i]` of unit i, String [units]; null where not judged."""
        return self.explained(self.judge(sessions, context), sessions, events)

    def explained(self, judged: Judged, sessions: Sessions, events: NDArray[np.int64]) -> pl.Series:
        """See `explain`, of entries that are judged already."""
        texts: list[str | None] = [None] * len(sessions)
        names = {one.key: one.names for one in self.features}
        for unit in np.flatnonzero((events >= 0) & (events < sessions.lengths)).tolist():
            event = int(sessions.offsets[unit] + events[unit])
            if judged.level[event] > -np.inf:
                key = int(sessions.keys[event])
                at, came, foretold = judged.entries[key]
                row = int(np.searchsorted(at, event))  # of one key, events ascend with their units
                texts[unit] = "values: " + "; ".join(
                    f"{name} {_number(value, name, 10)}, expected {_number(wanted, name)}"
                    for name, value, wanted in zip(names[key], came[row], foretold[row], strict=True)
                    if np.isfinite(value)
                )
        return pl.Series("why", texts, dtype=pl.String)

    def exported(self, kind: str, limit: float) -> Any:
        """No graph: see the error."""
        raise IncompatibleError(
            f"{self.name} cannot be exported: it has a network for each key, and its limits are outside of these"
        )

    def save(self, folder: Path) -> None:
        """Write `network.safetensors`, and what the values are in `deeplog-values.json`."""
        assert self.network is not None, "fit or load comes first"
        parts = {"features": list(map(asdict, self.features)), "limits": list(map(asdict, self.limits))}
        save_network(folder, self.network, {"config": asdict(self.config), **parts}, self.name)

    def load(self, folder: Path) -> None:
        """Become the model saved in `folder`, its options included, as they made the limits.

        Raises:
            DataError: a file is missing or damaged.
        """
        self.network, facts = load_network(folder, partial(_rebuilt, self.name), self.name)
        try:
            self.limits = [Limits(**one) for one in facts["limits"]]
        except TypeError as error:
            raise DataError(f"{folder}: not a saved {self.name} model: {error}") from error
        again = _restored(self.name, facts)
        self.config, self.features = again.config, again.features

    def _build(self) -> KeyLSTMs:
        return KeyLSTMs(len(self.features), width_of(self.features), self.config.hidden, self.config.layers)

    def _precise(self, device: str) -> KeyLSTMs:
        """The network in double precision, so that no level depends on what is judged beside it."""
        assert self.network is not None, "fit or load comes first"
        return copy.deepcopy(self.network).to(device, _exact(device)).eval()


def _restored(name: str, facts: Mapping[str, Any]) -> Values:
    model = Values(make_options(ValuesConfig, facts["config"], name))
    model.features = [
        Features(one["key"], *(tuple(one[part]) for part in ("columns", "mean", "scale")))
        for one in facts["features"]
    ]
    return model


def _rebuilt(name: str, facts: Mapping[str, Any]) -> KeyLSTMs:
    return _restored(name, facts)._build()


def _exact(device: str) -> torch.dtype:
    return torch.float32 if device == "mps" else torch.float64


def _number(value: float, name: str, digits: int = 4) -> str:
    whole = f"{value:.0f}" if abs(value) >= 1000 and digits < 10 else f"{value:.{digits}g}"
    return f"{whole}{' s' if name == 'time' else ''}"
