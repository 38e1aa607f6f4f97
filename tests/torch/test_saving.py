"""Saved networks: what is read is what was written, and damaged files are one line and no memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from logbench import DataError
from logbench.torch import load_network, save_network

FACTS = {"keys": 3, "hidden": 5}


class Tied(nn.Module):
    """Two names of one tensor, a buffer that is saved and one that is not."""

    positions: Tensor

    def __init__(self, keys: int, hidden: int) -> None:
        super().__init__()
        self.embedding, self.output = nn.Embedding(keys, hidden), nn.Linear(hidden, keys, bias=False)
        self.output.weight = self.embedding.weight
        self.register_buffer("idf", torch.zeros(hidden))
        self.register_buffer("positions", torch.arange(hidden).float(), persistent=False)

    def forward(self, keys: Tensor) -> Tensor:
        answer: Tensor = self.output(self.embedding(keys) * self.idf + self.positions)
        return answer


def build(facts: Mapping[str, Any]) -> Tied:
    return Tied(facts["keys"], facts["hidden"])


def saved(folder: Path) -> Tied:
    network = build(FACTS)
    network.idf.normal_()
    save_network(folder, network, FACTS, "tied")
    return network


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    network = saved(tmp_path).train()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.safetensors", "tied.json"]
    before = torch.get_rng_state()
    again, facts = load_network(tmp_path, build, "tied")
    assert torch.equal(before, torch.get_rng_state())
    assert facts == FACTS and not again.training and network.training
    keys = torch.arange(3)
    np.testing.assert_array_equal(again(keys).detach().numpy(), network(keys).detach().numpy())
    assert again.output.weight is again.embedding.weight


def test_a_network_that_reads_numbers_while_it_is_built_can_be_saved(tmp_path: Path) -> None:
    def reads(facts: Mapping[str, Any]) -> nn.Linear:
        return nn.Linear(facts["keys"], int(torch.tensor([2.0, 4.0]).sum().item()))

    save_network(tmp_path, network := reads(FACTS), FACTS, "reads")
    again, _ = load_network(tmp_path, reads, "reads")
    assert torch.equal(again.weight, network.weight)


def test_a_network_of_a_billion_layers_ends_at_once(tmp_path: Path) -> None:
    def deep(facts: Mapping[str, Any]) -> nn.Module:
        return nn.LSTM(2, 2, facts["keys"])

    save_network(tmp_path, deep({"keys": 2}), {"keys": 10**9}, "deep")
    with pytest.raises(DataError, match=r"8 tensors are in network.safetensors, far more by deep.json"):
        load_network(tmp_path, deep, "deep")


Damage = Callable[[Path], object]


def facts_become(**changed: object) -> Damage:
    return lambda folder: (folder / "tied.json").write_text(json.dumps({"version": 1, **FACTS, **changed}))


def write(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(content)


def half(folder: Path) -> None:
    content = (folder / "network.safetensors").read_bytes()
    (folder / "network.safetensors").write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (facts_become(hidden=6), r"embedding.weight is \[3, 5\] in network.safetensors, \[3, 6\] by tied.json"),
        (facts_become(hidden=10**9), "embedding.weight is"),
        (facts_become(keys=-1), "not a saved tied model"),
        (facts_become(keys="many"), "not a saved tied model"),
        (facts_become(version=2), "newer logbench"),
        (write("tied.json", b'{"version": 1, "keys": 3}'), "tied.json has no 'hidden'"),
        (write("tied.json", b"[]"), "holds no JSON object"),
        (write("tied.json", b"\xff\xfe"), "not a saved tied model"),
        (write("network.safetensors", b""), "not a saved tied model"),
        (half, "not a saved tied model"),
        (lambda folder: (folder / "tied.json").unlink(), "tied.json"),
        (lambda folder: (folder / "network.safetensors").unlink(), "network.safetensors"),
    ],
)
def test_damaged_files_are_one_line_and_nothing_is_built(tmp_path: Path, damage: Damage, said: str) -> None:
    saved(tmp_path)
    damage(tmp_path)
    devices: list[str] = []

    def watched(facts: Mapping[str, Any]) -> Tied:
        devices.append(torch.empty(0).device.type)
        return build(facts)

    with pytest.raises(DataError, match=said) as error:
        load_network(tmp_path, watched, "tied")
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)
    assert "cpu" not in devices


def test_a_missing_or_needless_tensor_is_named(tmp_path: Path) -> None:
    saved(tmp_path)

    def without_idf(facts: Mapping[str, Any]) -> nn.Module:
        network = build(facts)
        del network.idf
        return network

    with pytest.raises(DataError, match=r"idf is \[5\] in network.safetensors, absent by tied.json"):
        load_network(tmp_path, without_idf, "tied")
    assert set(load_file(tmp_path / "network.safetensors")) == {"embedding.weight", "output.weight", "idf"}
