"""A next-key model whose network shares no steps, against a plain loop; saving, expected keys, edges."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from next_key import SMALL, SmallModel, SmallNetwork, columns, fitted, one_by_one, sessions
from torch import Tensor, nn
from torch.nn import functional as F

from logbench import Context, DataError, PluginError, Sessions, component_of
from logbench.torch import NextKeyModel, SharesPrefixes, next_key_traits


@pytest.mark.parametrize(
    ("name", "content"), [("small.json", "{"), ("small.json", "{}"), ("network.safetensors", "x"),
                          ("network.safetensors", None)]
)  # fmt: skip
def test_a_broken_saved_model_is_one_clear_line(tmp_path: Path, name: str, content: str | None) -> None:
    fitted().save(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match="not a saved small model") as error:
        SmallModel(SMALL).load(tmp_path)
    assert "\n" not in str(error.value)


def test_expected_keys_are_the_likeliest_after_each_history() -> None:
    model, given = fitted(), sessions(2, units=60, unseen=True)
    events = np.random.default_rng(0).integers(0, 12, len(given))
    answer = model.expected(given, events, Context())
    assert str(answer.dtype) == "List(Int32)" and len(answer) == len(given)
    for unit, event, keys in zip(range(len(given)), events, answer.to_list(), strict=True):
        if event < 4 or event >= given.lengths[unit]:
            assert keys is None
            continue
        begin = given.offsets[unit] + event
        history = np.minimum(given.keys[begin - 4 : begin], 7)
        logits = model.network(torch.from_numpy(history)[None].long())[0].tolist()  # type: ignore[misc]
        assert keys == sorted(range(7), key=lambda key: -logits[key])[:2]
    assert model.expected(Sessions.of([], 7), np.empty(0, np.int64), Context()).to_list() == []


def test_what_is_not_judged_is_said_with_the_option_that_judges_it() -> None:
    said: dict[bool, list[str]] = {True: [], False: []}
    for pad, notes in said.items():
        fitted(replace(SMALL, pad=pad)).score(sessions(2), Context(note=notes.append))
    assert said[True] == [] and "first 4 events" in said[False][0] and "small.pad=true" in said[False][0]


@pytest.mark.parametrize("dedup", [True, False])
def test_no_unit_one_unit_and_short_units_are_scored(dedup: bool) -> None:
    model = fitted(replace(SMALL, dedup=dedup))
    empty = model.score(Sessions.of([], 7), Context())
    assert empty.primary.shape == (0,) and empty.facts["windows"] == 0
    short = model.score(Sessions.of([[1, 2], []], 7), Context())
    assert short.primary.tolist() == [0, 0] and short.event.tolist() == [-1, -1]  # type: ignore[union-attr]
    one = model.score(Sessions.of([[], [1, 2, 3, 4, 9], [1]], 7), Context())
    assert one.primary.tolist() == [0, np.inf, 0] and one.event.tolist() == [-1, 4, -1]  # type: ignore[union-attr]
    assert one.ignoring.tolist() == [0, 0, 0] and one.ignoring_event.tolist() == [-1, -1, -1]  # type: ignore[union-attr]


def test_one_known_key_alarms_on_unseen_keys_only_and_says_so() -> None:
    notes: list[str] = []
    model = SmallModel(replace(SMALL, g=1))
    model.fit(Sessions.of([[0] * 9] * 3, 1), Context(note=notes.append))
    assert model.score(Sessions.of([[0] * 6, [0] * 5 + [4]], 1), Context()).primary.tolist() == [1, np.inf]
    assert len(notes) == 1 and "only unseen keys can alarm" in notes[0]


def test_another_vocabulary_is_refused() -> None:
    with pytest.raises(DataError, match="7 keys"):
        fitted().score(sessions(1, keys=8), Context())


@pytest.mark.parametrize("dedup", [True, False])
@pytest.mark.parametrize("pad", [True, False])
def test_a_network_of_any_kind_scores_like_a_plain_loop_over_windows(dedup: bool, pad: bool) -> None:
    model, given = fitted(replace(SMALL, dedup=dedup, pad=pad)), sessions(2, units=40, unseen=True)
    assert not isinstance(model.network, SharesPrefixes)
    scores = model.score(given, Context())
    expected = [np.array(column) for column in zip(*one_by_one(model, given), strict=True)]
    for mine, theirs in zip(columns(model, given), expected, strict=False):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_allclose(scores.others["nll"], expected[4], rtol=1e-4, atol=1e-5)


def test_a_saved_network_keeps_its_shape_and_takes_the_other_options_of_today(tmp_path: Path) -> None:
    model, given = fitted(replace(SMALL, hidden=5)), sessions(2, unseen=True)
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.safetensors", "small.json"]
    again = SmallModel(replace(SMALL, g=4, hidden=9, h=2))
    again.load(tmp_path)
    assert (again.config.h, again.config.hidden, again.config.g, again.keys) == (4, 5, 4, 7)
    for mine, theirs in zip(columns(model, given), columns(again, given), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_model_that_cannot_be_read_leaves_the_one_there_was(tmp_path: Path) -> None:
    model, given = fitted(), sessions(2)
    before = columns(model, given)
    with pytest.raises(DataError):
        model.load(tmp_path)
    for mine, theirs in zip(columns(model, given), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_model_without_a_network_cannot_be_made() -> None:
    class Unfinished(NextKeyModel):  # type: ignore[type-arg]
        name = "unfinished"

    with pytest.raises(TypeError, match="build"):
        Unfinished(SMALL)  # type: ignore[abstract]


class Remembering(SmallModel):
    """Keeps something of training in a buffer."""

    def build(self, keys: int) -> SmallNetwork:
        network = super().build(keys)
        network.register_buffer("seen", torch.zeros(keys))
        return network

    def prepare(self, network: nn.Module, train: Sessions) -> None:
        assert network is not self.network or not network.get_buffer("seen").any()
        network.get_buffer("seen").copy_(torch.from_numpy(np.bincount(train.keys, minlength=self.keys)))


def test_what_a_network_takes_from_training_is_there_before_it_trains_and_is_saved(tmp_path: Path) -> None:
    model, plain = Remembering(SMALL), fitted()
    facts = model.fit(sessions(1), Context())
    assert model.network is not None and plain.network is not None
    counts = np.bincount(sessions(1).keys, minlength=7)
    np.testing.assert_array_equal(model.network.get_buffer("seen").numpy(), counts)
    assert torch.equal(model.network.get_parameter("output.weight"), plain.network.get_parameter("output.weight"))
    assert facts["windows"] > facts["distinct"] > 0
    model.save(tmp_path)
    again = Remembering(SMALL)
    again.load(tmp_path)
    assert again.network is not None
    np.testing.assert_array_equal(again.network.get_buffer("seen").numpy(), counts)


class SinglePrecision(SmallNetwork):
    def forward(self, histories: Tensor) -> Tensor:
        states, _ = self.lstm(F.one_hot(histories, self.codes).float())
        answer: Tensor = self.output(states[:, -1])
        return answer


class Rounding(SmallNetwork):
    def forward(self, histories: Tensor) -> Tensor:
        return super().forward(histories).float()


class Narrow(SmallNetwork):
    def forward(self, histories: Tensor) -> Tensor:
        return super().forward(histories)[:, 1:]


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        (SinglePrecision, (RuntimeError, ValueError), "scoring runs the network in double precision"),
        (Rounding, PluginError, "logits are torch.float32"),
        (Narrow, PluginError, r"\[1, 6\] of one history, expected \[1, 7\]"),
    ],
)
def test_a_network_that_breaks_what_build_promises_is_named_before_it_trains(
    kind: type[SmallNetwork], error: type[Exception] | tuple[type[Exception], ...], said: str
) -> None:
    class Broken(SmallModel):
        def build(self, keys: int) -> SmallNetwork:
            return kind(keys, 5)

    with pytest.raises(error) as caught:
        Broken(SMALL).fit(sessions(1), Context())
    assert re.search(said, "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])]))


def test_a_class_is_a_component_with_the_traits_of_its_options() -> None:
    item = component_of(SmallModel)
    assert (item.name, item.config, item.requires) == ("small", type(SMALL), ("torch",))
    for config, least in ((SMALL, 5), (replace(SMALL, pad=True), 1), (replace(SMALL, h=2, g=7, dedup=False), 3)):
        assert item.traits.min_events(config) == least
        assert item.traits.fixed_threshold(config) == config.g
        assert item.traits.keys_only(config) == config.dedup
    assert next_key_traits(frozenset({"templates"})).needs == {"templates"}
