"""A model trained on one data set and tested on others: as it is, and with some units of each.

Beside each row with units of the target stands the model that has these alone: only what is above it was carried
over. Without units of the target it is what Zhao et al. call zero-label (2025, arXiv 2507.19806); a source needs
no labels here unless its protocol says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..api.record_sections import Record
from ..base.errors import ConfigError
from ..components.registry import Registry
from .asked_metric import check_metric
from .leaderboard import Leaderboard
from .mean_row import mean_row
from .plans import ModelsRequest, plans_of
from .workbench import Workbench

# Units of a target from which on it can train alone: one trains, one is held out.
FEWEST = 2


@dataclass(frozen=True)
class Target:
    """A data set to test on, and where it is; None: as for a run."""

    name: str
    data: Path | None = None


@dataclass(frozen=True)
class _Cell:
    target: Target
    units: int
    alone: bool


def units_of(text: str) -> list[int]:
    """Numbers of target units, ascending.

    Raises:
        ConfigError: not whole numbers.

    Examples:
        >>> units_of("100,0,10")
        [0, 10, 100]
    """
    words = [word.strip() for word in text.split(",")]
    if wrong := next((word for word in words if not re.fullmatch(r"\d{1,9}", word)), None):
        raise ConfigError(f"--target-units {text}: {wrong} is no number of units, such as 0,10,100")
    if "" in words:
        raise ConfigError(f"--target-units {text}: a number is missing, such as in 0,10,100")
    return sorted({int(word) for word in words})


def targets_of(names: str, data: Sequence[Path]) -> list[Target]:
    """The data sets to test on, each with its path.

    Raises:
        ConfigError: more or fewer paths than names.
    """
    found = [name.strip() for name in names.split(",") if name.strip()]
    if not found:
        raise ConfigError(f"--target {names}: no data set is named")
    if data and len(data) != len(found):
        raise ConfigError(f"--target-data: {len(data)} given for {len(found)} targets; give one each")
    paths: list[Path | None] = [*data] or [None] * len(found)
    return [Target(*pair) for pair in zip(found, paths, strict=True)]


def transfer(
    request: ModelsRequest, targets: Sequence[Target], units: Sequence[int], metric: str, bench: Workbench
) -> Iterator[dict[str, Any]]:
    """A row for each target and number of its units, and one for these units alone.

    All rows of a target test the same units: those after the largest number.

    Args:
        request: of one model; its fields name the source. units: of each target that train or are held out.
        metric: one that ranks. bench: does the runs, and says whether earlier ones are taken over.

    Yields:
        `target`, `units`, `alone` (nothing but these units trained), `tested` (units), `passed` (see
        `record_split.TransferFacts`, of the first run), and what `mean_row` gives.

    Raises:
        ConfigError: an unknown option, value or metric. DataError: the data are not there.
    """
    alone = _learns_alone(request.models[0], bench.registry)
    cells = [
        _Cell(target, number, only)
        for target in targets
        for number in units
        for only in (False, True)
        if not only or (alone and number >= FEWEST)
    ]
    plans = [plans_of(_asked(request, cell, max(units)), bench.registry) for cell in cells]
    check_metric(plans[0][0], metric, bench, ranks=True)
    flat = [(at, plan) for at, some in enumerate(plans) for plan in some]
    board = Leaderboard([plan for _, plan in flat], bench)
    board.say_taken_over()
    results = dict(board.results())
    for at, cell in enumerate(cells):
        runs = [results[number] for number, (of, _) in enumerate(flat) if of == at]
        head = {"target": cell.target.name, "units": cell.units, "alone": cell.alone, **_facts(runs[0])}
        yield {**head, **mean_row(runs, metric)}


def _facts(run: Record) -> dict[str, Any]:
    split = run["split"]
    return {"tested": split.get("test"), "passed": split.get("transfer")}


def _learns_alone(model: str, registry: Registry) -> bool:
    """Whether a model can learn from units without labels, as the target's are."""
    return registry.get("model", model).item.traits.supervision != "supervised"


def _asked(request: ModelsRequest, cell: _Cell, most: int) -> ModelsRequest:
    settings = dict(request.fields.get("settings", {}))
    own = {"target_units": cell.units, "target_reserve": most}
    own |= {"target_alone": True} if cell.alone else {}
    settings["protocol"] = {**settings.get("protocol", {}), **own}
    fields = {**request.fields, "dataset": cell.target.name, "data": cell.target.data, "settings": settings}
    return replace(request, fields=fields)
