"""What a model may have beside what it must have: to be saved, exported, explained and updated.

Nothing is inherited: `isinstance` looks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from ..data.sessions import Sessions
    from .contracts import Context

# Formats of a graph.
ExportKind = Literal["onnx", "torch-export"]


@runtime_checkable
class Saves(Protocol):
    """A model that can be kept in a bundle; it must be of `Loads`, too."""

    def save(self, folder: Path) -> None:
        """Write into an existing, empty folder."""


@runtime_checkable
class Loads(Protocol):
    """A model that can be taken from a bundle, see `Saves`."""

    def load(self, folder: Path) -> None:
        """Become the model saved in `folder`."""


class RunsGraph(Protocol):
    """What runs a graph."""

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Outputs by name, of inputs by name in the graph's order."""


class ExportedGraph(Protocol):
    """A model as a graph that runs without its code. Rows go in; scores and verdicts come out.

    Attributes:
        facts: how the rows are made, as JSON takes it: `input` (`windows`, `counts`, `keys` or `vectors`), `keys`,
            and what each kind needs beside it.
    """

    facts: Mapping[str, Any]

    def save(self, file: Path, metadata: Mapping[str, Any], limit: float) -> None:
        """Write the graph.

        Args:
            metadata: JSON values, kept as text under the name `logbench`.
            limit: what scores alarm above, in place of the one that was given before.
        """

    def opened(self, file: Path) -> RunsGraph | None:
        """What runs the written graph; None where onnxruntime does."""


@runtime_checkable
class Exports(Protocol):
    """A model that can be made a graph, for `logbench export`; every model of `logbench.torch` can."""

    def exported(self, kind: ExportKind, limit: float) -> ExportedGraph:
        """The fitted or loaded model as a graph.

        Args:
            limit: units that score above it alarm.

        Raises:
            IncompatibleError: it cannot be one; in one line that says why.
        """


@runtime_checkable
class Expects(Protocol):
    """A model that can tell which keys it expected, for `logbench show`."""

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """Keys expected at event `events[i]` of unit i, List(Int32) [units].

        Args:
            events: int64 [units], index within the unit; −1 where no event decides.
        """


@runtime_checkable
class Explains(Protocol):
    """A model that can say in words why an event decided, for `logbench show`: what came, what it expected."""

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """One line about event `events[i]` of unit i, String [units]; null where there is nothing to say.

        Args:
            events: int64 [units], index within the unit; −1 where no event decides.
        """


@runtime_checkable
class Updates(Protocol):
    """A model that goes on learning from units that it has scored: where a stream is scored.

    In `logbench score --data -` units are scored one at a time as they close, and after each one `update` is
    called, once. Under `protocol.procedure = "prequential"` a whole slice is scored, and then `update` is called,
    once a unit, in order of time; a unit whose label is told late comes when that is due. So a verdict may depend
    on the units before, never on its own label or on later ones. Units that are too short to be scored are left
    out. What is learnt ends with the command; the bundle stays as it was saved. Nothing else calls it: not a batch
    run, where labels of test units would leak, not `score` of a file, and not a combination.
    """

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        """Learn from one unit.

        Args:
            unit: the one unit, as `score` got it. In slices it may have more known keys than those of training:
                templates of past slices have keys behind the known ones, which stay as they are.
            verdict: whether it alarmed.
            label: 0 or 1, or None where it is not told. In slices that of an alarm is told, as far as
                `protocol.feedback_budget` goes, unless the model is unsupervised. In `logbench score` only a
                supervised model gets one, where each line carries a label (column `label` of `Lines.frame`).
        """


# The optional methods of a model, and the protocol of each.
MODEL_METHODS: Mapping[str, type] = {
    "save": Saves,
    "load": Loads,
    "expected": Expects,
    "explain": Explains,
    "update": Updates,
}


def can(model: Any, method: str) -> bool:
    """Whether a model has one of `MODEL_METHODS`, wherever it runs (see `RunningModel.can`)."""
    asked = getattr(model, "can", None)
    return bool(asked(method)) if asked is not None else isinstance(model, MODEL_METHODS[method])
