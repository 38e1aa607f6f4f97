"""Autoencoders: against principal components and a plain loop; other rows and errors; score_rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from rows import KEYS, LinearAutoencoder, counted, descent, labelled
from torch import Tensor, nn

from logbench import Context, IncompatibleError, PluginError, Sessions
from logbench.torch import Reconstruction, ReconstructionConfig, new_network, padded, score_rows

FAST = ReconstructionConfig(batch=32, passes=3)


def along_two_axes(seed: int) -> Sessions:
    """Counts that mostly differ along two directions, so that two components are well apart from the others."""
    rng = np.random.default_rng(seed)
    walks = [[0] * int(n) + [1] * int(n) + [2] * int(m) for n, m in rng.integers(0, 7, (80, 2))]
    return Sessions.of([[*walk, *rng.integers(0, KEYS, 2)] for walk in walks], KEYS)


def test_a_linear_network_finds_the_principal_components() -> None:
    train = along_two_axes(1)
    model = LinearAutoencoder(replace(FAST, batch=200, lr=0.02, passes=800, decay_at=(600, 700)))
    facts = model.fit(train, Context())
    rows = counted(train)
    centre = rows.mean(0)
    _, _, axes = np.linalg.svd(rows - centre, full_matrices=False)
    given = along_two_axes(2)
    off = counted(given) - centre
    expected = ((off - off @ axes[:2].T @ axes[:2]) ** 2).mean(1)
    np.testing.assert_allclose(model.score(given, Context()).primary, expected, rtol=0.02, atol=0.02)
    inside = rows - centre
    assert facts["train_loss"] == pytest.approx(((inside - inside @ axes[:2].T @ axes[:2]) ** 2).mean(), rel=0.01)


def test_a_step_on_distinct_rows_is_a_step_on_all_units() -> None:
    train = labelled(2)
    model = LinearAutoencoder(replace(FAST, batch=len(train), stop="steps", steps=1))
    model.optimiser = descent(0.05)  # type: ignore[method-assign]
    facts = model.fit(train, Context())
    assert facts["distinct"] < len(train)
    network = new_network(lambda: model.build(KEYS), 0, "cpu")
    rows = torch.from_numpy(counted(train)).float()
    (network(rows) - rows).square().mean().backward()  # type: ignore[no-untyped-call]
    for mine, before in zip(model.network.parameters(), network.parameters(), strict=True):  # type: ignore[union-attr]
        torch.testing.assert_close(mine, before - 0.05 * before.grad, rtol=1e-5, atol=1e-6)


def test_scores_are_mean_squared_errors_and_hang_on_nothing_else(tmp_path: Path) -> None:
    model, given = LinearAutoencoder(FAST), labelled(3, unseen=True)
    model.fit(labelled(1), Context(held_out=labelled(2)))
    scores = model.score(given, Context())
    rows = torch.from_numpy(counted(given)).float()
    with torch.inference_mode():
        expected = (model.network(rows) - rows).square().mean(1)  # type: ignore[misc]
    np.testing.assert_allclose(scores.primary, expected.numpy(), rtol=1e-5)
    alone = [model.score(given.take(np.array([unit])), Context()).primary[0] for unit in range(5)]
    assert alone == scores.primary[:5].tolist()
    seen = given.unseen == 0
    assert seen.any() and (scores.ignoring[seen] == scores.primary[seen]).all()  # type: ignore[index]
    walks = [given.keys[a:b] for a, b in zip(given.offsets, given.offsets[1:], strict=False)]
    bare = Sessions.of([walk[walk < KEYS].tolist() for walk in walks], KEYS)
    np.testing.assert_array_equal(scores.ignoring, model.score(bare, Context()).primary)  # type: ignore[arg-type]
    model.save(tmp_path)
    again = LinearAutoencoder(FAST)
    again.load(tmp_path)
    np.testing.assert_array_equal(scores.primary, again.score(given, Context()).primary)


def test_held_out_units_choose_the_pass_and_labels_play_no_part() -> None:
    config = replace(FAST, stop="validation", lr=0.3, passes=60, patience=2)
    model, held = LinearAutoencoder(config), labelled(4)
    facts = model.fit(labelled(1), Context(held_out=held))
    assert facts["validation_loss"] == pytest.approx(min(facts["validation_by_pass"]), rel=1e-4)
    assert facts["validation_loss"] == pytest.approx(model.score(held, Context()).primary.mean(), rel=1e-4)
    for nothing in (None, Sessions.of([[]], KEYS)):
        with pytest.raises(IncompatibleError, match=r"linear.stop=validation .*held_out"):
            LinearAutoencoder(config).fit(labelled(1), Context(held_out=nothing))
    with pytest.raises(IncompatibleError, match="no training unit has events"):
        LinearAutoencoder(FAST).fit(Sessions.of([[], []], KEYS), Context())


def test_training_in_mixed_precision_learns_nearly_the_same() -> None:
    train, losses = labelled(1), []
    for amp in ("off", "bf16"):
        model = LinearAutoencoder(replace(FAST, lr=0.02, passes=40, amp=amp))
        facts = model.fit(train, Context())
        assert facts["amp"] == amp
        losses.append(model.score(train, Context()).primary.mean())
    assert losses[0] != losses[1] and losses[1] == pytest.approx(losses[0], rel=0.1)


class Echo(nn.Module):
    """Guesses each key of a row by its place alone."""

    def __init__(self, keys: int, length: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(length, keys + 2))

    def forward(self, keys: Tensor) -> Tensor:
        return self.logits.expand(len(keys), -1, -1)


class EchoModel(Reconstruction[ReconstructionConfig]):
    """Another row and another error, as a page of the docs shows them."""

    name = "echo"

    def build(self, keys: int) -> Echo:
        return Echo(keys, 6)

    def rows(self, sessions: Sessions) -> Any:
        return padded(sessions, 6)

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        (keys,) = arguments
        return nn.functional.cross_entropy(network(keys).transpose(1, 2), keys, reduction="none").mean(1)


def test_rows_and_errors_may_be_others() -> None:
    train = labelled(1)
    model = EchoModel(replace(FAST, batch=200, lr=0.1, passes=150, decay_at=(120,)))
    model.fit(train, Context())
    rows = padded(train, 6)
    shares = np.stack([(rows == key).mean(0) for key in range(KEYS + 2)], 1)  # [length, keys + 2]
    expected = -np.log(shares[np.arange(6), rows]).mean(1)
    np.testing.assert_allclose(model.score(train, Context()).primary, expected, rtol=0.02)


class Standard(nn.Module):
    """Brings counts to mean 0 and deviation 1 first, as the training units say, and gives these back."""

    def __init__(self, keys: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(keys + 1))
        self.register_buffer("deviation", torch.ones(keys + 1))
        self.layer = nn.Linear(keys + 1, keys + 1)

    def forward(self, rows: Tensor) -> Tensor:
        scaled = (rows - self.mean) / self.deviation
        answer: Tensor = self.layer(scaled) * self.deviation + self.mean
        return answer


class StandardModel(Reconstruction[ReconstructionConfig]):
    """Takes buffers from training."""

    name = "standard"

    def build(self, keys: int) -> Standard:
        return Standard(keys)

    def prepare(self, network: nn.Module, train: Sessions) -> None:
        rows = torch.from_numpy(self.rows(train))
        assert isinstance(network, Standard)
        network.mean.copy_(rows.mean(0))
        network.deviation.copy_(rows.std(0) + 1)


def test_what_a_network_takes_from_training_is_saved_with_it(tmp_path: Path) -> None:
    model, train = StandardModel(FAST), labelled(1)
    model.fit(train, Context())
    model.save(tmp_path)
    again = StandardModel(FAST)
    again.load(tmp_path)
    np.testing.assert_allclose(again.network.mean, counted(train).mean(0), rtol=1e-5)  # type: ignore[union-attr]
    scores = [one.score(labelled(2), Context()).primary for one in (model, again)]
    np.testing.assert_array_equal(*scores)


class Wrong(LinearAutoencoder):
    """Forgets a row."""

    def rows(self, sessions: Sessions) -> Any:
        return super().rows(sessions)[1:]


def test_rows_of_another_number_are_one_clear_line() -> None:
    with pytest.raises(PluginError, match=r"rows must be an array \[\d+, ...\], a row a unit"):
        Wrong(FAST).fit(labelled(1), Context())


class Looked(Reconstruction[ReconstructionConfig]):
    """Rows are keys; vectors of them, of templates, are looked up batch by batch."""

    name = "looked"

    def build(self, keys: int) -> nn.Linear:
        return nn.Linear(2, 2)

    def rows(self, sessions: Sessions) -> Any:
        return padded(sessions, 4)

    def encoder(self, sessions: Sessions, device: str) -> Any:
        lengths = [*(len(template) for template in sessions.templates), 0, 0]
        vectors = torch.tensor([[length, 1.0] for length in lengths], device=device)
        return lambda rows: (vectors[rows].sum(1), rows)

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        vectors, rows = arguments
        assert rows.dtype == torch.int64 and vectors.dtype == next(network.parameters()).dtype
        return (network(vectors) - vectors).square().mean(1)


def test_what_rows_stand_for_is_looked_up_where_the_network_runs() -> None:
    given = replace(labelled(1), templates=("a", "bb", "ccc", "dddd", "eeeee"))
    model = Looked(FAST)
    model.fit(given, Context())
    sums = np.array([[sum(key + 1 for key in row if key < KEYS), 4] for row in padded(given, 4)])
    rows = torch.from_numpy(sums).float()
    with torch.inference_mode():
        expected = (model.network(rows) - rows).square().mean(1)  # type: ignore[misc]
    np.testing.assert_allclose(model.score(given, Context()).primary, expected.numpy(), rtol=1e-5)


class Texts(Looked):
    """Rows are places in the texts of the very units that are trained on or scored."""

    keys_only = False

    def rows(self, sessions: Sessions) -> Any:
        assert sessions.text_ids is not None and sessions.texts is not None
        return padded(replace(sessions, keys=sessions.text_ids, vocabulary=len(sessions.texts)), 4)

    def encoder(self, sessions: Sessions, device: str) -> Any:
        assert sessions.texts is not None
        return super().encoder(replace(sessions, templates=tuple(sessions.texts)), device)


def test_texts_of_unseen_keys_are_looked_up_among_those_of_the_units_at_hand() -> None:
    given = Sessions.of(
        [[0, 9], [], [1], [0, 9], [1, 0]],
        2,
        texts=pl.Series(["ccc", "dd", "a"]),
        text_ids=np.array([0, 1, 2, 0, 1, 2, 0], dtype=np.int32),
    )
    model = Texts(FAST)
    model.fit(given, Context())
    sums = torch.tensor([[5.0, 4.0], [1.0, 4.0], [5.0, 4.0], [4.0, 4.0]])
    with torch.inference_mode():
        expected = (model.network(sums) - sums).square().mean(1).tolist()  # type: ignore[misc]
    scores = model.score(given, Context())
    np.testing.assert_allclose(scores.primary, [expected[0], 0.0, *expected[1:]], rtol=1e-5)
    alone = model.score(given.take(np.array([4])), Context()).primary
    assert alone.tolist() == [scores.primary[4]]
    bare = torch.tensor([[3.0, 4.0]])
    with torch.inference_mode():
        without = (model.network(bare) - bare).square().mean().item()  # type: ignore[misc]
    assert scores.ignoring[0] == pytest.approx(without, rel=1e-5)  # type: ignore[index]


def test_rows_are_scored_in_batches_with_progress_and_none_at_all() -> None:
    seen: list[int] = []

    def score(network: nn.Module, rows: Tensor) -> Tensor:
        seen.append(len(rows))
        assert next(network.parameters()).dtype == torch.float64
        return network(rows.double())[:, 0]

    network, rows = nn.Linear(3, 1), np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    config = replace(FAST, eval_batch=4)
    values, batch = score_rows(network, [rows], score, config, Context())
    assert (seen, batch, values.dtype) == ([4, 4, 2], 4, np.float32)
    np.testing.assert_allclose(values, network(torch.from_numpy(rows))[:, 0].tolist(), rtol=1e-5)
    assert score_rows(network, [rows[:0]], score, config, Context())[0].shape == (0,)


class ByLength(Reconstruction[ReconstructionConfig]):
    """Gives back the letters of a unit's texts; does not say that texts count."""

    name = "by-length"

    def rows(self, sessions: Sessions) -> Any:
        assert sessions.texts is not None and sessions.text_ids is not None
        letters = sessions.texts.str.len_chars().to_numpy()[sessions.text_ids]
        return np.add.reduceat(letters, sessions.offsets[:-1])[:, None].astype(np.float32)

    def build(self, keys: int) -> nn.Module:
        return nn.Linear(1, 1)


