"""Smaller networks from a trained one: pruned, and students that it teaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench.torch import fit_network, new_network, training_batches, weighted_loss

from ..model import DeepLog
from ..network import Network

if TYPE_CHECKING:
    from logbench import Context, Sessions

# Steps of fine-tuning, as a share of those of training.
TUNED = 0.5
# How much of a student's loss is the teacher's guess; the rest is the key that came (Hinton et al., 2015).
TAUGHT = 0.5


def of_network(model: DeepLog, network: nn.Module, **options: Any) -> DeepLog:
    """A model of the same options but these, with another network."""
    made = DeepLog(replace(model.config, **options))
    made.network, made.keys, made.width = network.eval(), model.keys, model.width
    return made


def pruned(model: DeepLog, train: Sessions, context: Context, share: float) -> DeepLog:
    """The smallest weights of all layers zero, then trained on with these kept at zero (Han et al., 2015)."""
    network = _copy(model)
    weights = [one for one in network.parameters() if one.ndim > 1]
    every = torch.cat([one.detach().abs().flatten() for one in weights])
    limit = every.kthvalue(max(int(share * len(every)), 1)).values
    masks = [(one.detach().abs() > limit).to(one.dtype) for one in weights]
    handles = []
    for weight, mask in zip(weights, masks, strict=True):
        weight.data.mul_(mask)
        # Without gradients Adam leaves them where they are.
        hooked: Any = weight
        handles.append(hooked.register_hook(partial(torch.mul, mask)))
    _tuned(model, network, train, context, partial(weighted_loss, network))
    for handle in handles:
        handle.remove()
    return of_network(model, network)


def narrowed(model: DeepLog, train: Sessions, context: Context, share: float) -> DeepLog:
    """The weakest units of each LSTM layer left out, whole, then trained on: a dense network of `share` fewer."""
    own = _copy(model)
    hidden = max(round(own.lstm.hidden_size * (1 - share)), 1)
    small = new_network(
        lambda: Network(model.keys, replace(model.config, hidden=hidden)), context.seed, context.device
    )
    before: Tensor | None = None
    with torch.no_grad():
        for layer in range(own.lstm.num_layers):
            parts = {
                name: getattr(own.lstm, f"{name}_l{layer}")
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            strength = sum(parts[name].unflatten(0, (4, -1)).square().sum((0, 2)) for name in list(parts)[:2])
            assert isinstance(strength, Tensor)
            kept = strength.topk(hidden).indices.sort().values
            for name, values in parts.items():
                rows = values.unflatten(0, (4, -1))[:, kept].flatten(0, 1)
                if name == "weight_hh":
                    rows = rows[:, kept]
                elif name == "weight_ih" and before is not None:
                    rows = rows[:, before]
                getattr(small.lstm, f"{name}_l{layer}").copy_(rows)
            before = kept
        assert before is not None
        small.output.weight.copy_(own.output.weight[:, before])
        small.output.bias.copy_(own.output.bias)
        if own.input == "embedding":
            small.embedding.weight.copy_(own.embedding.weight)
    _tuned(model, small, train, context, partial(weighted_loss, small))
    return of_network(model, small, hidden=hidden)


class GruNetwork(Network):
    """`Network` with a GRU in the LSTM's place: three quarters of its weights."""

    def __init__(self, keys: int, config: Any) -> None:
        super().__init__(keys, config)
        size = self.lstm.input_size
        self.lstm = nn.GRU(size, config.hidden, config.layers, batch_first=True)  # type: ignore[assignment]

    shared_prefix = None  # type: ignore[assignment]  # of an LSTM alone


def student(
    model: DeepLog, train: Sessions, context: Context, hidden: int, kind: type[Network] = Network
) -> DeepLog:
    """A network of `hidden` units that learns the trained one's guesses beside the keys that came."""
    teacher, config = _copy(model), replace(model.config, hidden=hidden)
    network = new_network(lambda: kind(model.keys, config), context.seed, context.device)

    def loss(batch: tuple[Tensor, ...]) -> Tensor:
        windows, weights = batch
        histories = windows[:, :-1]
        logits = network(histories)
        with torch.no_grad():
            taught = teacher(histories).softmax(1)
        came = F.cross_entropy(logits, windows[:, -1], reduction="none")
        guess = F.cross_entropy(logits, taught, reduction="none")
        return ((TAUGHT * guess + (1 - TAUGHT) * came) * weights).sum()

    _tuned(model, network, train, context, loss, share=1.0)
    return of_network(model, network, hidden=hidden)


def _copy(model: DeepLog) -> Network:
    assert isinstance(model.network, Network)
    copied = Network(model.keys, model.config).to(next(model.network.parameters()).device)
    copied.load_state_dict(model.network.state_dict())
    return copied.eval()


def _tuned(
    model: DeepLog,
    network: nn.Module,
    train: Sessions,
    context: Context,
    loss: Callable[[tuple[Tensor, ...]], Tensor],
    share: float = TUNED,
) -> None:
    """Train on, by steps or passes: that share of what the model was trained by."""
    config = model.config
    stop: Any = "steps" if config.stop == "steps" else "passes"
    config = replace(
        config, stop=stop, steps=max(int(config.steps * share), 1), passes=max(int(config.passes * share), 1)
    )
    batches = training_batches(train, config, context.seed, context.device, model.name)
    fit_network(network, batches, loss, context, config, model.name)
