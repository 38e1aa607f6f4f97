"""DeepLog's online update (Du et al., CCS 2017, section 3.3): a reported false alarm trains its true next key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from logbench.torch import Adam, full_fp32, new_network, to_device

from .model import DeepLog

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from logbench import Context, Scores, Sessions

    from .network import Network
    from .options import OnlineConfig


class OnlineDeepLog(DeepLog):
    """`deeplog` that learns from false alarms, while a stream is scored.

    Of a unit that alarmed and is known to be normal, the pairs of history and next key that alarmed train for some
    steps, until the key is among the g likeliest. Keys that the parser learned since grow the input and the output
    layer; all other weights stay. Units without a label teach nothing, nor do anomalies.
    """

    name = "deeplog-online"
    config: OnlineConfig
    network: Network | None

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `NextKeyModel.score`; more keys than before grow the network."""
        self._grow(sessions.vocabulary)
        shared = 0 if self.places is None else int((self.places == self.keys - 1).sum())
        if self.places is not None and shared > 1:
            context.note(f"{shared:,} of {len(self.places):,} keys are one to the network (max_keys)")
        return super().score(sessions, context)

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        """See `Updates.update`."""
        if label != 0 or not verdict:
            return
        self._grow(unit.vocabulary)
        assert self.network is not None, "fit or load comes first"
        windows = self.bounded(unit).histories(self.config.h, self.config.pad).distinct_windows
        self._train(windows[windows[:, -1] < self.keys])

    def _train(self, windows: NDArray) -> None:  # type: ignore[type-arg]
        """Train on windows int32 [W, h + 1] that alarm, until none does."""
        network = self.network
        assert network is not None
        device = next(network.parameters()).device.type
        pairs = to_device(windows.astype("int64"), device)
        optimiser = Adam(network.parameters(), lr=self.config.online_lr)
        with full_fp32():
            for _ in range(self.config.online_steps if len(windows) else 0):
                logits = network(pairs[:, :-1])
                if not (wrong := self._alarms(logits.detach(), pairs[:, -1])).any():
                    break
                optimiser.zero_grad()
                F.cross_entropy(logits[wrong], pairs[wrong, -1]).backward()  # type: ignore[no-untyped-call]
                optimiser.step()

    def _alarms(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Whether other keys are as likely as the true one, g of them or more; bool [W]."""
        true = logits.gather(1, targets[:, None])
        rank: Tensor = (logits >= true).sum(1)  # the true one is among them
        return rank > self.config.g

    def _grow(self, vocabulary: int) -> None:
        """Make room for keys that came to be known; each is as unknown, and least likely, until it trains.

        Those beyond `max_keys` share one with each other, and with the rarest of training, if there are such.
        """
        before = self.keys
        known = before if self.places is None else len(self.places)
        if self.network is None or vocabulary <= known:
            return
        last = max(self.config.max_keys - 1, before) if self.places is None else before - 1
        new = np.minimum(np.arange(before, before + vocabulary - known), last)
        if self.places is not None or vocabulary > last:  # the last place is taken: later keys join it
            old_places = np.arange(before) if self.places is None else self.places
            self.places = np.concatenate([old_places, new]).astype(np.int32)
        if (keys := int(new[-1]) + 1) > before:
            self._widen(self.network, keys)

    def _widen(self, network: nn.Module, keys: int) -> None:
        """Replace the network by one of more keys."""
        old, before = network.state_dict(), self.keys
        device = next(network.parameters()).device.type
        wider = new_network(lambda: self.build(keys), 0, device)
        state = wider.state_dict()
        for name, weights in old.items():
            state[name] = weights if weights.shape == state[name].shape else _grown(name, weights, before, keys)
        wider.load_state_dict(state)
        self.network, self.keys = wider, keys


def _grown(name: str, weights: Tensor, before: int, keys: int) -> Tensor:
    """Weights for more keys: of the input a column or row of zeros each, of the output the smallest bias."""
    more = keys - before
    if name == "output.bias":
        return torch.cat([weights, weights.min().repeat(more)])
    if name == "output.weight":
        return torch.cat([weights, weights.new_zeros(more, weights.shape[1])])
    axis = 0 if name == "embedding.weight" else 1  # what follows the known keys stays behind them
    shape = [more if at == axis else size for at, size in enumerate(weights.shape)]
    known, rest = weights.narrow(axis, 0, before), weights.narrow(axis, before, weights.shape[axis] - before)
    return torch.cat([known, weights.new_zeros(shape), rest], axis)
