"""A model that keeps what it was shown of the text, by unit, and how to compute the same of raw lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from labelled_log import Row

from logbench import Context, PluginError, Sessions

# What the parser of these tests masks.
MASKED = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def seen(sessions: Sessions) -> dict[str, Any]:
    """What a model sees: a list a unit of each column of text, and the distinct texts."""
    texts, ids = sessions.texts, sessions.text_ids
    shown = {
        "texts": None if texts is None else texts.gather(ids).to_list(),
        "messages": _asked(sessions.messages),
        "parameters": _asked(sessions.parameters),
    }
    bounds = list(zip(sessions.offsets[:-1].tolist(), sessions.offsets[1:].tolist(), strict=True))
    return {
        "lines": sessions.lines,
        "distinct": None if texts is None else texts.to_list(),
        **{name: all_of and [all_of[begin:end] for begin, end in bounds] for name, all_of in shown.items()},
    }


def _asked(ask: Callable[[], pl.Series]) -> list[Any] | None:
    try:
        return ask().to_list()
    except PluginError as error:
        assert "declare" in str(error)
        return None


class Spy:
    """Scores nothing."""

    given: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    def fit(self, train: Sessions, context: Context) -> dict[str, Any]:
        self.given.append(("train", seen(train)))
        if context.held_out is not None:
            self.given.append(("held_out", seen(context.held_out)))
        return seen(train)

    def score(self, sessions: Sessions, context: Context) -> Any:
        self.given.append(("scored", seen(sessions)))
        return np.zeros(len(sessions))

    def expected(self, sessions: Sessions, events: Any, context: Context) -> Any:
        self.given.append(("explained", seen(sessions)))
        raise NotImplementedError

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


# Words that begin a message, one a day of units: some in training alone, some in the test alone.
WORDS = ("mount", "copy", "scan", "merge", "drop")


def rows(units: int = 60, each: int = 7) -> list[Row]:
    """Lines of `units` nodes, interleaved by pairs; the tested ones have words that no training unit has."""
    made: list[Row] = []
    for pair in range(0, units, 2):
        for step in range(each):
            for node in (pair, pair + 1):
                word = WORDS[(node + step) % 3] if node < units // 2 else WORDS[(node * step) % 5]
                made.append(
                    (f"{word} of {node * 100 + step} at  10.0.0.{step}", int(node % 9 == 5), len(made), f"n{node}")
                )
    return made


def units_of(lines: list[Row]) -> dict[str, list[str]]:
    """Messages of each node, in order."""
    units: dict[str, list[str]] = {}
    for message, _, _, node in lines:
        units.setdefault(node, []).append(message)
    return units


def masked(message: str) -> str:
    """What stands in the place of a message once it is masked."""
    return MASKED.sub("<*>", message)


def values(message: str) -> list[str] | None:
    """What stands at the wildcards of the template, for words that training units hold."""
    found = re.fullmatch(rf"(?:{'|'.join(WORDS[:3])}) of ([0-9]+) at  (\S+)", message)
    return list(found.groups()) if found else None
