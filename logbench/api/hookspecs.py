"""All hooks of logbench. A plugin implements any of them in the module that its entry point names.

A distribution announces its module in group `logbench`:

    [project.entry-points.logbench]
    mine = "my_module"

Hooks that offer components return an iterable; the others are told what happens. Arguments may be left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from .components import (
        DatasetComponent,
        Definition,
        EmbeddingComponent,
        EvaluatorComponent,
        ModelComponent,
        ParserComponent,
        Preset,
        ReporterComponent,
        Table,
        WindowerComponent,
    )
    from .contracts import Dataset, Definitions, Embedding, Evaluator, Model, Parser, Reporter, Windower
    from .executor import ExecutorComponent
    from .optional_reporters import ReportsRuns
    from .plan import Plan
    from .record import RunRecord

hookspec = pluggy.HookspecMarker("logbench")
# Marks a function as a hook implementation.
hookimpl = pluggy.HookimplMarker("logbench")


@hookspec
def logbench_datasets() -> Iterable[DatasetComponent[Dataset] | Definition]:
    """Offer data sets: `yield DatasetComponent("mine", Mine, card=Card(title=…, …))`.

    One that a user defined in a file of their own is a `Definition`.
    """
    return ()


@hookspec
def logbench_definitions() -> Iterable[Definitions]:
    """Offer a kind of files that define data sets, such as `--dataset ./my.toml`: `yield Library()`."""
    return ()


@hookspec
def logbench_parsers() -> Iterable[ParserComponent[Parser]]:
    """Offer parsers: `yield ParserComponent("words", Words, summary="one template a message")`."""
    return ()


@hookspec
def logbench_windowers() -> Iterable[WindowerComponent[Windower]]:
    """Offer windowers: `yield WindowerComponent("by-node", ByNode)`."""
    return ()


@hookspec
def logbench_embeddings() -> Iterable[EmbeddingComponent[Embedding]]:
    """Offer embeddings: `yield EmbeddingComponent("lengths", Lengths)`."""
    return ()


@hookspec
def logbench_models() -> Iterable[ModelComponent[Model]]:
    """Offer models: `yield ModelComponent("longest", Longest, traits=ModelTraits(min_events=2))`."""
    return ()


@hookspec
def logbench_evaluators() -> Iterable[EvaluatorComponent[Evaluator]]:
    """Offer evaluators: `yield EvaluatorComponent("cost", Cost, config=CostConfig)`."""
    return ()


@hookspec
def logbench_reporters() -> Iterable[ReporterComponent[Reporter | ReportsRuns]]:
    """Offer reporters: `yield ReporterComponent("latex", Latex)`."""
    return ()


@hookspec
def logbench_presets() -> Iterable[Preset]:
    """Offer published set-ups: `yield Preset(name="mine", source="…", protocol={"short": "drop"}, …)`."""
    return ()


@hookspec
def logbench_tables() -> Iterable[Table]:
    """Offer published tables to reproduce: `yield Table(name="mine", source="…", dataset="hdfs", rows=[…], …)`."""
    return ()


@hookspec
def logbench_commands() -> Iterable[click.Command]:
    """Offer subcommands: `yield click.Command("ladder", callback=…)` appears as `logbench ladder`.

    An attribute `section` of the command names its heading in `logbench --help`, such as `"Look"`; by default
    it stands under *Of plugins*.
    """
    return ()


@hookspec
def logbench_executors() -> Iterable[ExecutorComponent]:
    """Offer places where runs are done, for `--executor`: `yield ExecutorComponent("pool", open_pool)`."""
    return ()


@hookspec
def logbench_run_started(plan: Plan) -> None:
    """A run begins. Raise nothing: an error sets the plugin aside for the rest of the process."""


@hookspec
def logbench_stage_finished(stage: dict[str, Any]) -> None:
    """A stage ended: `name`, `wall_s`, `cpu_s`, `peak_rss_mb`, `items`, `items_per_s`."""


@hookspec
def logbench_run_finished(record: RunRecord, out: Path | None) -> None:
    """A run ended and its record is on disk, in the folder `out`; None where nothing is kept."""
