"""One step of a ladder: a change to the settings of the steps below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One point of the optimisation report, or one of ours.

    Attributes:
        change: the fields that it sets of `EvaluationSettings` or `InputSettings`; the others stay as below.
        skip: why it cannot be shown here; empty where it can.
        optional: the steps above do not build on it where it does not pay.
        detail: what the table says beside its figures.
    """

    name: str
    change: Mapping[str, Any] = field(default_factory=dict)
    skip: str = ""
    optional: bool = False
    detail: str = ""
