"""Several processes that score one model's units, a stretch of them each: `Context.devices`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..base.errors import ConfigError
from ..base.progress import silent
from ..base.temporary_folders import temporary_folder
from ..data.scores import Scores
from .together import ALONE, checked, quiet_note, started

if TYPE_CHECKING:
    from ..api.contracts import Context
    from ..data.sessions import Sessions

# Units below which one process scores all: another one takes seconds to start.
FEWEST = 2000


def scored_together(model: Any, sessions: Sessions, context: Context) -> Scores | None:
    """Scores of units by `context.devices` processes, a stretch of units each; None where one process does it."""
    if context.devices == 1 or len(sessions) < FEWEST:
        return None
    checked(context)
    world, threads = context.devices, torch.get_num_threads()
    ends = np.searchsorted(sessions.offsets, np.linspace(0, sessions.offsets[-1], world + 1)[1:-1])
    parts = np.split(np.arange(len(sessions)), ends)
    alone = replace(context, devices=1)
    quiet = replace(alone, progress=silent, note=quiet_note)
    with temporary_folder() as folder:
        model.save(folder)
        made = type(model), model.config, folder
        given = [(rank, *made, sessions.take(parts[rank]), quiet) for rank in range(1, world)]
        with started(_score_beside, given) as others:
            torch.set_num_threads(max(threads // world, 1))
            try:
                found = [model.score(sessions.take(parts[0]), alone)]
            finally:
                torch.set_num_threads(threads)
            for process, pipe in others:
                try:
                    found.append(pipe.recv())
                except EOFError:
                    process.join()
                    raise ConfigError(f"{model.name}: a process of --devices could not score; {ALONE}") from None
    return joined(found)


def joined(parts: Sequence[Scores]) -> Scores:
    """Scores of stretches of units as those of all; counts among the facts are summed, others are the largest."""

    def column(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        if all(value is None for value in values):
            return None
        given = [
            np.zeros(len(p.primary), np.int64) if v is None else v for v, p in zip(values, parts, strict=True)
        ]
        return np.concatenate(given)

    names = [one.name for one in fields(Scores) if one.name not in ("others", "facts")]
    others = {name: np.concatenate([part.others[name] for part in parts]) for name in parts[0].others}
    facts: dict[str, Any] = dict(parts[0].facts)
    for name, value in facts.items():
        values = [part.facts.get(name, value) for part in parts]
        if isinstance(value, int | float) and not isinstance(value, bool):
            summed = isinstance(value, int) and name != "eval_batch"
            facts[name] = sum(values) if summed else max(values)
    return Scores(**{name: column(name) for name in names}, others=others, facts={**facts, "devices": len(parts)})


def _score_beside(
    pipe: Connection,
    rank: int,
    kind: Callable[[Any], Any],
    config: Any,
    folder: Path,
    units: Sessions,
    context: Context,
) -> None:
    torch.set_num_threads(max(torch.get_num_threads() // 2, 1))
    if context.device == "cuda":
        torch.cuda.set_device(rank)
    model = kind(config)
    model.load(folder)
    pipe.send(model.score(units, context))
    pipe.close()
