"""Score the units of one log, without labels, by a model that was fitted on the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..base.errors import IncompatibleError
from ..base.jsonable import several
from ..data.neutral import neutral
from ..data.scores import spread
from ..running.explain import Asked, Counts, usual_of, with_said
from ..running.fit_checks import check_installed, resolve_device
from ..running.models import InProcess, running_model
from ..running.unit_scores import score_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions
    from ..running.resolve import ResolvedPlan

# Parts that the log is cut into, in order: each is scored by a model fitted on the others.
PARTS = 5
# One training unit of so many is held out for stopping.
HELD_OUT = 10
# Units of each part of which it is said why they score high.
TOLD = 200


def check_model(resolved: ResolvedPlan) -> None:
    """Refuse a model that cannot rank a log by itself.

    Raises:
        IncompatibleError: it learns from labels, or takes what `detect` does not prepare.
        ConfigError: what it requires is not installed.
    """
    check_installed(resolved)
    name = resolved.model.name
    if resolved.supervision == "supervised":
        raise IncompatibleError(f"--model {name}: it learns from labels, and detect has none; take another model")
    if other := sorted(resolved.needs - {"times", "templates"}):
        raise IncompatibleError(
            f"--model {name}: it takes {' and '.join(other)}, which detect does not prepare; "
            f"use logbench run {name} --dataset DEFINITION"
        )


def cross_scores(
    resolved: ResolvedPlan, sessions: Sessions, names: dict[int, str], note: Callable[[str], None]
) -> pl.DataFrame:
    """Score every unit by a model that did not see its part of the log.

    Args:
        sessions: in order of time. names: template of each key.

    Returns:
        `score` (Float64, null for units too short for the model), and what `with_said` adds.
    """
    frames, units = [], np.arange(len(sessions))
    for part in np.array_split(units, min(PARTS, len(sessions))):
        frames.append(_scored(resolved, sessions, part, np.setdiff1d(units, part), names, note))
    frame = pl.concat(frames)
    if short := frame["score"].null_count():
        note(f"{several(short, 'unit is', 'units are')} too short for {resolved.model.name}, and not ranked")
    return frame


def _scored(
    resolved: ResolvedPlan,
    sessions: Sessions,
    part: NDArray[np.int64],
    others: NDArray[np.int64],
    names: dict[int, str],
    note: Callable[[str], None],
) -> pl.DataFrame:
    held = others[::HELD_OUT] if len(others) > HELD_OUT else others[:0]
    train, needs = np.setdiff1d(others, held), resolved.needs
    some, model = partial(neutral, sessions, needs), running_model(resolved, InProcess(), note)
    context = Context(
        seed=resolved.plan.seed,
        device=resolve_device(resolved.plan.device),
        devices=resolved.plan.devices,
        alpha=resolved.protocol.alpha,
        note=note,
    )
    context = replace(context, held_out=some(units=held) if len(held) else None)
    fitted = some(units=train)
    model.fit(fitted, context)
    long_enough = np.flatnonzero(sessions.lengths[part] >= resolved.short_limit)
    scores = score_units(model, some(units=part[long_enough]), context, resolved.model.name, resolved.keys_only)
    column = partial(spread, where=long_enough, size=len(part))
    event = column(scores.event, dtype=pl.Int64).fill_null(-1)
    frame = pl.DataFrame({"score": column(scores.primary, dtype=pl.Float64)})
    interesting = frame["score"].rank("ordinal", descending=True) <= TOLD
    asked = Asked(sessions, part, event.to_numpy(), interesting.fill_null(False).to_numpy())
    return with_said(frame, asked, model, context, needs, Counts(usual_of(fitted), names))
