"""Whether torch is installed. Without it (`tox -e light`) test files that need it are left out."""

from __future__ import annotations

import re
import sys
from importlib.abc import MetaPathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

# Helpers and tools that import torch, such as the one that lists every public name.
HELPERS = ("docs_reference", "next_key", "reference_weights", "rows")
IMPORTS = re.compile(rf"^(?:import|from) (?:torch|{'|'.join(HELPERS)})\b|^from logbench\.torch import", re.M)


class _Hidden(MetaPathFinder):
    """Hides the folder `tests/torch`, which `import torch` would find in place of the library."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name=name)


def _is_there() -> bool:
    try:
        version("torch")
    except PackageNotFoundError:
        return False
    return True


TORCH = _is_there()
needs_torch = pytest.mark.skipif(not TORCH, reason="torch is not installed")
if not TORCH:
    sys.meta_path.insert(0, _Hidden())


def imports_torch(file: Path) -> bool:
    """Whether a test file is about torch, or imports it when it loads, itself or by a helper."""
    if file.suffix != ".py":
        return False
    return file.parent.name == "torch" or bool(IMPORTS.search(file.read_text(encoding="utf-8")))
