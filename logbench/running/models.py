"""Where models run: in this process, or each distribution's in one of its own (see `model_processes`)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..api.contracts import RunningModel
from ..base.jsonable import to_jsonable
from ..base.state_guard import guarded
from ..components.ensemble import RunningCombination

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from ..components.configured import ConfiguredComponent
    from ..data.scores import Scores
    from ..data.sessions import Sessions
    from .resolve import ResolvedPlan


# Components that decide what a model is given.
READERS = ("dataset", "parser", "windower")
Isolation = Literal["worker", "in-process"]


class Models(Protocol):
    """Builds models where they are to run.

    Attributes:
        isolation: as the record names it.
    """

    isolation: Isolation

    def build(
        self, parts: Sequence[ConfiguredComponent], fresh_for: str, note: Callable[[str], None]
    ) -> list[RunningModel]:
        """The models of components that are no combinations, such as the members of one.

        Args:
            fresh_for: what a process of models may be shared for: it differs by seed, data and split.
        """

    def check(self) -> None:
        """Look at the units that were handed out.

        Raises:
            PluginError: a model changed them.
        """

    def finish(self, keep: bool) -> None:
        """A run is over.

        Args:
            keep: models of other runs may follow in the same process.
        """


class InProcess:
    """Models in this process: what they change of it is put back, where it is known (`state_guard`)."""

    isolation: Isolation = "in-process"

    def build(
        self, parts: Sequence[ConfiguredComponent], fresh_for: str, note: Callable[[str], None]
    ) -> list[RunningModel]:
        """See `Models.build`."""
        return [LocalModel(part, note) for part in parts]

    def check(self) -> None:
        """See `Models.check`: arrays of this process are read-only, and not looked at again."""

    def finish(self, keep: bool) -> None:
        """See `Models.finish`."""


class LocalModel:
    """A model of this process, with its global state guarded and its prints sent to standard error."""

    def __init__(self, part: ConfiguredComponent, note: Callable[[str], None]) -> None:
        self._note, self._name = note, part.name
        with self._apart():
            self._model: Any = part.build()
        self.opened: Sequence[str] = ()
        self.measured: Mapping[str, Any] = {}

    def can(self, method: str) -> bool:
        """See `RunningModel.can`."""
        return hasattr(self._model, method)

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
            found: pl.Series = self._model.expected(sessions, events, context)
        return found

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


def running_model(resolved: ResolvedPlan, models: Models, note: Callable[[str], None]) -> RunningModel:
    """The model of a run where it is to run; the members of a combination each where they belong."""
    asked = {
        "seed": resolved.plan.seed,
        "data": str(resolved.plan.data),
        "components": {kind: (getattr(resolved, kind).name, resolved.config[kind]) for kind in READERS},
        "protocol": resolved.protocol.as_dict(),
        "totals": dataclasses.asdict(resolved.totals),
    }
    fresh_for = json.dumps(to_jsonable(asked))
    built = models.build(resolved.model.parts, fresh_for, note)
    if resolved.model.entry.members:
        return RunningCombination(resolved.model.parts, built)
    return built[0]