def test_units_of_equal_keys_and_other_texts_have_rows_of_their_own() -> None:
    texts, ids = pl.Series(["a", "bb", "cccc"]), np.array([0, 1, 0, 2, 0, 0], np.int32)
    given = Sessions.of([[0, 1], [0, 1], [0, 0]], KEYS, texts=texts, text_ids=ids)
    model = ByLength(FAST)
    model.fit(given, Context())
    rows = model._distinct(given)
    assert rows.values[rows.inverse].ravel().tolist() == [3, 5, 2]


class Sorted(EchoModel):
    """Trains by another loss than its error, and is given rows of like length together."""

    def __init__(self, config: ReconstructionConfig) -> None:
        super().__init__(config)
        self.asked: list[list[int]] = []

    def lengths(self, rows: Any) -> Any:
        return (rows <= KEYS).sum(1)

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        self.asked.append((arguments[0] <= KEYS).sum(1).tolist())
        return super().errors(network, *arguments)

    def losses(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        return (network(*arguments) - 3).square().flatten(1).mean(1)


def test_losses_may_be_other_than_errors_and_rows_of_like_length_are_scored_together() -> None:
    model, given = Sorted(replace(FAST, batch=200, lr=0.1, passes=150, eval_batch=7)), labelled(2)
    facts = model.fit(labelled(1), Context(held_out=given))
    assert facts["train_loss"] < 0.01 and facts["validation_loss"] < 0.01
    scores = model.score(given, Context()).primary
    lengths = [length for batch in model.asked for length in batch]
    assert len(model.asked) > 1 and lengths == sorted(lengths) and len(set(lengths)) > 1
    logits = model.network(torch.zeros(1, 6, dtype=torch.int64))[0].detach().numpy()  # type: ignore[misc]
    chances = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    np.testing.assert_allclose(scores, -chances[np.arange(6), padded(given, 6)].mean(1), rtol=1e-4)
