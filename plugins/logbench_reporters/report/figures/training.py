"""Training curves: the loss of each pass, of training and of held-out units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..theme import LIGHT
from .figure import Figure

SIDES = {"training": LIGHT["teal"], "held out": LIGHT["amber"]}


def training(records: Sequence[Mapping[str, Any]]) -> Figure | None:
    """A panel a model that reports losses, its first run; None where none does for two passes."""
    seen: dict[str, list[dict[str, Any]]] = {}
    reasons = []
    for record in records:
        facts = record["training"]
        if record["status"] != "ok" or record["model"] in seen or len(facts.get("loss_by_pass") or ()) < 2:
            continue
        seen[record["model"]] = _points(record["model"], facts)
        best = f", kept pass {facts['best_pass']}" if facts.get("best_pass") else ""
        reasons.append(f"{record['model']} ended after {facts.get('stop_reason', 'its passes')}{best}")
    rows = [row for points in seen.values() for row in points]
    if not rows:
        return None
    sides = {side: colour for side, colour in SIDES.items() if any(row["side"] == side for row in rows)}
    colour = {"domain": list(sides), "range": list(sides.values())}
    shape = {"domain": list(sides), "range": ["circle", "square"][: len(sides)]}
    panel = {
        "width": 250,
        "height": 160,
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": {
                "field": "pass",
                "type": "quantitative",
                "axis": {"tickMinStep": 1},
                "scale": {"zero": False, "nice": False},
            },
            "y": {"field": "loss", "type": "quantitative", "scale": {"zero": False}},
            "color": {"field": "side", "type": "nominal", "title": None, "scale": colour},
            "shape": {"field": "side", "type": "nominal", "title": None, "scale": shape},
            "tooltip": [{"field": "pass"}, {"field": "side"}, {"field": "loss"}],
        },
    }
    return Figure(
        "training",
        "Loss of each pass",
        "; ".join(reasons) + ".",
        {
            "data": {"name": "losses"},
            "facet": {"field": "model", "type": "nominal", "title": None},
            "columns": 2,
            "spec": panel,
            "resolve": {"scale": {"x": "independent", "y": "independent"}},
        },
        {"losses": rows},
        rows,
        height=None,
    )


def _points(model: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    curves = {"training": facts["loss_by_pass"], "held out": facts.get("validation_by_pass") or []}
    return [
        {"model": model, "pass": at, "side": side, "loss": loss}
        for side, curve in curves.items()
        for at, loss in enumerate(curve, 1)
    ]
