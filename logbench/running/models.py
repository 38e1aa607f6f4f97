"""Run models in this process; `model_processes` runs them in processes of their own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from ..api.contracts import RunningModel
from ..api.optional_models import MODEL_METHODS
from ..base.jsonable import to_jsonable
from ..base.state_guard import guarded
from ..components.ensemble import RunningCombination

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from ..components.configured import ConfiguredComponent
    from ..data.scores import Scores
    from ..data.sessions import Sessions
    from .fitting import Scored
    from .resolve import ResolvedPlan


Isolation = Literal["worker", "in-process"]


class Models(Protocol):
    """Builds models in the process where they run.

    Attributes:
        isolation: its name in the record.
    """

    isolation: Isolation

    def build(
        self, parts: Sequence[ConfiguredComponent[Any]], fresh_for: str, note: Callable[[str], None]
    ) -> list[RunningModel]:
        """Build models of single components, such as the members of a combination.

        Args:
            fresh_for: key of seed, data and split; a process of models serves one key.
        """

    def check(self) -> None:
        """Check the handed-out units.

        Raises:
            PluginError: a model changed them.
        """

    def finish(self, keep: bool) -> None:
        """End a run.

        Args:
            keep: later runs may use the same process.
        """


class InProcess:
    """Runs models in this process and restores known global state after them (`state_guard`)."""

    isolation: Isolation = "in-process"

    def build(
        self, parts: Sequence[ConfiguredComponent[Any]], fresh_for: str, note: Callable[[str], None]
    ) -> list[RunningModel]:
        """See `Models.build`."""
        return [LocalModel(part, note) for part in parts]

    def check(self) -> None:
        """See `Models.check`. Arrays of this process are read-only, so nothing is checked."""

    def finish(self, keep: bool) -> None:
        """See `Models.finish`."""


class LocalModel:
    """A model in this process, with global state guarded and prints sent to standard error."""

    apart = False

    def __init__(self, part: ConfiguredComponent[Any], note: Callable[[str], None]) -> None:
        self._note, self._name = note, part.name
        with self._apart():
            self._model: Any = part.build()
        self.opened: Sequence[str] = ()
        self.measured: Mapping[str, Any] = {}

    def can(self, method: str) -> bool:
        """See `RunningModel.can`."""
        return isinstance(self._model, MODEL_METHODS[method])

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any] | None:
        """See `Model.fit`."""
        with self._apart():
            facts: Mapping[str, Any] | None = self._model.fit(train, context)
        return facts

    def score(self, sessions: Sessions, context: Context) -> Scores | NDArray[Any]:
        """See `Model.score`."""
        with self._apart():
            scores: Scores | NDArray[Any] = self._model.score(sessions, context)
        return scores

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """See `Model`."""
        with self._apart():
            keys: pl.Series = self._model.expected(sessions, events, context)
        return keys

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """See `Explains`."""
        with self._apart():
            texts: pl.Series = self._model.explain(sessions, events, context)
        return texts

    def update(
        self, units: Sessions, verdicts: NDArray[np.bool_], labels: NDArray[np.int8], context: Context
    ) -> None:
        """See `RunningModel.update`."""
        with self._apart():
            update_all(self._model, units, verdicts.tolist(), labels.tolist())

    def save(self, folder: Path) -> None:
        """See `RunningModel.save`."""
        with self._apart():
            self._model.save(folder)

    def load(self, folder: Path) -> None:
        """See `RunningModel.load`."""
        with self._apart():
            self._model.load(folder)

    @contextlib.contextmanager
    def _apart(self) -> Iterator[None]:
        with guarded(self._note), contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."):
            yield


class SilentModel:
    """Stands for a model that has learned since it scored, so that it cannot tell why. It scores no event."""

    def can(self, method: str) -> bool:
        """It has no optional method."""
        return False

    def score(self, sessions: Sessions, context: Context) -> NDArray[np.float64]:
        """A number for each unit that means nothing."""
        return np.zeros(len(sessions))


def explaining(model: RunningModel, scored: Scored) -> RunningModel | SilentModel:
    """The model that tells why units were scored as they were."""
    return model if scored.stream is None or scored.stream.explains else SilentModel()


def update_all(model: Any, units: Sessions, verdicts: Sequence[bool], labels: Sequence[int]) -> None:
    """Let a model learn from one unit after another; a label of −1 is not told."""
    for place, (verdict, label) in enumerate(zip(verdicts, labels, strict=True)):
        model.update(units[place : place + 1], verdict, None if label < 0 else label)


def running_model(resolved: ResolvedPlan, models: Models, note: Callable[[str], None]) -> RunningModel:
    """Build the model of a run, or all members of a combination, in the processes where they run."""
    asked = {
        "seed": resolved.plan.seed,
        "data": str(resolved.plan.data),
        "components": {  # that decide a model's input
            kind: (part.name, part.as_dict()) for kind, part in resolved.single.items() if kind != "model"
        },
        "protocol": resolved.protocol.as_dict(),
        "totals": dataclasses.asdict(resolved.totals),
    }
    fresh_for = json.dumps(to_jsonable(asked))
    built = models.build(resolved.model.parts, fresh_for, note)
    if resolved.model.entry.members:
        return RunningCombination(resolved.model.config, built)
    return built[0]
