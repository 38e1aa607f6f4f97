"""The room itself: names, and what loading them costs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import subprocess
import sys

import pytest

import logbench.torch


def test_every_name_exists_and_no_other_does() -> None:
    assert sorted(logbench.torch.__all__) == logbench.torch.__all__
    assert set(logbench.torch._LAZY) >= set(logbench.torch.__all__)
    assert all(hasattr(logbench.torch, name) for name in logbench.torch._LAZY)
    assert not set(logbench.torch._LAZY) & set(logbench.torch._LAZY.values())  # a module would hide its namesake
    with pytest.raises(AttributeError, match="no attribute 'NextKay'"):
        logbench.torch.NextKay  # noqa: B018


def test_options_cost_no_torch() -> None:
    code = (
        "import sys; from logbench.torch import NextKeyConfig; NextKeyConfig(); "
        "print(*{'torch', 'numpy', 'polars'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("module", sorted(set(logbench.torch._LAZY.values())))
def test_examples_in_docstrings_give_what_they_show(module: str) -> None:
    import torch

    names = {"torch": torch}
    assert not doctest.testmod(importlib.import_module(f".{module}", "logbench.torch"), extraglobs=names).failed


@pytest.mark.parametrize(
    "name", sorted({*logbench.torch.__all__} - {"NetworkModel", "RowModel"})
)  # their heirs show it
def test_every_public_name_shows_how_it_is_used(name: str) -> None:
    text = inspect.getdoc(getattr(logbench.torch, name)) or ""
    assert re.search(r"^ *Examples?:$|^    class |^        class ", text, re.M), f"{name} has no example"
