"""Refuse a metric that no run will have, before anything runs."""

from __future__ import annotations

from ..api.plan import Plan
from ..base.errors import ConfigError
from ..base.options import suggest
from ..evaluation.metrics import direction, ways
from ..running import worker_tasks
from ..running.resolve import resolve
from .workbench import Workbench


def check_metric(plan: Plan, metric: str, bench: Workbench, *, ranks: bool) -> None:
    """Refuse a metric that the evaluators of a plan do not give.

    Where they cannot be built, or do not tell their metrics, nothing is known yet, and the first run says what is
    wrong.

    Args:
        ranks: it decides what is better, so that it must have a direction.

    Raises:
        ConfigError: no evaluator gives it, or says which way it is better.
    """
    resolved = resolve(plan, bench.registry)
    owner, taking_part = metric.partition(".")[0], {part.name for part in resolved.evaluators}
    further = owner in bench.registry.components["evaluator"] and owner not in taking_part
    for _, answer in list(bench.map(worker_tasks.metrics, [plan])):
        if isinstance(answer, BaseException):
            continue
        names = sorted({_open(name) for name in answer["names"]})
        if names and metric not in answer["names"] and _open(metric) not in names:
            hint = f"; ask it: --evaluator {owner}" if further else suggest(metric, names)
            raise ConfigError(f"no evaluator gives {metric!r}{hint}")
        known = {"run_id": plan.dataset, "dataset": {"unit": resolved.unit}, "directions": answer["directions"]}
        if ranks and ways(known):
            direction(known, metric)


def _open(name: str) -> str:
    """A metric's name without what only the data know: `types.recall:…`."""
    begin, colon, _ = name.partition(":")
    return f"{begin}:…" if colon else name
