"""Records as reporters get them, made by hand."""

from __future__ import annotations

from typing import Any

PROTOCOL = {
    "train": "first", "content": "normal", "min_events": 2, "short": "flag", "unseen": "target",
    "threshold": "validation", "duplicates": "all",
}  # fmt: skip
MODELS = ("log-clustering-labelled", "new-event", "isolation-forest")


def record(model: str = "m", f1: float = 0.5, seed: int = 0, split_seed: int = 0, **more: Any) -> dict[str, Any]:
    """A record as reporters get it; F1 of distinct units is a tenth of the other."""
    metrics = dict.fromkeys(("f1", "precision", "recall", "mcc", "auroc", "auprc"), f1)
    values = {"all": {**metrics, "prevalence": 0.1}, "distinct": {**metrics, "f1": f1 / 10, "prevalence": 0.2}}
    return {
        "model": model, "seed": seed, "status": "ok", "error": None, "preset": "p", "config": {"model": {}},
        "dataset": {"name": "d", "unit": "session", "digest": "0", "simulated": False},
        "protocol": {**PROTOCOL, "split_seed": split_seed, "hash": f"h{split_seed}"},
        "split": {"seed": split_seed, "train": 9, "held_out": 1, "test": 10},
        "threshold": {"value": 0.25, "source": "validation"}, "counts": {"short": 0, "short_limit": 2},
        "metrics": {"session": values}, "trivial": {"unseen": {"session": values}, "short": {"session": values}},
        "stages": {"fit": {"wall_s": 1.0}, "score": {"wall_s": 2.0}}, "environment": {}, "training": {},
        **more,
    }  # fmt: skip


def failed(model: str, status: str = "error", why: str = "no luck", **changes: Any) -> dict[str, Any]:
    error = {"stage": "fit", "type": "X", "message": why}
    nothing: dict[str, Any] = {
        "metrics": {},
        "trivial": {},
        "threshold": {},
        "split": {},
        "stages": {},
        "counts": {},
    }
    return record(model, status=status, error=error, **{**nothing, **changes})


def costing(model: str, cost: float, **more: Any) -> dict[str, Any]:
    """A record with the metrics of two evaluators beside, one before those of units; rules cost ten times."""
    one = record(model, **more)
    units = one["metrics"]["session"]
    beside = {
        "cost": {"all": {"cost": cost, "count": 7}, "distinct": {"cost": 1.0, "count": 7}},
        "session": units,
        "delay": {"all": {"seconds": cost / 3, "hidden": 5.5}, "distinct": None},
    }
    rules = {name: {**beside, "cost": {"all": {"cost": 10 * cost}, "distinct": {}}} for name in one["trivial"]}
    columns = {"cost": ["cost"], "session": ["f1", "recall"], "delay": ["seconds"]}
    ways = {"session": {"f1": "higher"}, "cost": {"cost": "lower"}, "delay": {"seconds": "lower"}}
    return {**one, "metrics": beside, "trivial": rules, "columns": columns, "directions": ways}
