"""Say where label-free thresholds do not keep their rate of false alarms on the test units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .rows import Row
from .words import several

# A rate is not kept where it is more than so many times alpha, and more than so much.
TIMES, LEAST = 5, 0.02
# Rows that a note names.
NAMED = 3


ORACLE = "; f1 at the best threshold: --set protocol.threshold=oracle"


def thresholds_not_kept(models: Sequence[Row], rules: Sequence[Row], protocol: Mapping[str, Any]) -> list[str]:
    """Note below a table: low F1 because of thresholds, and the AUPRC that no threshold lowers.

    A threshold by validation lets a share `alpha` of held-out units alarm. If far more of the normal test units
    do, these are unlike the training units, and F1 says more of the threshold than of the model. What the rules
    for unseen keys and short units alarm on is no threshold's fault.

    Args:
        models: rows of models and baselines. rules: rows of rules without a model.
        protocol: of the records, with `threshold` and `alpha`.

    Examples:
        >>> row = Row("m", source="validation", metrics={"fp": 25.0, "tn": 75.0, "f1": 0.2, "auprc": 0.8})
        >>> said = thresholds_not_kept([row], [], {"threshold": "validation", "alpha": 0.005})
        >>> said[0].partition(", where")[0]
        'thresholds not kept by m: 25% of the normal test units alarm'
    """
    alpha = protocol.get("alpha")
    if protocol.get("threshold") != "validation" or alpha is None:
        return []
    by_rule = max((_rate(row) or 0.0 for row in rules if row.name.startswith("unseen or short")), default=0.0)
    limit = by_rule + max(TIMES * alpha, LEAST)
    found = [row for row in models if row.source == "validation" and (_rate(row) or 0.0) > limit]
    if not found:
        return []
    rates = sorted(round(100 * (_rate(row) or 0.0)) for row in found)
    share = " to ".join(dict.fromkeys(f"{rate}%" for rate in (rates[0], rates[-1])))
    said = [
        f"thresholds not kept by {_names(found)}: {share} of the normal test units alarm, where "
        f"{100 * alpha:.3g}% (alpha) of the held-out units may"
    ]
    best = max(found, key=lambda row: row.metrics.get("auprc") or 0.0)
    area, f1 = best.metrics.get("auprc"), best.metrics.get("f1")
    if area is not None and f1 is not None and area > f1:
        said.append(
            "the test has normal units unlike those that train: low f1 is then the threshold's, and auprc, which "
            f"needs none, ranks the models ({best.name}: auprc {area:.3f}, f1 {f1:.3f})"
            + ("" if protocol.get("procedure") == "prequential" else ORACLE)
        )
    return said


def _rate(row: Row) -> float | None:
    """Share of the normal test units that alarm."""
    false, true = row.metrics.get("fp"), row.metrics.get("tn")
    return None if false is None or true is None or not false + true else false / (false + true)


def _names(rows: Sequence[Row]) -> str:
    more = len(rows) - NAMED
    names = [row.name for row in rows[: NAMED if more > 1 else len(rows)]]
    last = several(more, "other") if more > 1 else names.pop() if len(names) > 1 else ""
    return f"{', '.join(names)}{f' and {last}' * bool(last)}"
