"""Check, as early as possible, that the data have what a model needs beside keys."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any, Literal

from ..api.traits import Need
from ..base.errors import IncompatibleError
from ..components.configured import ConfiguredComponent
from ..data.lines import KeySequences, Lines
from ..pipeline.grouping import GroupedLines


@dataclass(frozen=True)
class Found:
    """Checks for a need.

    Attributes:
        opened: whether opened but unread data may have it.
        grouped: whether units have it.
        taught: only supervised models get it, and only to train.
    """

    opened: Callable[[Lines | KeySequences], bool]
    grouped: Callable[[GroupedLines], bool]
    taught: bool = False


def _column(name: str) -> Callable[[Lines | KeySequences], bool]:
    return lambda opened: isinstance(opened, Lines) and name in opened.frame.collect_schema()


OF_TEXT: tuple[Need, ...] = ("templates", "texts", "messages", "parameters", "vectors", "text_vectors")
# Every need that a model may declare. Key sequences are numbers: they have no templates.
NEEDS: dict[Need, Found] = {
    "times": Found(_column("time"), lambda grouped: grouped.times is not None),
    **{need: Found(_column("message"), lambda grouped: not grouped.sequences) for need in OF_TEXT},
    "line_labels": Found(_column("label"), lambda grouped: grouped.line_labels is not None, taught=True),
}


def vectors_of(needs: Set[str]) -> Literal["vectors", "text_vectors"]:
    """Which vectors a model takes, of those that take any."""
    return "vectors" if "vectors" in needs else "text_vectors"


def check_needs(
    model: ConfiguredComponent[Any], dataset: str, data: Lines | KeySequences | GroupedLines, scoring: bool = False
) -> None:
    """Check that the data have all that a model needs, as far as they are read.

    Args:
        dataset: name of the data set.
        scoring: the model is already fitted.

    Raises:
        IncompatibleError: the data lack something, or the model may not get it.
    """
    traits = model.entry.item.traits
    for need in sorted(traits.needs):
        found, named = NEEDS[need], need.replace("_", " ")
        if found.taught and scoring:
            continue
        if found.taught and traits.supervision != "supervised":
            raise IncompatibleError(
                f"model {model.name} needs {named}, but gets no labels because it is {traits.supervision}"
            )
        if not (found.grouped(data) if isinstance(data, GroupedLines) else found.opened(data)):
            raise IncompatibleError(
                f"model {model.name} needs {named}, but data set {dataset} has {_instead(data)}"
            )


def _instead(data: Lines | KeySequences | GroupedLines) -> str:
    sequences = data.sequences if isinstance(data, GroupedLines) else isinstance(data, KeySequences)
    return "only key sequences" if sequences else "none"
