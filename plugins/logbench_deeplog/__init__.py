"""DeepLog (Du et al., CCS 2017): which key comes next, which values an entry carries, and which workflow it is in.

`deeplog` guesses keys (section 3.1), `deeplog-values` foretells values (3.2), `deeplog-full` joins both, and
`deeplog-online` learns from false alarms (3.3).
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import ModelComponent, ModelTraits, hookimpl
from logbench.torch import next_key_traits

from .options import DeepLogConfig as DeepLogConfig
from .options import FullConfig as FullConfig
from .options import OnlineConfig as OnlineConfig
from .options import ValuesConfig as ValuesConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

# Values stand in messages; some logs have no times.
VALUES = ModelTraits(
    needs=frozenset({"parameters"}), wants=frozenset({"times"}), scores_without_unseen=True, fixed_threshold=1.0
)


def _build(module: str, name: str, config: Any) -> Any:
    """Build a model; its module imports torch."""
    return getattr(importlib.import_module(f".{module}", __name__), name)(config)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Any]]:
    yield ModelComponent(
        "deeplog",
        partial(_build, "model", "DeepLog"),
        config=DeepLogConfig,
        summary="LSTM that guesses the next key; score = worst rank of a key that came (Du et al., CCS 2017)",
        traits=next_key_traits(),
        requires=("torch",),
        card=Path(__file__).with_name("cards") / "deeplog.toml",
    )
    yield ModelComponent(
        "deeplog-online",
        partial(_build, "online", "OnlineDeepLog"),
        config=OnlineConfig,
        summary="deeplog that learns from reported false alarms (Du et al., CCS 2017, section 3.3)",
        traits=replace(next_key_traits(), online_of="deeplog"),
        requires=("torch",),
        card=Path(__file__).with_name("cards") / "deeplog-online.toml",
    )
    yield ModelComponent(
        "deeplog-values",
        partial(_build, "values.model", "Values"),
        config=ValuesConfig,
        summary="LSTMs that foretell the numbers in entries of each key (Du et al., CCS 2017, section 3.3)",
        traits=VALUES,
        requires=("torch",),
        card=Path(__file__).with_name("cards") / "deeplog-values.toml",
    )
    yield ModelComponent(
        "deeplog-full",
        partial(_build, "full", "DeepLogFull"),
        config=FullConfig,
        summary="deeplog, and deeplog-values on entries whose key passed (Du et al., CCS 2017)",
        traits=replace(VALUES, min_events=next_key_traits().min_events),
        requires=("torch",),
        card=Path(__file__).with_name("cards") / "deeplog-full.toml",
    )


@hookimpl
def logbench_commands() -> Iterable[click.Command]:
    from .ladder.command import command as ladder
    from .workflow.command import command as workflow

    yield ladder
    yield workflow
