"""A model that guesses the next key, as the harness sees it: fit, score, expected, save, load."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import polars as pl
import torch

from ..data.window_ranks import rank_events, rank_scores
from .batches import to_device
from .graphs import Graph, window_graph
from .network_model import NetworkModel, width_of
from .next_key_training import check_network, train_next_key
from .options import NextKeyConfig, next_key_traits
from .precision import Precision, full_fp32
from .scored_together import scored_together
from .seeding import new_network
from .together import together
from .window_scores import WindowScores, score_distinct, score_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import nn

    from ..api.contracts import Context
    from ..api.traits import ModelTraits
    from ..data.histories import Histories
    from ..data.scores import Scores
    from ..data.sessions import Sessions

C = TypeVar("C", bound=NextKeyConfig)


class NextKeyModel(NetworkModel[C]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`.

    A subclass says its `name` (as errors and the saved file have it), the options that a saved network fixes
    beside h and pad (`fixed`; the others may change afterwards), and how to `build` the network, which may make of
    a history whatever it likes: counts, vectors of templates.

    `primary`: worst rank, +∞ where an unknown key came after h others. `ignoring`: worst rank of a known key,
    0 where none was to guess. Both are 0 for a unit without a window, which the harness decides itself.
    `others["nll"]`: the worst negative log-likelihood of a key that came.

    Example:

        class MyModel(NextKeyModel[MyConfig]):
            name, fixed = "mine", ("hidden",)

            def build(self, keys: int) -> nn.Module:
                return Network(keys, self.config.hidden)
    """

    traits: ClassVar[ModelTraits] = next_key_traits()

    @abstractmethod
    def build(self, keys: int) -> nn.Module:
        """A new network: histories int64 [B, h] → logits float [B, keys] of the key that follows.

        In a history `keys` stands for any unknown key and, with pad, `keys + 1` for the start. What the network
        makes of it must have the dtype of its weights, as `one_hot(…).to(self.output.weight.dtype)`: where logits
        nearly tie, they are computed again in double precision. Each row's logits depend on that row alone.
        Called by `fit` with the random state of the seed, and by `load`. A network that has `shared_prefix` (see
        `SharesPrefixes`) is scored faster.
        """

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Train from nothing, by `fit_network`.

        Returns:
            Facts for the record: `windows`, `distinct` (windows trained on), and those of `fit_network`.

        Raises:
            IncompatibleError: no window to train on.
            ConfigError: stop=validation without held-out windows, or a loss that is no number any more.
            PluginError: the network's logits are not of the shape and dtype that `build` promises.
        """
        train, context = self._bound(train, context)
        keys, g = train.vocabulary, self.config.g
        if g >= keys:
            context.note(f"g = {g} is not below the {keys} known keys: only unseen keys can alarm")
        self.keys, self.width = max(keys, 1), width_of(train)
        self.network = new_network(lambda: self.build(self.keys), context.seed, context.device)
        with torch.no_grad():
            self.prepare(self.network, train)
        check_network(self.network, self.config.h, self.keys, self.name)
        with together(self, train, context):
            return train_next_key(self.network, train, context, self.config, self.name)

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Ranks and likelihoods of every unit in one pass.

        Raises:
            DataError: the sessions were made with another vocabulary than the training sessions.
        """
        network = self._ready(sessions, context)
        if (shared := scored_together(self, sessions, context)) is not None:
            return shared
        sessions = self.bounded(sessions)
        histories = sessions.histories(self.config.h, self.config.pad)
        found = self._windows(network, histories, self.config, context)
        scores = _units(found, histories)
        if context.events:
            scores = replace(scores, events=rank_events(found.rank, histories, len(sessions.keys)))
        if not self.config.pad:
            scores = replace(scores, unjudged=np.minimum(sessions.lengths, self.config.h))
            context.note(
                f"the first {self.config.h} events of a unit are history only, so nothing there alarms; "
                f"{self.name}.pad=true judges them, too"
            )
        facts = {**scores.facts, "eval_batch": found.batch}
        kind = Precision.of(self.config.eval_amp, context.device).kind
        if kind != "off":
            exact_config = replace(self.config, eval_amp="off")
            exact = _units(self._windows(network, histories, exact_config, context), histories)
            changed = (scores.primary > self.config.g) != (exact.primary > self.config.g)
            facts |= {**exact.facts, "eval_amp": kind, "verdicts_changed": int(changed.sum())}
        return replace(scores, facts=facts)

    def _windows(
        self, network: nn.Module, histories: Histories, config: NextKeyConfig, context: Context
    ) -> WindowScores:
        """Scores of every window in flat order."""
        if not config.dedup:
            return score_windows(network, histories, config, context)
        found, inverse = score_distinct(network, histories, config, context), histories.distinct.inverse
        return replace(found, rank=found.rank[inverse], nll=found.nll[inverse], near=found.near[inverse])

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """The g keys likeliest at event `events[i]` of unit i, likeliest first, as List(Int32) [units].

        Null where the event has no h predecessors in its unit and there is no padding, or lies beyond its end. A
        key that many share (`max_keys`) is left out, as it names none.
        """
        network, h = self._ready(sessions, context), self.config.h
        sessions = self.bounded(sessions)
        asked = np.flatnonzero((events >= (0 if self.config.pad else h)) & (events < sessions.lengths))
        place = (events[asked] - h)[:, None] + np.arange(h)
        known = sessions.clipped_keys[sessions.offsets[asked][:, None] + np.maximum(place, 0)]
        histories = np.where(place < 0, np.int32(self.keys + 1), known)
        distinct, inverse = np.unique(histories, axis=0, return_inverse=True)
        top = _likeliest(network, distinct, min(self.config.g, self.keys), context.device)
        if self.places is not None:
            _, first, keys = np.unique(self.places, return_index=True, return_counts=True)
            top = np.where(keys > 1, -1, first).astype(np.int32)[top]
        lists = pl.Series("expected", top[inverse.reshape(-1)], dtype=pl.Array(pl.Int32, top.shape[1]))
        lists = lists.cast(pl.List(pl.Int32))
        if self.places is not None:
            lists = lists.list.eval(pl.element().filter(pl.element() >= 0))
        rows = np.full(len(sessions), len(asked), dtype=np.uint32)
        rows[asked] = np.arange(len(asked))
        nothing = pl.Series([None], dtype=pl.List(pl.Int32))
        return lists.append(nothing).gather(rows)

    def _graph(self, limit: float) -> Graph:
        return window_graph(self.network, self.config, self.keys, limit, self.places)

    def _saved_config(self, facts: Mapping[str, Any]) -> C:
        return super()._saved_config({"pad": False, **facts})  # saved before there was the choice

    @property
    def _shape(self) -> tuple[str, ...]:
        """Options that a saved network fixes."""
        return ("h", "pad", *self.fixed)


def _units(found: WindowScores, histories: Histories) -> Scores:
    scores = rank_scores(found.rank, found.nll, histories)
    return replace(scores, facts={**scores.facts, "near_boundary": int(found.near.sum())})


@torch.inference_mode()
def _likeliest(
    network: nn.Module, histories: NDArray[np.int32], g: int, device: str, chunk: int = 4096
) -> NDArray[np.int32]:
    """The g likeliest keys after distinct histories int32 [rows, h], likeliest first, int32 [rows, g]."""
    parts = [np.empty((0, g), dtype=np.int32)]
    with full_fp32():
        for begin in range(0, len(histories), chunk):
            logits = network(to_device(histories[begin : begin + chunk].astype(np.int64), device))
            parts.append(logits.topk(g, dim=1).indices.int().cpu().numpy())
    return np.concatenate(parts)
