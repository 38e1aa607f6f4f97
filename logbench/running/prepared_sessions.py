"""Prepare sessions without a run, for commands of plugins that time or inspect a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

from ..api.contracts import Context
from ..api.plan import Plan, PlanOptions
from ..base.progress_bars import Bars
from ..components.at_hand import admit
from ..components.registry import Registry
from ..data.derived import derived, hand_on
from ..data.sessions import Sessions
from .asked import plan_fields
from .fit_checks import check_installed
from .fitting import context_for, learning_parts
from .prepare import prepare
from .prepared import Prepared
from .provenance import environment, source
from .resolve import ResolvedPlan, resolve
from .runtime import Runtime
from .stages import Stages


@dataclass(frozen=True)
class Material:
    """Input of a model, with facts for a record.

    Attributes:
        train: training units as in a run, see `Prepared.part`; labelled only for a supervised model.
        test: test units likewise, but with labels; give `test.unlabelled()` to a model.
        config: the model's resolved configuration.
        context: seed, device and held-out units, labelled only for a supervised model.
        facts: `dataset`, `protocol`, `split`, `stages`, `environment` and `source`, as in a record.
    """

    train: Sessions
    test: Sessions
    config: Any
    context: Context
    facts: Mapping[str, Any] = field(repr=False)


def prepare_sessions(
    model: object,
    dataset: object,
    *,
    seed: int = 0,
    registry: Registry | None = None,
    bars: Bars | None = None,
    **options: Unpack[PlanOptions],
) -> Material:
    """Run only the stages `locate` to `sessions`.

    Args:
        model, dataset: names, or classes or instances at hand, see `run`.
        seed: of the model, as its context has it.
        registry, bars: by default all installed plugins, and no progress bars.
        options: fields of `Plan`, such as `settings={"dataset": {"blocks": 1000}}`.

    Raises:
        ConfigError: an unknown name, option or value, or what a component requires is not installed.
        DataError, IncompatibleError: the data cannot be read, or lack what the model needs.
    """
    registry = (registry or Registry()).copy()
    runtime = Runtime.here(registry, bars)
    fields = plan_fields("prepare_sessions", dataset, {**options, "out": Plan.out}, registry)  # nothing is written
    resolved = resolve(Plan(model=admit(registry, "model", model), seed=seed, **fields), registry)
    check_installed(resolved)
    stages = Stages(runtime)
    prepared = prepare(resolved, runtime, stages, runtime.bars.note)
    train, _ = learning_parts(resolved, prepared)
    test = prepared.part("test", prepared.split.test, resolved.needs)
    labelled = replace(test.sessions, labels=prepared.labels[test.units])
    hand_on(derived(test.sessions), labelled)
    return Material(
        train=train.sessions,
        test=labelled,
        config=resolved.model.config,
        context=context_for(resolved, prepared, runtime.bars.note),
        facts=_facts(resolved, prepared, stages),
    )


def _facts(resolved: ResolvedPlan, prepared: Prepared, stages: Stages) -> dict[str, Any]:
    split = prepared.split
    return {
        "dataset": {
            "name": resolved.dataset.name,
            "simulated": resolved.card.simulated,
            "path": str(prepared.path),
            "digest": prepared.digest,
            "sessions": len(prepared.sessions),
            **resolved.dataset.as_dict(),
        },
        "protocol": resolved.protocol.as_dict(),
        "split": {"train": len(split.train), "held_out": len(split.held_out), "test": len(split.test)},
        "stages": stages.done,
        "environment": environment(),
        "source": source(),
    }
