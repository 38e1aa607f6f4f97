"""Training a next-key network and deciding when to stop."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..base.errors import ConfigError, IncompatibleError
from .batches import Batches, BruteBatches, DistinctBatches
from .forward import logits_of
from .precision import Precision, full_fp32
from .threads import threads_for
from .throttled_progress import ThrottledProgress
from .window_scores import score_distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..api.contracts import Context
    from ..data.histories import Histories
    from ..data.sessions import Sessions
    from .options import NextKeyConfig


N = TypeVar("N", bound=nn.Module)


def new_network(build: Callable[[], N], seed: int, device: str) -> N:
    """The network that `build` makes, with the same weights for a seed on every device.

    Global random state is kept.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = build()
    return network.to(device)


def weighted_loss(network: nn.Module, windows: Tensor, weights: Tensor) -> Tensor:
    """Sum of weight × cross entropy of the last key of windows int64 [B, h + 1], given the rest; a scalar."""
    losses = F.cross_entropy(logits_of(network, windows[:, :-1]), windows[:, -1], reduction="none")
    return (losses * weights).sum()


@dataclass
class Stopper:
    """Decides after each pass; keeps the weights of the lowest validation loss where that is what stops."""

    config: NextKeyConfig
    validate: Callable[[], float]
    best: float = math.inf
    best_pass: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def after_pass(self, passes: int, network: nn.Module) -> str | None:
        """Why to stop now, or None."""
        if self.config.stop == "validation":
            loss = self.validate()
            if loss < self.best:
                self.best, self.best_pass = loss, passes
                self.weights = {name: value.clone() for name, value in network.state_dict().items()}
            elif passes - self.best_pass >= self.config.patience:
                return f"validation loss did not fall for {self.config.patience} passes"
        if self.config.stop != "steps" and passes >= self.config.passes:
            return f"{passes} passes"
        return None

    def restore(self, network: nn.Module) -> None:
        if self.weights:
            network.load_state_dict(self.weights)


class Trainer:
    """Adam on `network`, step by step, so that a ladder can time single steps."""

    def __init__(self, network: nn.Module, config: NextKeyConfig, precision: Precision) -> None:
        self.network, self.config, self.precision = network, config, precision
        self.optimiser = torch.optim.Adam(network.parameters(), config.lr)
        self.scaler = precision.scaler()

    def step(self, windows: Tensor, weights: Tensor) -> Tensor:
        """One optimiser step; the loss, still on the device."""
        with self.precision.autocast():
            loss = weighted_loss(self.network, windows, weights)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return loss.detach()

    def decay(self, passes: int) -> None:
        """After `passes` passes."""
        for group in self.optimiser.param_groups:
            group["lr"] *= self.config.decay ** self.config.decay_at.count(passes)


def training_batches(sessions: Sessions, config: NextKeyConfig, seed: int, device: str, name: str) -> Batches:
    """The batches that `config` asks for; an error names the options of the model `name`.

    Raises:
        IncompatibleError: no window to train on.
    """
    histories = sessions.histories(config.h, config.pad)
    kind = DistinctBatches if config.dedup else BruteBatches
    batches = kind(histories, config, seed, device)
    if not batches.windows:
        units = f"{len(sessions):,} training unit{'s' * (len(sessions) != 1)}"
        raise IncompatibleError(
            f"none of the {units} has more than h = {config.h} events; "
            f"set {name}.h lower, {name}.pad=true, or train on longer units"
        )
    return batches


def train(
    network: nn.Module, sessions: Sessions, context: Context, config: NextKeyConfig, name: str
) -> dict[str, Any]:
    """Train `network` until `config.stop` says so; facts for the record.

    Args:
        network: histories int64 [B, h] → logits float [B, K] of the K known keys, on `context.device`.
        name: of the model, as errors name its options.

    Raises:
        IncompatibleError: no window to train on.
        ConfigError: stop=validation without held-out windows, or a loss that is no number any more.
    """
    batches = training_batches(sessions, config, context.seed, context.device, name)
    held = None if context.held_out is None else context.held_out.histories(config.h, config.pad)
    if config.stop == "validation" and not (held and len(held)):
        raise ConfigError(
            f"{name}.stop=validation needs held-out units with windows; set protocol.held_out higher"
        )
    trainer = Trainer(network, config, Precision.of(config.amp, context.device))
    stopper = Stopper(config, lambda: mean_loss(network, held, context, config))
    with full_fp32(), threads_for(config.batch, context.device):
        if config.compile:
            network.compile(dynamic=True)
        network.train()
        facts = _run(trainer, batches, stopper, context, name)
        stopper.restore(network)
        network.eval()
        if held and len(held):
            facts["validation_loss"] = mean_loss(network, held, context, config)
    return {"windows": batches.windows, "distinct": batches.distinct, **facts, "amp": trainer.precision.kind}


def _run(trainer: Trainer, batches: Batches, stopper: Stopper, context: Context, name: str) -> dict[str, Any]:
    config = trainer.config
    total = config.steps if config.stop == "steps" else config.passes * batches.steps
    progress = ThrottledProgress(context.progress, total)
    recent: deque[Tensor] = deque(maxlen=batches.steps)
    reason, steps, passes = None, 0, 0
    while reason is None:
        for loss in _losses(trainer, batches):
            steps += 1
            recent.append(loss)
            progress(steps, lambda: f"loss {float(recent[-1]):.3f}")
            if config.stop == "steps" and steps >= config.steps:
                reason = f"{steps} steps"
                break
        else:
            passes += 1
            _check_finite(recent[-1], steps, name)
            trainer.decay(passes)
            reason = stopper.after_pass(passes, trainer.network)
    train_loss = _check_finite(torch.stack(tuple(recent)).mean(), steps, name)
    facts = {"passes": round(steps / batches.steps, 2), "optimiser_steps": steps, "stop_reason": reason}
    if stopper.weights:
        facts["best_pass"] = stopper.best_pass
    return {**facts, "train_loss": train_loss}


def _losses(trainer: Trainer, batches: Batches) -> Iterator[Tensor]:
    for windows, weights in batches.one_pass():
        yield trainer.step(windows, weights)


def _check_finite(loss: Tensor, steps: int, name: str) -> float:
    value = float(loss)
    if not math.isfinite(value):
        raise ConfigError(f"the training loss is {value} after {steps} steps; set {name}.lr lower")
    return value


def mean_loss(network: nn.Module, histories: Histories | None, context: Context, config: NextKeyConfig) -> float:
    """Mean cross entropy over the windows whose next key is known, each counted as often as it occurs."""
    assert histories is not None
    found = score_distinct(network, histories, config, context)
    counts = histories.distinct.counts * (found.rank <= histories.vocabulary)
    if not counts.any():
        return math.inf
    return float((found.nll.astype(float)[counts > 0] * counts[counts > 0]).sum() / counts.sum())
