"""A plan as the command to type: what gives one row of a table by itself."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from ..api.plan import Plan, Settings
from ..running.resolve import SINGLE, ResolvedPlan

# Fields of `Plan` that are options of the same name.
FIELDS = ("parser", "windower", "embedding", "protocol", "preset")


def command_of(resolved: ResolvedPlan, more: Settings) -> str:
    """`logbench run …` for a job under further settings, quoted for a shell.

    A configuration file is written out, as far as it concerns what takes part.

    Args:
        more: by component, what comes after `job.plan.settings`.
    """
    names = {*SINGLE, "embedding", "evaluator", "protocol", *(part.name for part in resolved.parts)}
    config = {name: table for name, table in resolved.plan.config.items() if name in names}
    merged: dict[str, dict[str, Any]] = {}
    for layer in (config, resolved.plan.settings, more):
        for name, table in layer.items():
            merged.setdefault(name, {}).update(table)
    return shlex.join(["logbench", "run", resolved.plan.model, *_options(resolved.plan), *_settings(merged)])


def _options(plan: Plan) -> Iterator[str]:
    yield from ("--dataset", plan.dataset)
    if plan.data is not None:
        yield from ("--data", str(plan.data))
    for name in FIELDS:
        if (value := getattr(plan, name)) is not None:
            yield from (f"--{name}", value)
    for evaluator in plan.evaluators:
        yield from ("--evaluator", evaluator)
    if plan.seed:
        yield from ("--seed", str(plan.seed))
    if plan.split_seed is not None:
        yield from ("--split-seed", str(plan.split_seed))
    for name, value, usual in (("--device", plan.device, "auto"), ("--out", str(plan.out), "runs")):
        if value != usual:
            yield from (name, value)
    if plan.devices > 1:
        yield from ("--devices", str(plan.devices))
    if not plan.cache:
        yield "--no-cache"


def _settings(merged: Settings) -> Iterator[str]:
    for name, table in merged.items():
        for key, value in table.items():
            yield from ("--set", f"{name}.{key}={_text(value)}")


def _text(value: Any) -> str:
    """A value as `--set` reads it."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return json.dumps(list(value)) if isinstance(value, list | tuple) else str(value)
