"""Builds the compiled kernel for tests that hold it against polars, wherever a compiler is."""

from __future__ import annotations

import importlib.util
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@lru_cache
def hook() -> ModuleType:
    """The module `hatch_build`, which no package holds."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache
def built_kernel(*options: str) -> Path:
    """A library of this source, built once a process; skips without a compiler."""
    library = Path(tempfile.mkdtemp(), "kernel.library")
    if reason := hook().build(library, *options):
        if "no C compiler" in reason:
            pytest.skip(reason)
        pytest.fail(reason)
    return library
