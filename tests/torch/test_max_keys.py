"""More keys than a network tells apart: the rarest share one, as if logs had had it so, and the record says it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from next_key import SMALL, SmallModel, columns, one_by_one, walks

from logbench import Context, DataError, Sessions
from logbench.components.registry import Registry
from logbench.data.shared_keys import by_places, key_places
from logbench.deploy.exported_model import ExportedModel
from logbench.torch import NetworkModel
from logbench.torch.exporting import exporting
from logbench_deeplog.workflow.expectations import Expectations

KEYS, MOST = 11, 6
NOTE = "the rarest 6 of 11 keys are one to the network (max_keys)"
SMALLER: dict[str, dict[str, Any]] = {
    "autoencoder": {},
    "cnn": {"length": 6, "filters": 3, "embedding": 4},
    "deeplog": {"h": 3, "hidden": 4},
    "loganomaly": {"h": 3, "hidden": 4},
    "logbert": {"length": 6, "hidden": 8, "layers": 1, "heads": 2, "draws": 2},
    "loggpt": {"length": 6, "hidden": 8, "layers": 1, "heads": 2},
    "lstm-next": {"h": 3, "hidden": 4, "layers": 1},
    "mlp": {},
    "transformer-next": {"h": 3, "layers": 1, "pad": True},
}
OFFERED = Registry().offered("model")


def units(seed: int, count: int = 60, **columns: Any) -> Sessions:
    """Units with rare and unknown keys; a key's events all have one vector."""
    rng = np.random.default_rng(seed)
    rows = [[int(key) for key in rng.geometric(0.4, rng.integers(1, 14)) - 1] for _ in range(count)]
    rows[3] = [0, 1, KEYS + 4, 2, KEYS + 7]
    rows = [[min(key, KEYS - 1) if key < 30 else key for key in row] for row in rows]
    rows[4] = [0, 1, 2, KEYS + 4, 8, 0, KEYS + 7, 1]
    rows[5] = list(range(KEYS))
    keys = [key for row in rows for key in row]
    vectors = np.random.default_rng(9).normal(size=(KEYS + 8, 3)).astype(np.float32)
    return Sessions.of(rows, KEYS, vectors=vectors, vector_ids=np.array(keys, np.int32), **columns)


def places_by_hand(train: Sessions) -> list[int]:
    having = [sum(key in unit.keys for unit in train) for key in range(KEYS)]
    own = sorted(sorted(range(KEYS), key=lambda key: (-having[key], key))[: MOST - 1])
    return [own.index(key) if key in own else MOST - 1 for key in range(KEYS)]


def folded_by_hand(given: Sessions, places: list[int]) -> Sessions:
    rows = [[places[key] if key < KEYS else key - KEYS + MOST for key in unit.keys.tolist()] for unit in given]
    more = {"vectors": given.vectors, "vector_ids": given.vector_ids, "labels": given.labels}
    return Sessions.of(rows, MOST, **more)


def built(name: str, **options: Any) -> NetworkModel[Any]:
    item = OFFERED[name].item
    config = item.config(**{"stop": "passes", "passes": 1, "batch": 16, **SMALLER[name], **options})
    model: NetworkModel[Any] = item.build(config)
    return model


def exported(model: NetworkModel[Any]) -> ExportedModel:
    graph = model._graph(1.0)

    def run(inputs: Any) -> Any:
        with torch.inference_mode(), exporting():
            answers = graph.module(*(torch.from_numpy(value) for value in inputs.values()))
        return dict(zip(graph.outputs, (one.numpy() for one in answers), strict=True))

    facts = json.loads(json.dumps({**graph.facts, "any_columns": graph.any_columns}))
    return ExportedModel(run, {"graph": facts}, batch=7)


