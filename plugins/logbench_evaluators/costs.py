"""What errors cost, at prices of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from .classification import confusion
from .options import CostsOptions
from .steps import steps


class Costs:
    """Price of the verdicts, beside that of the best threshold and of no model; see `Evaluator`."""

    columns = ("relative",)
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = dict.fromkeys(
        ("per_unit", "relative", "oracle"), "lower"
    )

    def __init__(self, options: CostsOptions) -> None:
        self.options = options

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`per_unit relative oracle`, each a float.

        `per_unit` is the mean price of a verdict. `relative` divides it by the cheaper of two that need no model,
        to alarm never and to alarm always: above 1 the model costs more than it saves (a point of the cost curve
        of Drummond and Holte, Machine Learning 2006). `oracle` is the same of the cheapest threshold, which
        only the labels know. None where both prices of no model are 0.
        """
        cells = confusion(units)
        total = sum(cells.values())
        never, always = (
            self.options.fn * (cells["tp"] + cells["fn"]),
            self.options.fp * (cells["fp"] + cells["tn"]),
        )
        price = self.options.fp * cells["fp"] + self.options.fn * cells["fn"]
        least = min(never, always)
        return {
            "per_unit": price / total,
            "relative": price / least if least else None,
            "oracle": self._cheapest(units, never) / least if least else None,
        }

    def _cheapest(self, units: pl.DataFrame, never: float) -> float:
        ranked = steps(units)
        change = self.options.fp * ranked["normal"].to_numpy() - self.options.fn * ranked["anomalies"].to_numpy()
        return never + float(min(0.0, np.cumsum(change).min(initial=0.0)))
