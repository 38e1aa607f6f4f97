"""What is exported of every deep model, run as it is, against the model itself: no file, no other engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from logbench import Context, IncompatibleError, Sessions
from logbench.components.registry import Registry
from logbench.deploy.exported_model import ExportedModel
from logbench.torch import NetworkModel, Reconstruction, ReconstructionConfig, RowModel, new_network, padded
from logbench.torch.exporting import exporting
from logbench.torch.graphs import row_format

KEYS, WIDTH = 9, 5
UNEXPORTED = {"deeplog-values", "deeplog-full"}
OFFERED = {name: entry for name, entry in Registry().offered("model").items() if entry.item.requires == ("torch",)}
VARIANTS: list[tuple[str, Mapping[str, Any]]] = [
    *((name, {}) for name in sorted({*OFFERED} - UNEXPORTED)),
    ("autoencoder", {"input": "sequence", "length": 6}),
    ("cnn", {"length": 6, "keep": "last"}),
    ("deeplog", {"pad": True, "input": "embedding"}),
    ("loganomaly", {"variant": "logdeep"}),
    ("logrobust", {"variant": "logdeep"}),
    ("lstm-next", {"attention": True}),
    ("transformer-next", {"variant": "dlz"}),
]


def units(seed: int) -> Sessions:
    """Units of 0 to 30 events with some unseen keys, and vectors of their own numbers."""
    rng = np.random.default_rng(seed)
    sequences = [rng.integers(0, KEYS, length).tolist() for length in [0, 1, *rng.integers(1, 31, 40)]]
    for unit in sequences[::4]:
        unit[-1:] = [KEYS + 1] if unit else []
    events = sum(map(len, sequences))
    vectors = rng.normal(size=(13, WIDTH)).astype(np.float32)
    return Sessions.of(sequences, KEYS, vectors=vectors, vector_ids=rng.integers(0, 13, events).astype(np.int32))


def untrained(name: str, options: Mapping[str, Any]) -> NetworkModel[Any]:
    item = OFFERED[name].item
    model: NetworkModel[Any] = item.build(replace(item.config(), **options))
    model.keys, model.width = KEYS, WIDTH
    model.network = new_network(lambda: model.build(KEYS), 0, "cpu").eval()
    return model


def eager(model: NetworkModel[Any], limit: float) -> ExportedModel:
    """The exported model with its graph run by torch as it stands."""
    graph = model._graph(limit)

    def run(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        with torch.inference_mode(), exporting():
            answers = graph.module(*(torch.from_numpy(value) for value in inputs.values()))
        return dict(zip(graph.outputs, (one.numpy() for one in answers), strict=True))

    return ExportedModel(run, {"graph": {**graph.facts, "any_columns": graph.any_columns}}, batch=7)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_graphs_have_the_scores_of_their_models(name: str, options: Mapping[str, Any]) -> None:
    model, given = untrained(name, options), units(1)
    own = model.score(given, Context())
    limit = float(np.quantile(own.primary[np.isfinite(own.primary)], 0.7)) + 1e-6
    found = eager(model, limit).score(given, Context())
    assert own.ignoring is not None and found.ignoring is not None
    for ours, theirs in ((own.primary, found.primary), (own.ignoring, found.ignoring)):
        assert np.array_equal(np.isfinite(ours), np.isfinite(theirs))
        known = np.isfinite(ours)
        assert np.allclose(ours[known], theirs[known], rtol=1e-4, atol=1e-5)
    judged = given.lengths > 0
    assert np.array_equal((own.primary > limit)[judged], (found.others["alarm"] > 0)[judged])
    assert (own.unjudged is None) == (found.unjudged is None)
    assert own.unjudged is None or np.array_equal(own.unjudged, found.unjudged)
    assert (own.event is None) == (found.event is None)
    assert own.event is None or np.array_equal(own.event, found.event)


def test_every_deep_model_is_exported_or_says_why_not() -> None:
    assert {*OFFERED} >= {"deeplog", "loggpt", "logbert", "plelog", "logtad", *UNEXPORTED}
    for name in UNEXPORTED:
        item = OFFERED[name].item
        with pytest.raises(IncompatibleError, match="cannot be exported"):
            item.build(item.config()).exported("onnx", 1.0)


@dataclass(frozen=True)
class OwnConfig(ReconstructionConfig):
    """No options of its own."""


class Own(Reconstruction[OwnConfig]):
    """Rows by `make`."""

    name = "own"

    def __init__(self, make: Any) -> None:
        super().__init__(OwnConfig())
        self.make, self.keys = make, KEYS

    def build(self, keys: int) -> nn.Module:
        return nn.Linear(keys + 1, keys + 1)

    def rows(self, sessions: Sessions) -> Any:
        return self.make(sessions)


def test_rows_are_known_by_what_they_are() -> None:
    assert row_format(Own(lambda units: padded(units, 7, "last"))) == {
        "input": "keys",
        "length": 7,
        "keep": "last",
        "beyond": False,
    }
    assert row_format(Own(lambda units: super(Own, Own(None)).rows(units)))["input"] == "counts"
    doubled: RowModel[Any] = Own(lambda units: 2 * padded(units, 7))
    with pytest.raises(IncompatibleError, match="own cannot be exported: its rows are none of counts"):
        row_format(doubled)
