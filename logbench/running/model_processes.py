"""Run models in processes of their own, one a distribution, so that they can be limited and killed."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from ..api.contracts import Context, RunningModel
from ..base.child_process import TICK_S, Child, Limits
from ..base.errors import PluginError
from ..base.failure import ReportedError, error_of
from ..base.progress import silent
from ..components.combination import labels_of
from ..data import handout
from ..data.scores import Scores
from ..data.sessions import Sessions
from .identity import component
from .model_server import ARRAYS, SAID_FILE
from .models import Isolation
from .provenance import source
from .said import SAID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..components.configured import ConfiguredComponent

# Least time limit for steps after scoring, such as explaining and saving.
LATER_S = 60.0
MEASURED = ("wall_s", "cpu_s", "peak_rss_mb", "added_rss_mb", "peak_gpu_mb", "gpu")


class ModelProcesses:
    """Starts and kills the processes of models.

    A process serves the models of one distribution, or of one file of the user's own, each once, for one seed,
    data set and split. It is not reused after a supervised model, which saw labels, or after a failure.

    Args:
        block: plugins not to load.
        limits: limits of each process.
        env: environment variables of each process, such as the number of threads.
        folder: folder for handed-out files; the caller removes it.
        spare: a process that was started with the same plugins and environment, to be the first one.
    """

    isolation: Isolation = "worker"

    def __init__(
        self,
        block: Sequence[str],
        limits: Limits,
        env: Mapping[str, str],
        folder: Path,
        spare: Child | None = None,
    ) -> None:
        self._block, self._limits, self._env, self._folder = block, limits, env, folder
        self._spare, self._around = spare, _around()
        self._processes: dict[str, ModelProcess] = {}
        self._fresh_for = ""
        self._desk: Desk | None = None

    def build(
        self, parts: Sequence[ConfiguredComponent[Any]], fresh_for: str, note: Callable[[str], None]
    ) -> list[RunningModel]:
        """See `Models.build`. The models are built in the background."""
        if fresh_for != self._fresh_for or self._desk is None:
            self.close()
            self._fresh_for, self._desk = fresh_for, Desk(self._folder)
        labelled = list(zip(parts, labels_of([part.name for part in parts]), strict=True))
        for home in dict.fromkeys(part.entry.plugin.home for part in parts):
            names = {label for part, label in labelled if part.entry.plugin.home == home}
            process = self._processes.get(home)
            if process is None or process.child.ended or names & process.served:
                if process is not None:
                    process.child.kill()
                process = ModelProcess(home, self._child(), self._limits)
                self._processes[home] = process
            process.served |= names
            process.meanwhile = [source, *(partial(component, part) for part in parts)]
        desk = self._desk
        return [
            RemoteModel(part, self._processes[part.entry.plugin.home], desk, note, label)
            for part, label in labelled
        ]

    def check(self) -> None:
        """See `Models.check`."""
        if self._desk is not None and (changed := self._desk.changed()):
            self.close()  # units are written anew for the next model
            raise PluginError(f"the model changed the units that it was given: {', '.join(changed)}")

    def finish(self, keep: bool) -> None:
        """See `Models.finish`."""
        if not keep:
            self.close()

    def _child(self) -> Child:
        """A process that is not told yet whose models it serves."""
        spare, self._spare = self._spare, None
        if spare is not None and not spare.ended and self._around == _around():
            return spare
        if spare is not None:
            spare.kill()
        return Child("logbench.running.model_server:serve", list(self._block), env=self._env, jailed=True)

    def close(self) -> None:
        """Kill all processes and remove handed-out files."""
        for process in self._processes.values():
            process.child.kill()
        self._processes = {}
        if self._desk is not None:
            self._desk.close()
            self._desk = None


def _around() -> tuple[list[str], dict[str, str]]:
    """What a process gets from this one."""
    return list(sys.path), dict(os.environ)


class ModelProcess:
    """One process, and the names of the models that it has built.

    Attributes:
        meanwhile: what the record asks for anyway and is remembered, found out while a model loads its libraries.
    """

    def __init__(self, home: str, child: Child, limits: Limits) -> None:
        self.child, self.limits = child, limits
        self.meanwhile: list[Callable[[], object]] = []
        self.send({"home": home})
        self.served: set[str] = set()
        self._answers: dict[tuple[str, ...], dict[str, Any]] = {}

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request; `receive` returns the answer."""
        with suppress(BrokenPipeError, ConnectionError):  # the process ended; `receive` says how
            self.child.pipe.send_bytes(json.dumps(request).encode())

    def receive(
        self, address: list[str], tell: Callable[[Mapping[str, Any]], None], until: float | None, why: str
    ) -> dict[str, Any]:
        """Wait for the answer to a request; pass progress and notes to `tell`.

        Args:
            address: request and model; answers to other requests are kept.
            until: deadline on the monotonic clock.
            why: words for the limit in the error after the deadline.

        Raises:
            ReportedError: the process ended, or took too much time or memory.
            LogbenchError, ReportedError: the request failed in the process.
        """
        looked = time.monotonic()
        while True:
            if (answer := self._answers.pop(tuple(address), None)) is not None:
                if answer["kind"] == "failed":
                    raise error_of({name: answer[name] for name in answer if name not in ("kind", "to")})
                return answer
            try:
                if self.child.pipe.poll(TICK_S):
                    message: dict[str, Any] = json.loads(self.child.pipe.recv_bytes())
                    if "to" in message:
                        self._answers[tuple(message["to"])] = message
                    else:
                        tell(message)
            except (OSError, EOFError):
                raise ReportedError({"type": "Killed", "message": self.child.how()}) from None
            now, most = time.monotonic(), self.limits.memory_mb  # checked even while messages keep coming
            if until is not None and now > until and tuple(address) not in self._answers:
                self._end("Timeout", f"took longer than {why}")
            if most is None or now < looked + TICK_S:
                continue
            looked = now
            if (taken := self.child.memory_mb()) > most:
                self._end("MemoryLimit", f"took {taken:,.0f} MB, more than --memory-limit {most:,.0f} MB")

    def _end(self, kind: str, message: str) -> None:
        self.child.kill()
        raise ReportedError({"type": kind, "message": message})


