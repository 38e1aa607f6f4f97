"""A metric against one number of the protocol: how much trains, how much of that is anomalous or mislabelled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from logbench import figures

from ..theme import CATEGORIES, SHAPES
from .disturbed import FIELDS
from .each_model import all_else
from .figure import Figure, number

Record = Mapping[str, Any]
# Fields that sweeps vary, with what they say on the axis.
DOSES = {
    "contamination": "share of anomalies among the training units",
    "train_units": "training units",
    "train_ratio": "share that trains",
    "label_budget": "labels shown",
    "label_noise": "share of wrong labels",
}
LEAST, MOST_MODELS = 3, 9
AXIS = {"scale": {"zero": False, "padding": 12}, "axis": {"tickCount": 6}}


def doses(
    records: Sequence[Record],
    page: Sequence[Record],
    models: Sequence[str],
    metric: str = "f1",
) -> list[Figure]:
    """A figure a field of which the folder has three values or more, all else as in the page's run of the model.

    Args:
        records: of the whole folder. page: the page's own. models: which ones, the best first.
    """
    return [figure for field in DOSES if (figure := _dose(field, records, page, models, metric)) is not None]


def without_doses(records: Sequence[Record], page: Sequence[Record]) -> list[Record]:
    """Records but for those that differ from the page in a number of `DOSES`, or in what disturbs, alone."""

    def key(record: Record, gone: set[str]) -> str:
        protocol = {name: value for name, value in record["protocol"].items() if name not in gone}
        return json.dumps([record["dataset"]["name"], protocol], sort_keys=True, default=str)

    few, many = {"hash", "split_seed"}, {"hash", "split_seed", "test_reserve", *DOSES, *FIELDS}
    own, near = ({key(record, gone) for record in page} for gone in (few, many))
    return [record for record in records if key(record, few) in own or key(record, many) not in near]


def _dose(
    field: str,
    records: Sequence[Record],
    page: Sequence[Record],
    models: Sequence[str],
    metric: str,
) -> Figure | None:
    varied = (field, "test_reserve")
    alike = {record["model"]: all_else(record, varied) for record in page if record["model"] in models}
    found: dict[str, dict[float, list[float]]] = {}
    for record in records:
        dose, value = record["protocol"].get(field), _value(record, metric)
        if dose is None or value is None or alike.get(record["model"]) != all_else(record, varied):
            continue
        found.setdefault(record["model"], {}).setdefault(float(dose), []).append(value)
    shown = [model for model in models if len(found.get(model, ())) >= LEAST][:MOST_MODELS]
    if not shown:
        return None
    rows = [
        {"model": model, "dose": dose, "value": round(fmean(values), 4), "runs": len(values)}
        for model in shown
        for dose, values in sorted(found[model].items())
    ]
    changes = [
        f"{model} from {number(fmean(points[min(points)]))} to {number(fmean(points[max(points)]))}"
        for model in shown
        for points in [found[model]]
    ]
    model = {"field": "model", "type": "nominal", "title": None}
    shapes = [SHAPES[at % len(SHAPES)] for at in range(len(shown))]
    encoding: dict[str, Any] = {
        "x": {"field": "dose", "type": "quantitative", "title": DOSES[field], **AXIS},
        "y": {"field": "value", "type": "quantitative", "title": metric},
        "color": {**model, "scale": {"domain": shown, "range": CATEGORIES[: len(shown)]}},
        "shape": {**model, "scale": {"domain": shown, "range": shapes}},
        "tooltip": [{"field": name} for name in ("model", "dose", "value", "runs")],
    }
    line = {name: one for name, one in encoding.items() if name != "shape"}
    return Figure(
        f"by-{field.replace('_', '-')}",
        f"{metric} by protocol.{field}",
        f"From the least to the most, {'; '.join(changes)}. All else is as on this page.",
        {
            "data": {"name": "doses"},
            "layer": [
                {"mark": {"type": "line", "strokeWidth": 2}, "encoding": line},
                {"mark": {"type": "point", "filled": True, "size": 70}, "encoding": encoding},
            ],
        },
        {"doses": rows},
        rows,
    )


def _value(record: Record, metric: str) -> float | None:
    return figures(record).get(metric) if record["status"] == "ok" and record["metrics"] else None
