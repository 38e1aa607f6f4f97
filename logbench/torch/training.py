"""Train a network: steps, passes, when to stop. Nothing here knows what the network is for."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from ..base.errors import ConfigError, IncompatibleError
from .adam import Adam
from .collective import rows_of, share_of, sum_gradients, total
from .precision import Precision, full_fp32
from .seeding import seeded
from .stopping import Stopper, validation_loss
from .threads import threads_for
from .throttled_progress import ThrottledProgress

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..api.contracts import Context
    from .options import TrainingConfig
    from .schedules import Optimiser, Schedule

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)


class Batches(Protocol[B_co]):
    """What trains: pass after pass of batches, each of whatever the loss takes. `RowBatches` is one.

    Example:

        class Two:
            steps = 2

            def one_pass(self):
                yield first
                yield second
    """

    @property
    def steps(self) -> int:
        """Batches of a pass."""
        ...

    def one_pass(self) -> Iterator[B_co]:
        """The batches of the next pass; another order each time, if they are shuffled."""
        ...


def total_steps(batches: Batches[Any], config: TrainingConfig) -> int:
    """Steps that training takes at most: what a schedule of the learning rate is made for.

    Example:

        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=config.lr, total_steps=total_steps(batches, config)
        )
    """
    return config.steps if config.stop == "steps" else config.passes * batches.steps


def fit_network(
    network: nn.Module,
    batches: Batches[B],
    loss: Callable[[B], Tensor],
    context: Context,
    config: TrainingConfig,
    name: str,
    validate: Callable[[], float] | None = None,
    *,
    optimiser: Optimiser | None = None,
    schedule: Schedule | None = None,
) -> dict[str, Any]:
    """Train `network` until `config.stop` says so, and leave it in evaluation mode.

    The same seed gives the same weights on a CPU, whatever the global random state; that is kept.

    Args:
        network: on `context.device`, as `new_network` makes it.
        batches: what to train on.
        loss: of a batch, a scalar on the device; it runs the network.
        name: of the model; errors name its options.
        validate: the validation loss, for stop=validation and the record; None where nothing is held out.
        optimiser: instead of Adam; `config.lr` is then for its maker to use.
        schedule: stepped after each optimiser step, instead of `config.decay_at`.

    Returns:
        Facts for the record: `passes` (a fraction where steps ended it), `optimiser_steps`, `stop_reason`,
        `best_pass` (stop=validation), `train_loss` of the last pass, `validation_loss` of the weights that are
        left, `amp`, `parameters`, `loss_by_pass`, `validation_by_pass` (stop=validation).

    Raises:
        ConfigError: stop=validation without `validate`, a loss that is no number any more, or a batch too large
            for the GPU's memory.
        IncompatibleError: nothing to train on.

    Example:

        batches = RowBatches([features, labels], config.batch, context.seed, context.device)

        def loss(batch):
            rows, labels, weights = batch
            return (cross_entropy(network(rows), labels, reduction="none") * weights).sum()

        facts = fit_network(network, batches, loss, context, config, "mine")
    """
    if config.stop == "validation" and validate is None:
        raise ConfigError(f"{name}.stop=validation needs held-out units; set protocol.held_out higher")
    trainer = Trainer(network, loss, config, context.device, optimiser, schedule)
    stopper = Stopper(config, validate)
    with full_fp32(), threads_for(config.batch, context.device), seeded(context.seed, context.device):
        if config.compile:
            network.compile(dynamic=True)
        network.train()
        try:
            facts = _run(trainer, batches, stopper, context, name)
        except torch.cuda.OutOfMemoryError as error:
            raise ConfigError(
                f"out of GPU memory in training; set {name}.batch lower than {config.batch}"
            ) from error
        stopper.restore(network)
        network.eval()
        if validate is not None:
            facts["validation_loss"] = validation_loss(network, validate)
    facts |= {"amp": trainer.precision.kind, "parameters": sum(p.numel() for p in network.parameters())}
    curves = {"loss_by_pass": facts.pop("loss_by_pass"), "validation_by_pass": stopper.losses}
    return facts | {key: [float(f"{x:.5g}") for x in curve] for key, curve in curves.items() if curve}


class Trainer(Generic[B]):
    """Takes single steps: Adam on `network`, mixed precision, clipped gradients."""

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[B], Tensor],
        config: TrainingConfig,
        device: str,
        optimiser: Optimiser | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.network, self.loss, self.config = network, loss, config
        self.optimiser: Optimiser = optimiser or Adam(network.parameters(), config.lr)
        self.schedule = schedule
        if schedule is None and config.warm_up:
            for group in self.optimiser.param_groups:
                group["lr"] /= 2**config.warm_up
        self.precision = Precision.of(config.amp, device)
        self.scaler = self.precision.scaler()

    def step(self, batch: B) -> Tensor:
        """One optimiser step; the loss, still on the device."""
        share = share_of(batch, "this model")
        self.optimiser.zero_grad(set_to_none=True)
        if rows_of(share):
            with self.precision.autocast():
                loss = self.loss(share)
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        else:  # fewer rows than processes
            loss = next(self.network.parameters()).new_zeros(())
        sum_gradients(self.network)
        if self.config.clip is not None:
            self.scaler.unscale_(cast("Optimizer", self.optimiser))  # it asks no more of it
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.scaler.step(cast("Optimizer", self.optimiser))
        scale = self.scaler.get_scale() if self.schedule else 0.0
        self.scaler.update()
        if self.schedule and self.scaler.get_scale() >= scale:  # else the step was skipped: fp16 overflowed
            self.schedule.step()
        return total(loss.detach())

    def decay(self, passes: int) -> None:
        """Change the learning rate after `passes` passes, unless a schedule sets it."""
        if self.schedule is None:
            factor = 2 if passes <= self.config.warm_up else 1
            for group in self.optimiser.param_groups:
                group["lr"] *= factor * self.config.decay ** self.config.decay_at.count(passes)


def _run(
    trainer: Trainer[B], batches: Batches[B], stopper: Stopper, context: Context, name: str
) -> dict[str, Any]:
    config = trainer.config
    progress = ThrottledProgress(context.progress, total_steps(batches, config))
    recent: deque[Tensor] = deque(maxlen=batches.steps)
    by_pass: list[float] = []
    reason, steps, passes = None, 0, 0
    while reason is None:
        losses: list[Tensor] = []
        for batch in batches.one_pass():
            losses.append(trainer.step(batch))
            steps += 1
            progress(steps, lambda: f"loss {float(losses[-1]):.3f}")  # noqa: B023 (called at once)
            if config.stop == "steps" and steps >= config.steps:
                reason = f"{steps} steps"
                break
        else:
            passes += 1
        if not losses:
            raise IncompatibleError(f"{name}: there is nothing to train on")
        recent.extend(losses)
        by_pass.append(_finite(torch.stack(losses).mean(), steps, name))
        if reason is None:
            trainer.decay(passes)
            reason = stopper.after_pass(passes, trainer.network)
    train_loss = _finite(torch.stack(tuple(recent)).mean(), steps, name)
    facts = {"passes": round(steps / batches.steps, 2), "optimiser_steps": steps, "stop_reason": reason}
    if stopper.weights:
        facts["best_pass"] = stopper.best_pass
    return {**facts, "train_loss": train_loss, "loss_by_pass": by_pass}


def _finite(loss: Tensor, steps: int, name: str) -> float:
    value = float(loss)
    if not math.isfinite(value):
        raise ConfigError(f"the training loss is {value} after {steps} steps; set {name}.lr lower")
    return value
