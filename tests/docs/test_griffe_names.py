"""Docstrings as this project writes them, for the API pages."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The extension, without griffe, which only the site's environment has."""
    monkeypatch.setitem(sys.modules, "griffe", SimpleNamespace(Extension=object))  # type: ignore[arg-type]
    monkeypatch.delitem(sys.modules, "griffe_names", raising=False)
    return importlib.import_module("griffe_names")


def test_names_that_share_a_text_get_an_entry_each(tool: ModuleType) -> None:
    text = "Does it.\n\nArgs:\n    a, b: both.\n        More.\n    c: one: two. d: last.\n\nReturns:\n    a, b: x."
    entries = "    a: both.\n        More.\n    b: both.\n        More.\n    c: one: two.\n    d: last."
    assert tool.separated(text, set("abcd")) == f"Does it.\n\nArgs:\n{entries}\n\nReturns:\n    a, b: x."


def test_words_that_are_no_names_stay(tool: ModuleType) -> None:
    text = "Attributes:\n    first, second: not names. third: neither."
    assert tool.separated(text, {"a"}) == text
    assert tool.separated("One. a: in prose.", {"a"}) == "One. a: in prose."
