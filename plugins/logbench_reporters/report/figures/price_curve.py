"""What errors cost at every ratio of their prices, beside alarming never and always: a line a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..levels import Levels
from .figure import Figure, number
from .model_lines import model_lines

if TYPE_CHECKING:
    import polars as pl

# Prices of a missed anomaly, in false alarms, that are drawn beside the one that was asked.
RATIOS = [10 ** (at / 10) for at in range(31)]


def relative_costs(units: pl.DataFrame, ratio: float) -> tuple[float, float] | None:
    """Cost of the verdicts and of the cheapest threshold, relative to the cheaper of alarming never and always.

    Args:
        units: `label`, `score`, `verdict`, `weight`, `flagged`. ratio: price of a missed anomaly in false alarms.

    Returns:
        None where both of these cost nothing.
    """
    levels, weight = Levels.of(units), units["weight"].cast(float)
    anomaly, alarm = units["label"] == 1, units["verdict"]
    least = min(ratio * levels.anomalies, levels.normal)
    if not least:
        return None
    own = float(weight.filter(alarm & ~anomaly).sum()) + ratio * float(weight.filter(anomaly & ~alarm).sum())
    thresholds = levels.fp + ratio * (levels.anomalies - levels.tp)
    return own / least, min(float(thresholds.min()), ratio * levels.anomalies) / least


def price_curve(models: Sequence[tuple[str, pl.DataFrame]], asked: Mapping[str, float]) -> Figure | None:
    """Relative cost of the verdicts of each model; None where no prices were asked, or a class has no unit.

    Args:
        asked: the prices `fp` and `fn`.
    """
    if not asked.get("fp") or not asked.get("fn"):
        return None
    ratio = asked["fn"] / asked["fp"]
    lines = list[dict[str, Any]]()
    table = list[dict[str, Any]]()
    for model, units in models:
        if (here := relative_costs(units, ratio)) is None:
            return None
        table.append({"model": model, "relative cost": here[0], "at the best threshold": here[1]})
        for one in sorted({*RATIOS, ratio}):
            if (costs := relative_costs(units, one)) is not None:
                lines.append({"model": model, "x": round(one, 4), "y": round(costs[0], 4)})
    best = min(table, key=lambda row: row["relative cost"])
    useful = "cheaper than no model" if best["relative cost"] < 1 else "yet no model would be cheaper"
    return Figure(
        "price-curve",
        "Cost of the errors, by the price of a missed anomaly",
        f"Where a missed anomaly costs {ratio:g} false alarms, {best['model']} is cheapest: "
        f"{number(best['relative cost'])} of the cheaper of alarming never and always, {useful}. A line above 1 "
        "costs more than it saves.",
        {
            "layer": model_lines(
                [model for model, _ in models],
                {"title": "price of a missed anomaly, in false alarms (logarithmic)", "scale": {"type": "log"},
                 "axis": {"tickCount": 4, "format": "~s"}},
                {"title": "relative cost", "scale": {"domainMin": 0}},
            )
        },
        {"lines": lines, "marked": [{"x": ratio, "text": f"the price asked: {ratio:g}"}]},
        table,
    )  # fmt: skip
