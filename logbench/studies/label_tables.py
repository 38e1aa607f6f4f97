"""Two tables over the same test units: without labels, and with a budget of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..api.plan import Plan
from ..api.protocol import EvaluationProtocol
from ..api.record_sections import Record
from ..base.errors import ConfigError, LeakError
from ..components.registry import Registry
from ..running.resolve import resolve
from .plans import ModelsRequest, plans_of

# Kinds of `train` that draw a number of the units that may train, so that the test set depends on `content`.
DRAWN_BY_CONTENT = ("first", "random")


def plans_of_both(request: ModelsRequest, budget: float, registry: Registry) -> list[Plan]:
    """Plans without labels, of all models but the supervised ones, and then plans of all with a budget of labels.

    With labels the threshold is chosen by those held out, unless the request says another.

    Raises:
        ConfigError: an unknown name, option or value, or a protocol whose test set depends on `content`.
    """
    label_free = replace(request, models=[name for name in request.models if not _is_supervised(name, registry)])
    labels = {"content": "labelled", "label_budget": budget, **_threshold(request.fields)}
    settings = request.fields.get("settings", {})
    protocol = {**settings.get("protocol", {}), **labels}
    fields = {**request.fields, "settings": {**settings, "protocol": protocol}}
    labelled = plans_of(replace(request, fields=fields), registry)
    _check(resolve(labelled[0], registry).protocol, request, registry)
    return [*(plans_of(label_free, registry) if label_free.models else []), *labelled]


def parted(records: Sequence[Record]) -> list[list[Record]]:
    """Records without labels, and those with them; a part without records is left out.

    Raises:
        LeakError: they were not tested on the same units.
    """
    parts = [
        [one for one in records if (one["protocol"]["content"] == "labelled") == seen] for seen in (False, True)
    ]
    tested: dict[int, str] = {}
    for record in records:
        if (digest := record["split"].get("test_digest")) is not None:
            seed = record["protocol"]["split_seed"]
            if tested.setdefault(seed, digest) != digest:
                raise LeakError(f"split {seed}: {record['model']} was not tested on the units of the other table")
    return [part for part in parts if part]


def supervised_of(names: Sequence[str], registry: Registry) -> list[str]:
    """Models that learn from labels alone."""
    return [name for name in names if _is_supervised(name, registry)]


def _is_supervised(name: str, registry: Registry) -> bool:
    return bool(registry.get("model", name).item.traits.supervision == "supervised")


def _threshold(fields: Mapping[str, Any]) -> dict[str, str]:
    """By held-out labels, unless a setting, a file or a preset says where the threshold is from."""
    layers = (fields.get("settings", {}), fields.get("config", {}))
    said = any("threshold" in layer.get("protocol", {}) for layer in layers)
    return {} if said or fields.get("protocol") or fields.get("preset") else {"threshold": "labelled"}


def _check(protocol: EvaluationProtocol, request: ModelsRequest, registry: Registry) -> None:
    if protocol.train in DRAWN_BY_CONTENT:
        raise ConfigError(
            f"--label-budget: with protocol.train={protocol.train} the units that are tested depend on whether "
            "labels train; use --set protocol.train=random_ratio"
        )
    plan = Plan(model=request.models[0], **request.fields)
    if resolve(plan, registry).protocol.content == "labelled":
        raise ConfigError(
            "--label-budget sets protocol.content for each table: leave content=labelled out of the protocol"
        )