class Desk:
    """The folder of handed-out files. Units are written once, however often they are handed out."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self._number = 0
        self._given: dict[int, tuple[Sessions, handout.Handout]] = {}
        self._templates: tuple[tuple[str, ...], Path] | None = None

    def hand(self, sessions: Sessions) -> dict[str, Any]:
        """Write units to files; return their paths as JSON values."""
        if id(sessions) not in self._given:
            if self._templates is None or self._templates[0] is not sessions.templates:
                self._templates = (
                    sessions.templates,
                    handout.write_templates(sessions.templates, self.new_folder()),
                )
            folder = self.folder / f"units-{self._next()}"
            self._given[id(sessions)] = sessions, handout.write(sessions, folder, self._templates[1])
        return self._given[id(sessions)][1].as_dict()

    def new_folder(self) -> Path:
        """Make an empty folder."""
        folder = self.folder / f"answer-{self._next()}"
        folder.mkdir()
        return folder

    def _next(self) -> int:
        self._number += 1
        return self._number

    def changed(self) -> list[str]:
        """Names of files that were changed."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # to compare needs no lock of the interpreter
            found = pool.map(lambda given: given[1].changed(given[0]), self._given.values())
            return [name for names in found for name in names]

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class RemoteModel:
    """A model in a process of its own, see `RunningModel`.

    Attributes:
        name: of the component, and its number where there are several of it.
        left: seconds left to fit and score.
    """

    part: ConfiguredComponent[Any]
    process: ModelProcess
    desk: Desk
    note: Callable[[str], None]
    name: str
    opened: list[str] = field(default_factory=list)
    measured: Mapping[str, Any] = field(default_factory=dict)
    left: float | None = None
    _methods: list[str] | None = None
    _context: Context = field(default_factory=Context)
    apart: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.left = self.process.limits.timeout
        plugin, address = self.part.entry.plugin.name, self.part.entry.address
        self.process.send(self._request("build", plugin=plugin, address=address, config=self.part.as_dict()))

    def can(self, method: str) -> bool:
        """See `RunningModel.can`."""
        if self._methods is None:
            while self.process.meanwhile:
                self.process.meanwhile.pop()()
            self._methods = list(self._answer("build", LATER_S * 10, "10 minutes to be built")["methods"])
        return method in self._methods

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """See `Model.fit`."""
        facts: Mapping[str, Any] = self._timed("fit", context, units=self.desk.hand(train))["facts"]
        return facts

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`."""
        folder = self.desk.new_folder()
        answer = self._timed("score", context, units=self.desk.hand(sessions), answer=str(folder))
        columns: dict[str, Any] = {name: _column(folder / f"{name}.npy") for name in ARRAYS}
        others = {name: _column(folder / f"other{at}.npy") for at, name in enumerate(answer["others"])}
        return Scores(**columns, others=others, facts=answer["facts"])

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """See `Expects`."""
        return self._said("expected", sessions, events, context)

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """See `Explains`."""
        return self._said("explain", sessions, events, context)

    def _said(self, do: str, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        folder = self.desk.new_folder()
        self._later(do, context, units=self.desk.hand(sessions), events=events.tolist(), answer=str(folder))
        return pl.read_ipc(folder / SAID_FILE)[SAID[do][0]]

    def update(
        self, units: Sessions, verdicts: NDArray[np.bool_], labels: NDArray[np.int8], context: Context
    ) -> None:
        """See `RunningModel.update`. Labels travel by message, and none is written to a file."""
        handed = self.desk.hand(units)
        self._timed("update", context, units=handed, verdicts=verdicts.tolist(), labels=labels.tolist())

    def save(self, folder: Path) -> None:
        """See `RunningModel.save`."""
        self._later("save", None, folder=str(folder.resolve()))

    def load(self, folder: Path) -> None:
        """See `RunningModel.load`."""
        self._later("load", None, folder=str(folder.resolve()))

    def _timed(self, do: str, context: Context, **values: Any) -> dict[str, Any]:
        """Fit, score, which share one time limit."""
        self.can("fit")  # load its libraries before the clock starts
        begun = time.monotonic()
        self._context = context
        self.process.send(self._request(do, context=self._facts_of(context), **values))
        answer = self._answer(do, self.left, f"--timeout {self.process.limits.timeout or 0:g} s to fit and score")
        if self.left is not None:
            self.left -= time.monotonic() - begun
        self.measured = {name: answer[name] for name in MEASURED}
        return answer

    def _later(self, do: str, context: Context | None, **values: Any) -> dict[str, Any]:
        self.can(do)
        most = None if self.process.limits.timeout is None else max(LATER_S, self.process.limits.timeout)
        if context is not None:
            values["context"] = self._facts_of(context)
        self.process.send(self._request(do, **values))
        return self._answer(do, most, f"{most or 0:g} s to {'explain' if do in SAID else do}")

    def _facts_of(self, context: Context) -> dict[str, Any]:
        return {
            "seed": context.seed,
            "device": context.device,
            "devices": context.devices,
            "alpha": context.alpha,
            "events": context.events,
            "held_out": None if context.held_out is None else self.desk.hand(context.held_out),
        }

    def _request(self, do: str, **values: Any) -> dict[str, Any]:
        return {"do": do, "name": self.name, "handed": str(self.desk.folder), **values}

    def _answer(self, do: str, seconds: float | None, why: str) -> dict[str, Any]:
        address = [do, self.name]
        return self.process.receive(
            address, self._tell, None if seconds is None else time.monotonic() + seconds, why
        )

    def _tell(self, message: Mapping[str, Any]) -> None:
        if message["kind"] == "note":
            self.note(message["text"])
        elif message["kind"] == "opened":
            self.opened += [file for file in message["files"] if file not in self.opened]
        elif self._context.progress is not silent:
            self._context.progress(message["done"], message["total"], message["detail"])


def _column(file: Path) -> Any:
    return np.load(file, allow_pickle=False) if file.exists() else None
