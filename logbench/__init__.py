"""logbench: a benchmark harness for log anomaly detection. This is the whole surface for plugin authors.

Names load on first use, so that `import logbench` costs nothing: not what plugins need, no polars, no torch.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as of `typing`, which takes longer to load than all that is here
if TYPE_CHECKING:
    from typing import Any

    from .api.components import (
        BaseComponent,
        Card,
        DatasetComponent,
        Definition,
        EmbeddingComponent,
        EvaluatorComponent,
        ModelComponent,
        ParserComponent,
        Preset,
        Published,
        ReporterComponent,
        Table,
        WindowerComponent,
    )
    from .api.contracts import (
        Context,
        Dataset,
        Definitions,
        Embedding,
        Evaluator,
        Generator,
        Model,
        Parser,
        Reporter,
        Windower,
    )
    from .api.executor import Executor, ExecutorComponent, ExecutorRequest, Running, Shares, Watched
    from .api.hookspecs import hookimpl
    from .api.model_card import ModelCard
    from .api.old_components import Component, Traits
    from .api.optional_data_sets import Guessed, Guesses, HasHome, TakesData
    from .api.optional_evaluators import (
        HasCaution,
        HasColumns,
        HasDirections,
        InTime,
        NeedsFirstAlarm,
        NeedsKinds,
        OfUnits,
    )
    from .api.optional_models import Expects, Explains, Loads, Saves, Updates
    from .api.optional_reporters import ReportsRuns, Runs
    from .api.optional_windowers import Continues, GroupsByColumn, HasCounts, HasSilence, NamesLabels, Piecewise
    from .api.plan import Plan
    from .api.protocol import EvaluationProtocol, redraws
    from .api.record import RunRecord
    from .api.traits import ComponentTraits, ModelTraits, WindowerTraits
    from .api.work import Work
    from .base.array_files import load_arrays, save_arrays
    from .base.errors import ConfigError, DataError, IncompatibleError, LeakError, LogbenchError, PluginError
    from .base.escapes import escaped
    from .base.file_names import named_file
    from .base.options import make_options, meant, option, parse_settings, suggest, toml_values
    from .base.progress import Progress
    from .base.progress_bars import Bars
    from .base.screen import folded, screen_width
    from .base.text_table import text_table
    from .components.component_of import component_of
    from .components.passed_through import passed_through
    from .data.class_balance import class_weights, oversampled
    from .data.distinct import Distinct
    from .data.histories import Histories
    from .data.line_format import LineFormat
    from .data.line_rules import LineRules
    from .data.lines import KeySequences, Lines
    from .data.per_unit import count_matrix, events_of_units, first_per_unit, max_per_unit
    from .data.scores import Scores
    from .data.sessions import Sessions
    from .data.shared_keys import by_places, key_places
    from .data.unit import Unit
    from .evaluation.intervals import interval
    from .evaluation.metrics import figures, shown_metrics
    from .evaluation.run_intervals import mean_interval, runs_interval
    from .reading.layout import Member, open_layout
    from .reading.line_fields import checked_format
    from .reading.line_reader import open_lines
    from .reading.log_files import LogFile, LogFiles, find_texts
    from .running.prepared_sessions import Material, prepare_sessions
    from .running.run_task import PlanResult, run_plan
    from .running.runner import run
    from .running.saved_runs import SavedRun, saved_run
    from .running.signed_records import signed_by
    from .studies.leaderboard import leaderboard
    from .studies.stored_runs import StoredRuns
    from .studies.workbench import Workbench

_LAZY = {
    "Bars": "base.progress_bars",
    "BaseComponent": "api.components",
    "Card": "api.components",
    "Component": "api.old_components",
    "ComponentTraits": "api.traits",
    "ConfigError": "base.errors",
    "Context": "api.contracts",
    "Continues": "api.optional_windowers",
    "DataError": "base.errors",
    "Dataset": "api.contracts",
    "DatasetComponent": "api.components",
    "Definition": "api.components",
    "Definitions": "api.contracts",
    "Distinct": "data.distinct",
    "Embedding": "api.contracts",
    "EmbeddingComponent": "api.components",
    "EvaluationProtocol": "api.protocol",
    "Evaluator": "api.contracts",
    "EvaluatorComponent": "api.components",
    "Executor": "api.executor",
    "ExecutorComponent": "api.executor",
    "ExecutorRequest": "api.executor",
    "Expects": "api.optional_models",
    "Explains": "api.optional_models",
    "Generator": "api.contracts",
    "GroupsByColumn": "api.optional_windowers",
    "Guessed": "api.optional_data_sets",
    "Guesses": "api.optional_data_sets",
    "HasCaution": "api.optional_evaluators",
    "HasColumns": "api.optional_evaluators",
    "HasCounts": "api.optional_windowers",
    "HasDirections": "api.optional_evaluators",
    "HasHome": "api.optional_data_sets",
    "HasSilence": "api.optional_windowers",
    "Histories": "data.histories",
    "InTime": "api.optional_evaluators",
    "IncompatibleError": "base.errors",
    "KeySequences": "data.lines",
    "LeakError": "base.errors",
    "LineFormat": "data.line_format",
    "LineRules": "data.line_rules",
    "Lines": "data.lines",
    "Loads": "api.optional_models",
    "LogFile": "reading.log_files",
    "LogFiles": "reading.log_files",
    "LogbenchError": "base.errors",
    "Material": "running.prepared_sessions",
    "Member": "reading.layout",
    "Model": "api.contracts",
    "ModelCard": "api.model_card",
    "ModelComponent": "api.components",
    "ModelTraits": "api.traits",
    "NamesLabels": "api.optional_windowers",
    "NeedsFirstAlarm": "api.optional_evaluators",
    "NeedsKinds": "api.optional_evaluators",
    "OfUnits": "api.optional_evaluators",
    "Parser": "api.contracts",
    "ParserComponent": "api.components",
    "Piecewise": "api.optional_windowers",
    "Plan": "api.plan",
    "PlanResult": "running.run_task",
    "PluginError": "base.errors",
    "Preset": "api.components",
    "Progress": "base.progress",
    "Published": "api.components",
    "Reporter": "api.contracts",
    "ReporterComponent": "api.components",
    "ReportsRuns": "api.optional_reporters",
    "RunRecord": "api.record",
    "Running": "api.executor",
    "Runs": "api.optional_reporters",
    "SavedRun": "running.saved_runs",
    "Saves": "api.optional_models",
    "Scores": "data.scores",
    "Sessions": "data.sessions",
    "Shares": "api.executor",
    "StoredRuns": "studies.stored_runs",
    "Table": "api.components",
    "TakesData": "api.optional_data_sets",
    "Traits": "api.old_components",
    "Unit": "data.unit",
    "Updates": "api.optional_models",
    "Watched": "api.executor",
    "Windower": "api.contracts",
    "WindowerComponent": "api.components",
    "WindowerTraits": "api.traits",
    "Work": "api.work",
    "Workbench": "studies.workbench",
    "checked_format": "reading.line_fields",
    "class_weights": "data.class_balance",
    "component_of": "components.component_of",
    "by_places": "data.shared_keys",
    "count_matrix": "data.per_unit",
    "escaped": "base.escapes",
    "events_of_units": "data.per_unit",
    "figures": "evaluation.metrics",
    "find_texts": "reading.log_files",
    "first_per_unit": "data.per_unit",
    "key_places": "data.shared_keys",
    "folded": "base.screen",
    "hookimpl": "api.hookspecs",
    "interval": "evaluation.intervals",
    "leaderboard": "studies.leaderboard",
    "load_arrays": "base.array_files",
    "make_options": "base.options",
    "max_per_unit": "data.per_unit",
    "mean_interval": "evaluation.run_intervals",
    "meant": "base.options",
    "named_file": "base.file_names",
    "open_layout": "reading.layout",
    "open_lines": "reading.line_reader",
    "option": "base.options",
    "oversampled": "data.class_balance",
    "parse_settings": "base.options",
    "passed_through": "components.passed_through",
    "prepare_sessions": "running.prepared_sessions",
    "redraws": "api.protocol",
    "run": "running.runner",
    "run_plan": "running.run_task",
    "runs_interval": "evaluation.run_intervals",
    "save_arrays": "base.array_files",
    "saved_run": "running.saved_runs",
    "screen_width": "base.screen",
    "shown_metrics": "evaluation.metrics",
    "signed_by": "running.signed_records",
    "suggest": "base.options",
    "text_table": "base.text_table",
    "toml_values": "base.options",
}

__version__ = "0.1.0"
__all__ = [
    "Bars",
    "BaseComponent",
    "Card",
    "Component",
    "ComponentTraits",
    "ConfigError",
    "Context",
    "Continues",
    "DataError",
    "Dataset",
    "DatasetComponent",
    "Definition",
    "Definitions",
    "Distinct",
    "Embedding",
    "EmbeddingComponent",
    "EvaluationProtocol",
    "Evaluator",
    "EvaluatorComponent",
    "Executor",
    "ExecutorComponent",
    "ExecutorRequest",
    "Expects",
    "Explains",
    "Generator",
    "GroupsByColumn",
    "Guessed",
    "Guesses",
    "HasCaution",
    "HasColumns",
    "HasCounts",
    "HasDirections",
    "HasHome",
    "HasSilence",
    "Histories",
    "InTime",
    "IncompatibleError",
    "KeySequences",
    "LeakError",
    "LineFormat",
    "LineRules",
    "Lines",
    "Loads",
    "LogFile",
    "LogFiles",
    "LogbenchError",
    "Material",
    "Member",
    "Model",
    "ModelCard",
    "ModelComponent",
    "ModelTraits",
    "NamesLabels",
    "NeedsFirstAlarm",
    "NeedsKinds",
    "OfUnits",
    "Parser",
    "ParserComponent",
    "Piecewise",
    "Plan",
    "PlanResult",
    "PluginError",
    "Preset",
    "Progress",
    "Published",
    "Reporter",
    "ReporterComponent",
    "ReportsRuns",
    "RunRecord",
    "Running",
    "Runs",
    "SavedRun",
    "Saves",
    "Scores",
    "Sessions",
    "Shares",
    "StoredRuns",
    "Table",
    "TakesData",
    "Traits",
    "Unit",
    "Updates",
    "Watched",
    "Windower",
    "WindowerComponent",
    "WindowerTraits",
    "Work",
    "Workbench",
    "by_places",
    "checked_format",
    "class_weights",
    "component_of",
    "count_matrix",
    "escaped",
    "events_of_units",
    "figures",
    "find_texts",
    "first_per_unit",
    "folded",
    "hookimpl",
    "interval",
    "key_places",
    "leaderboard",
    "load_arrays",
    "make_options",
    "max_per_unit",
    "mean_interval",
    "meant",
    "named_file",
    "open_layout",
    "open_lines",
    "option",
    "oversampled",
    "parse_settings",
    "passed_through",
    "prepare_sessions",
    "redraws",
    "run",
    "run_plan",
    "runs_interval",
    "save_arrays",
    "saved_run",
    "screen_width",
    "shown_metrics",
    "signed_by",
    "suggest",
    "text_table",
    "toml_values",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        from .base.deprecation import current

        if now := current(name):
            return getattr(importlib.import_module(__name__), now)
        raise AttributeError(f"module 'logbench' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
