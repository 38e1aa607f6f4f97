"""Rules for presets and published tables: this installation knows every name and value in them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

from ..api.components import Preset, Published, Table
from ..api.plan import Plan
from ..api.protocol import EvaluationProtocol
from ..base.errors import ConfigError
from ..base.options import make, suggest
from ..components.configured import configured
from ..components.registry import KINDS, Registry
from ..running.resolve import SINGLE, evaluators_of, resolve
from ..studies.reproduce import plan_of
from . import material
from .outcome import InapplicableError, ViolationError, expect
from .rule import Subject, rule

SHARES = {"precision", "recall", "f1", "specificity", "accuracy", "prevalence", "auroc", "auprc"}


def _item(subject: Subject) -> Preset | Table:
    item: Preset | Table = subject.part.entry.item
    return item


def _one_line(subject: Subject) -> None:
    for name in ("summary", "source"):
        text = getattr(_item(subject), name)
        expect(
            isinstance(text, str) and bool(text.strip()) and "\n" not in text, f"{name} in one line", repr(text)
        )


@rule("preset", "source", "source and summary have one line each")
def source_of_preset(subject: Subject) -> None:
    _one_line(subject)


@rule("preset", "protocol", "every field of its protocol is known and takes its value")
def protocol(subject: Subject) -> None:
    _known(lambda: make(EvaluationProtocol, dict(subject.part.entry.item.protocol), "protocol"))


@rule("preset", "components", "every component that it names is installed and takes its options")
def components(subject: Subject) -> None:
    for name, values in subject.part.entry.item.components.items():
        if name in (*SINGLE, "embedding", "evaluator"):
            continue  # of whichever component of that kind takes part
        found = [subject.registry.get(kind, name) for kind in KINDS if name in subject.registry.components[kind]]
        if not found:
            every = {one for kind in KINDS for one in subject.registry.components[kind]}
            raise ViolationError("components that are installed", f"{name!r} is none{suggest(name, every)}")
        for entry in found:
            _known(partial(configured, entry, dict(values)))


@rule("preset", "resolves", "a run under it can be planned, with the models and data sets that it is for")
def resolves(subject: Subject) -> None:
    preset: Preset = subject.part.entry.item
    every, named = subject.registry.components, preset.components
    models = [name for name in every["model"] if name in named] or [*every["model"]][:1]
    datasets = [
        name
        for name, entry in every["dataset"].items()
        if name in named or entry.item.card.protocol == preset.name
    ] or [*every["dataset"]][:1]
    if not (models and datasets):
        raise InapplicableError("no model or no data set is installed")
    for model, dataset in product(models, datasets):
        plan = Plan(model=model, dataset=dataset, preset=preset.name)
        _known(partial(resolve, plan, subject.registry), f"{model} on {dataset}: ")


@rule("table", "source", "source and summary have one line each")
def source_of_table(subject: Subject) -> None:
    _one_line(subject)


@rule("table", "rows", "every row can be run with what is installed, or says why not")
def rows(subject: Subject) -> None:
    table: Table = subject.part.entry.item
    expect(bool(table.rows), "a row at least", "none")
    _known(lambda: subject.registry.get("dataset", table.dataset))
    for row in table.rows:
        if not row.unknown:
            plan = plan_of(table, row, Plan(model=row.model, dataset=table.dataset))
            _known(partial(resolve, plan, subject.registry), f"row {row.model}: ")


@rule("table", "metrics", "its figures are of metrics that evaluators give")
def metrics(subject: Subject) -> None:
    table: Table = subject.part.entry.item
    known = _metrics(subject.registry)
    if not known:
        raise InapplicableError("no evaluator is used by default")
    for row in table.rows:
        _figures(row, known)


@rule("table", "bounds", "its figures, tolerance and prevalence are shares from 0 to 1, not per cent")
def bounds(subject: Subject) -> None:
    table: Table = subject.part.entry.item
    expect(0 <= table.tolerance < 1, "a tolerance from 0 to 1", str(table.tolerance))
    expect(0 <= (table.prevalence or 0) <= 1, "a prevalence from 0 to 1, or None", str(table.prevalence))
    for row in table.rows:
        for name in SHARES & row.metrics.keys():
            value = row.metrics[name]
            expect(0 <= value <= 1, f"{name} of row {row.model} from 0 to 1", str(value))


@rule("table", "once", "each row is another run")
def once(subject: Subject) -> None:
    table: Table = subject.part.entry.item
    seen: list[Plan] = []
    for row in table.rows:
        if not row.unknown:
            plan = plan_of(table, row, Plan(model=row.model, dataset=table.dataset))
            expect(plan not in seen, f"one row {row.model}", "another of the same preset and settings")
            seen.append(plan)


def _metrics(registry: Registry) -> set[str]:
    """Names of the metrics of the default evaluators."""
    built = [configured(entry).build() for entry in evaluators_of((), registry)]
    return {name for one in built for name in one.evaluate(material.units())}


def _figures(row: Published, known: set[str]) -> None:
    expect(bool(row.metrics) or bool(row.unknown), f"figures of row {row.model}", "none")
    for name, value in row.metrics.items():
        right = isinstance(value, int | float) and math.isfinite(value)
        expect(right, f"{name} of row {row.model} to be a number", repr(value))
        expect(name in known, f"metrics of row {row.model} out of {', '.join(sorted(known))}", repr(name))


def _known(look: Callable[[], Any], where: str = "") -> None:
    """Raise ViolationError if `look()` finds an unknown name, option or value."""
    try:
        look()
    except ConfigError as error:
        raise ViolationError("names, options and values that are known", f"{where}{error}") from None
