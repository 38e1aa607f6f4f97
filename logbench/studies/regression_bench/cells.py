"""The runs of a suite: one for each model, data set, protocol and seed."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass

from ...api.plan import Plan
from ...components.registry import Registry
from ...running.resolve import ResolvedPlan, resolve
from .suite import Suite


@dataclass(frozen=True)
class CellId:
    """What names a run of a suite: labels of its tables, and the seed."""

    model: str
    dataset: str
    protocol: str
    seed: int

    def as_dict(self) -> dict[str, str | int]:
        """As a row of figures says it."""
        return asdict(self)


@dataclass(frozen=True)
class Cell:
    """One run of a suite.

    Attributes:
        version: `benchmark_version` of its model, or of the suite.
    """

    id: CellId
    version: int
    resolved: ResolvedPlan


def cells(suite: Suite, registry: Registry) -> list[Cell]:
    """Every run of a suite, all names and options checked.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    every = itertools.product(suite.datasets, suite.protocols, suite.models, suite.seeds)
    return [
        _cell(suite, registry, CellId(model, dataset, protocol, seed)) for dataset, protocol, model, seed in every
    ]


def _cell(suite: Suite, registry: Registry, name: CellId) -> Cell:
    version = suite.models[name.model].benchmark_version
    return Cell(name, suite.version if version is None else version, resolve(plan_of(suite, name), registry))


def plan_of(suite: Suite, name: CellId) -> Plan:
    """What a cell asks for."""
    model, dataset, protocol = (
        suite.models[name.model],
        suite.datasets[name.dataset],
        suite.protocols[name.protocol],
    )
    tables = {"model": model.options, "dataset": dataset.options, "protocol": protocol.options}
    return Plan(
        model=model.model or name.model,
        dataset=dataset.dataset or name.dataset,
        parser=dataset.parser,
        windower=dataset.windower,
        embedding=dataset.embedding,
        data=None if dataset.data is None else suite.folder / dataset.data,
        evaluators=suite.evaluators,
        preset=protocol.preset,
        config={kind: options for kind, options in tables.items() if options},
        seed=name.seed,
        companions=models_of(suite),
        command=f"logbench bench run {suite.name}",
    )


def models_of(suite: Suite) -> tuple[str, ...]:
    """Names of the models that a suite runs side by side."""
    return tuple(dict.fromkeys(table.model or label for label, table in suite.models.items()))
