"""logbench: a benchmark harness for log anomaly detection. This is the whole surface for plugin authors.

Names load on first use, so that `import logbench` costs no polars and no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, DataError, LeakError, LogbenchError, PluginError, UnfitError
from .hookspecs import hookimpl
from .interfaces import (
    Card,
    Component,
    Context,
    Dataset,
    Evaluator,
    Generator,
    Model,
    Parser,
    Preset,
    Progress,
    Published,
    Reporter,
    Table,
    Traits,
    Windower,
)

if TYPE_CHECKING:
    from .config import option, parse_settings
    from .frames import Distinct, KeySequences, Lines, Scores, Sessions
    from .histories import Histories
    from .lineformat import LineFormat
    from .linereader import open_lines
    from .material import Material, prepare_sessions
    from .metrics import figures
    from .plan import Plan
    from .progress import Bars
    from .protocol import EvaluationProtocol
    from .record import RunRecord
    from .runner import run
    from .sources import Member, open_layout

_LAZY = {
    "option": "config",
    "parse_settings": "config",
    "Bars": "progress",
    "Material": "material",
    "prepare_sessions": "material",
    "figures": "metrics",
    "Distinct": "frames",
    "KeySequences": "frames",
    "LineFormat": "lineformat",
    "Lines": "frames",
    "Scores": "frames",
    "Sessions": "frames",
    "Histories": "histories",
    "open_lines": "linereader",
    "EvaluationProtocol": "protocol",
    "RunRecord": "record",
    "Member": "sources",
    "Plan": "plan",
    "open_layout": "sources",
    "run": "runner",
}

__version__ = "0.1.0"
__all__ = [
    "Bars",
    "Card",
    "Component",
    "ConfigError",
    "Context",
    "DataError",
    "Dataset",
    "Distinct",
    "EvaluationProtocol",
    "Evaluator",
    "Generator",
    "Histories",
    "KeySequences",
    "LeakError",
    "LineFormat",
    "Lines",
    "LogbenchError",
    "Material",
    "Member",
    "Model",
    "Parser",
    "Plan",
    "PluginError",
    "Preset",
    "Progress",
    "Published",
    "Reporter",
    "RunRecord",
    "Scores",
    "Sessions",
    "Table",
    "Traits",
    "UnfitError",
    "Windower",
    "figures",
    "hookimpl",
    "open_layout",
    "open_lines",
    "option",
    "parse_settings",
    "prepare_sessions",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        from .deprecation import current

        if now := current(name):
            return getattr(importlib.import_module(__name__), now)
        raise AttributeError(f"module 'logbench' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value
