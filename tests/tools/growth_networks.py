"""Networks as growth.py measures them: one pass, and small where a cell would else take minutes of a CPU.

A pass takes a step for so many rows, and each step costs alike, so that neither more passes nor a larger network
change how time grows. What may grow faster lies around the network: finding distinct windows and rows, dealing out
batches, joining scores back, and tables of a row or a column a key.
"""

from __future__ import annotations

import dataclasses
from typing import Any

_ONE_LAYER = {"layers": 1, "hidden": 16}
_LARGE = {"batch": 1024, "eval_batch": 4096}
_KEYS = {**_ONE_LAYER, **_LARGE}
# Options of each network beside one pass; those that end in -small keep their sizes.
OPTIONS: dict[str, dict[str, Any]] = {
    "deeplog": _KEYS,
    "deeplog-online": _KEYS,
    "deeplog-values": {**_ONE_LAYER, "batch": 256},
    "deeplog-full": {**_KEYS, "value_layers": 1, "value_hidden": 16, "value_steps": 5},
    "loganomaly": _KEYS,
    "lstm-next": {**_KEYS, "embedding": 16},
    "transformer-next": {"layers": 1, "embedding": 16, "feedforward": 32, **_LARGE},
    "logbert": {"layers": 1, "hidden": 16, "heads": 2, "draws": 1, "batch": 64},
    "logbert-small": {"draws": 1},
    "loggpt": {"layers": 1, "hidden": 18, "heads": 2, "batch": 64},
    "loggpt-small": {},
    "logtad": _ONE_LAYER,
    "autoencoder": {},
    "cnn": {"filters": 16},
    "logrobust": _ONE_LAYER,
    "mlp": {},
    "neurallog": {"heads": 2, "head_width": 8, "feedforward": 64},
    "neurallog-small": {},
    "plelog": _ONE_LAYER,
}
# Units that train, and as many that are scored, where units or templates grow. A model of windows has a row an
# event, a model of whole units one a unit.
OF_WINDOWS = {"deeplog", "deeplog-online", "deeplog-full", "deeplog-values", "loganomaly", "lstm-next",
              "transformer-next"}  # fmt: skip
UNITS_OF_WINDOWS, UNITS, TEMPLATE_SHAPE = 8, 40, (200, 50)


def shape(name: str, axis: str, size: int) -> tuple[int, int, int]:
    """Units, events a unit and templates of a cell."""
    if axis == "units":
        return size, 20, 30
    if axis == "events":
        return (UNITS_OF_WINDOWS if name in OF_WINDOWS else UNITS), size, 30
    return *TEMPLATE_SHAPE, size


def configured(name: str, config: Any) -> Any:
    """Options of one pass."""
    stop = {"stop": "passes"} if "stop" in {field.name for field in dataclasses.fields(config)} else {}
    return config(**OPTIONS[name], passes=1, **stop)
