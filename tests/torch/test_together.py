"""Two processes train and score as one does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from next_key import SMALL, SmallModel, sessions
from torch import distributed

from logbench import ConfigError, Context, IncompatibleError, Scores, Sessions
from logbench.torch import RowModel
from logbench.torch.collective import share_of, sum_gradients
from logbench.torch.scored_together import joined, scored_together
from logbench.torch.together import together
from logbench_reconstruction import AutoencoderConfig
from logbench_reconstruction.autoencoder import Autoencoder


@pytest.fixture
def alone() -> Any:
    """A group of this process alone, so that what is summed over processes can be looked at."""
    store = distributed.HashStore()
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_shares_of_a_batch_are_all_its_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = torch.arange(10).reshape(5, 2), torch.arange(5.0)
    parts = []
    for rank in range(3):
        monkeypatch.setattr("logbench.torch.collective.place", lambda rank=rank: (rank, 3))
        parts.append(share_of(batch, "mine"))
    assert sorted(torch.cat([part[1] for part in parts]).tolist()) == [0, 1, 2, 3, 4]
    assert all(torch.equal(rows[:, 0] // 2, numbers.long()) for rows, numbers in parts)
    with pytest.raises(ConfigError, match="mine: its batches are no tuples of rows"):
        share_of({"rows": batch[0]}, "mine")


def test_one_process_keeps_its_batches_and_gradients(alone: None) -> None:
    network, batch = torch.nn.Linear(2, 1), (torch.ones(3, 2),)
    assert share_of(batch, "mine") is batch
    network(batch[0]).sum().backward()
    before = [one.grad for one in network.parameters()]
    sum_gradients(network)
    assert all(a is b.grad for a, b in zip(before, network.parameters(), strict=True))


def test_scores_of_stretches_are_joined_in_their_order() -> None:
    def part(begin: int, unjudged: Any) -> Scores:
        values = np.arange(begin, begin + 2, dtype=float)
        facts = {
            "windows": begin + 1,
            "eval_batch": 4 + begin,
            "eval_amp": "bf16",
            "largest_change": 0.5 / (begin + 1),
        }
        return Scores(values, ignoring=values, unjudged=unjudged, others={"nll": -values}, facts=facts)

    found = joined([part(0, None), part(2, np.array([1, 2]))])
    assert found.primary.tolist() == [0, 1, 2, 3]
    assert found.others["nll"].tolist() == [0, -1, -2, -3]
    assert found.unjudged is not None and found.unjudged.tolist() == [0, 0, 1, 2]
    assert found.event is None
    assert found.facts == {
        "windows": 4,
        "eval_batch": 6,
        "eval_amp": "bf16",
        "largest_change": 0.5,
        "devices": 2,
    }


def test_devices_that_are_not_there_are_one_line() -> None:
    context = Context(device="mps", devices=2)
    with pytest.raises(IncompatibleError, match="one MPS device"), together(None, sessions(), context):
        pass
    assert scored_together(None, sessions(), Context(devices=2)) is None  # few units


def _weights(model: Any) -> list[torch.Tensor]:
    return [one.detach() for one in model.network.parameters()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["windows", "rows"])
def test_two_processes_train_and_score_as_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbench.torch.scored_together.FEWEST", 10)
    units: Sessions = sessions(3, unseen=True)

    def fitted(devices: int) -> Any:
        model: Any = (
            SmallModel(replace(SMALL, steps=7, clip=1.0))
            if kind == "windows"
            else Autoencoder(AutoencoderConfig(batch=7, passes=2))
        )
        model.fit(sessions(1), Context(held_out=sessions(2), devices=devices))
        return model

    one, two = fitted(1), fitted(2)
    for ours, theirs in zip(_weights(one), _weights(two), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
    assert not distributed.is_initialized()
    whole, parts = one.score(units, Context()), one.score(units, Context(devices=2))
    assert parts.facts["devices"] == 2
    assert np.array_equal(whole.primary, parts.primary)
    assert np.array_equal(whole.ignoring, parts.ignoring)
    assert isinstance(one, RowModel) or np.array_equal(whole.event, parts.event)


def _ranks_gradients(pipe: Any, rank: int, port: int) -> None:
    from next_key import SmallNetwork

    from logbench.torch import new_network, weighted_loss

    store = distributed.TCPStore("127.0.0.1", port, None, False)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    network = new_network(lambda: SmallNetwork(7, 12), 0, "cpu")
    windows = torch.randint(0, 7, (9, 5), generator=torch.Generator().manual_seed(0))
    weighted_loss(network, share_of((windows, torch.full((9,), 1 / 9)), "mine")).backward()
    sum_gradients(network)
    pipe.send([one.grad.numpy() for one in network.parameters() if one.grad is not None])
    distributed.destroy_process_group()


@pytest.mark.slow
def test_summed_gradients_are_those_of_the_whole_batch() -> None:
    import multiprocessing

    from next_key import SmallNetwork

    from logbench.torch import new_network, weighted_loss

    network = new_network(lambda: SmallNetwork(7, 12), 0, "cpu")
    windows = torch.randint(0, 7, (9, 5), generator=torch.Generator().manual_seed(0))
    weighted_loss(network, (windows, torch.full((9,), 1 / 9))).backward()
    spawning = multiprocessing.get_context("spawn")
    store = distributed.TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
    pipes = [spawning.Pipe(duplex=False) for _ in range(2)]
    ranks = [
        spawning.Process(target=_ranks_gradients, args=(theirs, rank, store.port))
        for rank, (_, theirs) in enumerate(pipes)
    ]
    for process in ranks:
        process.start()
    for ours, _ in pipes:
        assert ours.poll(60)
        for parameter, gradient in zip(network.parameters(), ours.recv(), strict=True):
            assert parameter.grad is not None
            assert np.allclose(parameter.grad.numpy(), gradient, atol=1e-6)
    for process in ranks:
        process.join(30)
        assert process.exitcode == 0
