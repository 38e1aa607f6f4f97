"""DeepLog in full: keys first, then the values of entries whose key passed (Du et al., CCS 2017, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logbench import IncompatibleError, max_per_unit

from .model import DeepLog
from .options import DeepLogConfig, FullConfig, ValuesConfig
from .values.levels import coverage, unit_scores
from .values.model import Values

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from logbench import Context, Scores, Sessions

SHARED = ("since", "nominal", "interval", "confidence", "two_sided", "max_models", "amp", "clip")


class DeepLogFull:
    """Score of a unit: the largest level of its entries, above 1 where one alarms.

    The level of a key is its rank over `g`; that of values is `deeplog-values`'. An entry whose key alarms is not
    asked for its values.
    """

    name = "deeplog-full"

    def __init__(self, config: FullConfig) -> None:
        self.config = config
        self.keys = DeepLog(
            DeepLogConfig(**{one.name: getattr(config, one.name) for one in fields(DeepLogConfig)})
        )
        own = {
            name: getattr(config, f"value_{name}")
            for name in ("h", "whole", "layers", "hidden", "batch", "lr", "steps")
        }
        self.values = Values(ValuesConfig(**own, **{name: getattr(config, name) for name in SHARED}))

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Train both on the same units; facts of `deeplog`, and under `values` those of `deeplog-values`."""
        keys = self.keys.fit(train, context)
        values = self.values.fit(train, context)
        parameters = keys["parameters"] + values.get("parameters", 0)
        return {**keys, "parameters": parameters, "values": values}

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Score units; `others` has the largest level of keys and of values, facts count alarms of each."""
        ranks = self.keys.score(sessions, replace(context, events=True))
        values = self.values.judge(sessions, context).level
        assert ranks.events is not None
        key = ranks.events / self.config.g
        values = np.where(key > 1, -np.inf, values)
        level = np.maximum(key, values)
        worst = [np.maximum(max_per_unit(one, sessions.offsets, 0.0), 0.0) for one in (key, values)]
        facts = {
            **ranks.facts,
            "value_coverage": coverage(values),
            "alarms_by_key": int((worst[0] > 1).sum()),
            "alarms_by_values_alone": int(((worst[1] > 1) & ~(worst[0] > 1)).sum()),
        }
        scores = unit_scores(level, sessions, context, facts)
        known = unit_scores(np.where(np.isposinf(key), values, level), sessions, context, {})
        others = {**ranks.others, "key_level": worst[0], "value_level": worst[1]}
        return replace(scores, ignoring=known.primary, ignoring_event=known.event, others=others)

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """The likeliest keys, see `Expects`; where values decided, `explain` has the expected ones."""
        return self.keys.expected(sessions, events, context)

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """Which of both decided at event `events[i]` of unit i, and by what, String [units]."""
        ranks = self.keys.score(sessions, replace(context, events=True)).events
        assert ranks is not None
        judged = self.values.judge(sessions, context)
        texts = self.values.explained(judged, sessions, events).to_list()
        for unit in np.flatnonzero((events >= 0) & (events < sessions.lengths)).tolist():
            event = int(sessions.offsets[unit] + events[unit])
            rank, g = ranks[event], self.config.g
            if rank > g or rank / g >= judged.level[event] > -np.inf or texts[unit] is None:
                texts[unit] = "key: unseen in training" if np.isposinf(rank) else f"key: rank {rank:.0f}, g = {g}"
                texts[unit] = None if np.isneginf(rank) else texts[unit]
        return pl.Series("why", texts, dtype=pl.String)

    def exported(self, kind: str, limit: float) -> Any:
        """No graph: see the error."""
        raise IncompatibleError(
            f"{self.name} cannot be exported: values have a network for each key, and limits outside of these; "
            "deeplog can be"
        )

    def save(self, folder: Path) -> None:
        """Write both into folders of their own."""
        for part, model in (("keys", self.keys), ("values", self.values)):
            (folder / part).mkdir()
            model.save(folder / part)

    def load(self, folder: Path) -> None:
        """Become the model saved in `folder`.

        Raises:
            DataError: a file is missing or damaged.
        """
        self.keys.load(folder / "keys")
        self.values.load(folder / "values")
