"""A network in a folder: weights as safetensors, what it was built from as JSON; checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ..base.errors import ConfigError, DataError
from .seeding import seeded

N = TypeVar("N", bound=nn.Module)
Sizes = Mapping[str, tuple[int, ...]]

WEIGHTS = "network.safetensors"
# Of the files; raised when an older logbench could no longer read them.
VERSION = 1


def save_network(folder: Path, network: nn.Module, facts: Mapping[str, Any], name: str) -> None:
    """Write `network.safetensors`, and `facts` as `<name>.json`, into an existing folder.

    Args:
        network: on any device; its parameters and persistent buffers are kept.
        facts: what `load_network` needs to build it again, as JSON takes it: number of keys, widths, layers.
        name: of the model.

    Example:

        save_network(folder, self.network, {"keys": self.keys, "hidden": self.config.hidden}, "mine")
    """
    weights = {key: value.detach().cpu().contiguous().clone() for key, value in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    text = json.dumps({"version": VERSION, **facts}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def load_network(folder: Path, build: Callable[[Mapping[str, Any]], N], name: str) -> tuple[N, Mapping[str, Any]]:
    """The network that `save_network` wrote, on the CPU in evaluation mode, and its facts.

    A damaged file asks for no memory: the network is first built without any (on torch's `meta` device), of about
    as many parameters as the file of the weights has, and its sizes are compared with those that this file
    declares. Only the sizes of a network that reads numbers while it is built cannot be compared first.

    Args:
        build: makes the network from the facts; it is called twice. Global random state is kept.
        name: of the model.

    Raises:
        DataError: a file is missing or damaged, or the two do not fit together; in one line.

    Example:

        def build(facts):
            return Network(facts["keys"], facts["hidden"])

        self.network, facts = load_network(folder, build, "mine")
    """
    try:
        facts = _facts(folder, name)
        saved = _saved_sizes(folder)
        _compare(saved, build, facts, name)
        weights = load_file(folder / WEIGHTS)
        with seeded(0), _at_most(len(saved), name):
            network = build(facts)
        network.load_state_dict(weights)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, ConfigError, SafetensorError) as error:
        reason = f"{name}.json has no {error}" if isinstance(error, KeyError) else str(error)
        first = (reason.splitlines() or [type(error).__name__])[0]
        raise DataError(f"{folder}: not a saved {name} model: {first}") from error
    return network.eval(), facts


def _facts(folder: Path, name: str) -> dict[str, Any]:
    facts = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    if not isinstance(facts, dict):
        raise ValueError(f"{name}.json holds no JSON object")
    if facts.pop("version", None) != VERSION:
        raise ValueError(f"{name}.json does not say version {VERSION}; it is damaged, or of a newer logbench")
    return facts


def _saved_sizes(folder: Path) -> Sizes:
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118


def _compare(
    saved: Mapping[str, tuple[int, ...]],
    build: Callable[[Mapping[str, Any]], N],
    facts: Mapping[str, Any],
    name: str,
) -> None:
    """Raise ValueError where the network to be built and the header of the weights differ."""
    try:
        with seeded(0), torch.device("meta"), _at_most(len(saved), name):
            network = build(facts)
    except RuntimeError as error:
        if "meta" in str(error):  # it read numbers, which a tensor without memory has not
            return
        raise
    built = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    for key in sorted({*saved, *built}):
        if saved.get(key) != built.get(key):
            raise ValueError(
                f"{key} is {_size(saved.get(key))} in {WEIGHTS}, {_size(built.get(key))} by {name}.json"
            )


@contextmanager
def _at_most(tensors: int, name: str) -> Iterator[None]:
    """Raise ValueError while a network of far more parameters is built, such as one of a billion layers."""
    left = 10 * tensors + 100  # layers are made and thrown away, too

    def count(module: nn.Module, key: str, parameter: nn.Parameter | None) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"{tensors} tensors are in {WEIGHTS}, far more by {name}.json")

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()


def _size(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else str(list(shape))