@pytest.mark.parametrize("name", SMALLER)
def test_a_bounded_network_is_that_of_logs_whose_rare_keys_are_one(name: str, tmp_path: Path) -> None:
    labels = np.random.default_rng(3).integers(0, 2, 60)
    train, test = units(1, labels=labels), units(2)
    supervised = OFFERED[name].item.traits.supervision == "supervised"
    train = train if supervised else train.unlabelled()
    held = units(4, labels=labels) if supervised else units(4)
    places, notes = places_by_hand(train), []
    model, plain = built(name, max_keys=MOST), built(name)
    facts = model.fit(train, Context(held_out=held, note=notes.append))
    assert notes[0] == NOTE
    if name == "loganomaly":  # the shared key has no words
        model.network.get_buffer("vectors")[MOST - 1] = 1  # type: ignore[union-attr]
        model.prepare(model.network, by_places(train, np.array(places, np.int32)))  # type: ignore[arg-type]
        assert not model.network.get_buffer("vectors")[MOST - 1].any()  # type: ignore[union-attr]
        return
    same = plain.fit(folded_by_hand(train, places), Context(held_out=folded_by_hand(held, places)))
    assert facts == same
    mine = model.score(test, Context())
    theirs = plain.score(folded_by_hand(test, places), Context())
    np.testing.assert_array_equal(mine.primary, theirs.primary)
    np.testing.assert_array_equal(mine.ignoring, theirs.ignoring)
    with pytest.raises(DataError, match=f"on {KEYS} keys, not on {MOST}"):
        model.score(folded_by_hand(test, places), Context())

    model.save(tmp_path)
    again = built(name)
    again.load(tmp_path)
    np.testing.assert_array_equal(again.score(test, Context()).primary, mine.primary)
    graph = exported(again).score(test, Context())
    np.testing.assert_allclose(graph.primary, mine.primary, rtol=1e-4, atol=1e-6)
    with pytest.raises(DataError, match=f"takes {KEYS} keys, not {MOST}"):
        exported(again).score(folded_by_hand(test, places), Context())


@pytest.mark.parametrize("pad", [True, False])
def test_windows_of_shared_and_unknown_keys_score_as_by_a_plain_loop(pad: bool) -> None:
    train, test = units(1), units(2)
    model = SmallModel(replace(SMALL, max_keys=MOST, pad=pad))
    model.fit(train, Context())
    expected = one_by_one(model, folded_by_hand(test, places_by_hand(train)))
    for mine, theirs in zip(columns(model, test), zip(*expected, strict=True), strict=False):
        np.testing.assert_array_equal(mine, np.array(theirs))


def test_expected_keys_are_those_of_the_log_and_a_shared_one_is_left_out() -> None:
    train, test = units(1), units(2)
    places = places_by_hand(train)
    model = SmallModel(replace(SMALL, max_keys=MOST, g=MOST, pad=True))
    model.fit(train, Context())
    own = [key for key in range(KEYS) if places[key] < MOST - 1]
    lists = model.expected(test, np.zeros(len(test), np.int64), Context()).to_list()
    assert all(sorted(keys) == own for keys in lists)
    start = torch.full((1, SMALL.h), MOST + 1)
    order = model.network(start)[0].argsort(descending=True).tolist()  # type: ignore[misc]
    assert lists[0] == [own[key] for key in order if key < MOST - 1]


def test_as_many_keys_as_allowed_stay_apart_and_no_note_is_given() -> None:
    notes: list[str] = []
    model = SmallModel(replace(SMALL, max_keys=KEYS, g=2, pad=True))
    model.fit(units(1), Context(note=notes.append))
    assert model.places is None and model.keys == KEYS and not notes
    assert key_places(units(1), KEYS - 1) is not None


def test_what_knows_only_keys_of_the_log_gets_a_share_of_the_shared_one() -> None:
    train = Sessions.of(walks(40, KEYS, 1), KEYS)
    model = SmallModel(replace(SMALL, max_keys=MOST, pad=True))
    model.fit(train, Context())
    likely = Expectations.foretold(train, model).likely
    assert likely.shape == (len(train.keys), KEYS) and model.places is not None
    np.testing.assert_allclose(likely.sum(1), 1)
    shared = likely[:, model.places == MOST - 1]
    assert (shared == shared[:, :1]).all() and (shared > 0).all()


@pytest.mark.parametrize(
    "places", [[], [0], [0, 1, 2, 3, 4, 6], [-1, 0, 1, 2, 3, 4], [[0, 1]], [0, [1]], "x", [0.5] * 6, [True] * 6, 7,
               [0, 1, 2, 3, 4, 2**80]]
)  # fmt: skip
def test_damaged_places_are_one_clear_line(places: Any, tmp_path: Path) -> None:
    model = SmallModel(replace(SMALL, max_keys=MOST))
    model.fit(units(1), Context())
    model.save(tmp_path)
    file = tmp_path / "small.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "key_places": places}))
    with pytest.raises(DataError, match="not a saved small model") as error:
        SmallModel(SMALL).load(tmp_path)
    assert "\n" not in str(error.value)
    facts = {**model._graph(1.0).facts, "key_places": places}
    with pytest.raises(DataError, match="no graph that logbench export wrote") as error:
        ExportedModel(lambda inputs: {}, {"graph": facts})
    assert "\n" not in str(error.value)
