"""DeepLog (Du et al., CCS 2017, section 3.1): a recurrent network guesses the next log key.

A unit is anomalous where a key comes that is not among the `g` keys most expected after its `h` predecessors.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from logbench import ModelComponent, hookimpl
from logbench.torch import next_key_traits

from .options import DeepLogConfig as DeepLogConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from .model import DeepLog


def _build(config: DeepLogConfig) -> DeepLog:
    from .model import DeepLog

    return DeepLog(config)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[DeepLog]]:
    yield ModelComponent(
        "deeplog",
        _build,
        config=DeepLogConfig,
        summary="LSTM that guesses the next key; score = worst rank of a key that came (Du et al., CCS 2017)",
        traits=next_key_traits(),
        requires=("torch",),
        card=Path(__file__).with_name("cards") / "deeplog.toml",
    )


@hookimpl
def logbench_commands() -> Iterable[click.Command]:
    from .ladder.command import command

    yield command
