"""A pytest plugin that puts a mutant in the place of a module: `MUTANT=module:file`."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class _Loader(importlib.abc.Loader):
    def __init__(self, path: Path) -> None:
        self.path = path

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.path.read_text(encoding="utf-8"), str(self.path), "exec"), module.__dict__)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, path: Path) -> None:
        self.module, self.path = module, path

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.module:
            return None
        return importlib.util.spec_from_loader(name, _Loader(self.path))


if "MUTANT" in os.environ:
    _module, _, _file = os.environ["MUTANT"].partition(":")
    assert _module not in sys.modules, f"{_module} is imported before it could be changed"
    sys.meta_path.insert(0, _Finder(_module, Path(_file)))
