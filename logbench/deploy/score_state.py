"""What `score` keeps between two calls, in one file that is written whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import DataError
from ..base.files import written
from ..base.regular_files import read_text
from ..base.summed_json import text_of, value_of

# 2: with a checksum.
VERSION = 2
# Most bytes of a state: open sessions of hours, not a log.
MOST = 4 << 30
# Seconds between two writes while lines come, and how many times as long as the last write that must be.
EVERY, TIMES = 1.0, 20.0


@dataclass
class ScoreState:
    """State of scoring with one saved model.

    Attributes:
        file: where it is kept.
        run_id: of the run that saved the model.
        threshold: the one in force, as text; None before the first call.
        alarmed, incidents: see `AlarmBook`.
        waiting: alarms that could not be sent yet.
        counters: totals since the state began.
        stream: see `score_stream`; None where no stream was read.
    """

    file: Path
    run_id: str
    threshold: str | None = None
    alarmed: list[str] = field(default_factory=list)
    incidents: list[Any] = field(default_factory=list)
    waiting: list[Any] = field(default_factory=list)
    counters: dict[str, float] = field(default_factory=dict)
    stream: dict[str, Any] | None = None
    collect: Callable[[], None] = field(default=lambda: None, repr=False)
    _next: float = 0.0

    def save(self) -> None:
        """Write the state; a process that is killed meanwhile leaves the one before.

        Raises:
            DataError: it cannot be written.
        """
        begun = time.monotonic()
        self.collect()
        names = ("run_id", "threshold", "alarmed", "incidents", "waiting", "counters", "stream")
        values = {"logbench_state": VERSION, **{name: getattr(self, name) for name in names}}
        temporary = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        with written(self.file):
            try:
                temporary.touch(mode=0o600)  # it holds lines of the log
                with temporary.open("w", encoding="utf-8") as file:
                    file.write(text_of(values))
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self.file)
            finally:
                temporary.unlink(missing_ok=True)
        now = time.monotonic()
        self._next = now + max(EVERY, TIMES * (now - begun))

    def checkpoint(self, stream: Callable[[], dict[str, Any]], now: bool) -> bool:
        """Save the state of a stream, at once or where the last time was a while ago; whether it was saved.

        Args:
            stream: gives its state.
        """
        if not now and time.monotonic() < self._next:
            return False
        self.stream = stream()
        self.save()
        return True


@contextmanager
def opened(file: Path, run_id: str) -> Iterator[ScoreState]:
    """The state in `file`, a new one where there is none; no other process may have it meanwhile.

    Raises:
        DataError: it is damaged, of another model, or another process has it.
    """
    from filelock import FileLock, Timeout

    with written(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file.with_name(f".{file.name}.lock"))
    with written(file):
        try:
            lock.acquire(timeout=0)
        except Timeout:  # an OSError, too
            raise DataError(f"{file}: another logbench score has this state; end it, or take another") from None
    try:
        yield _read(file, run_id)
    finally:
        lock.release()


def _read(file: Path, run_id: str) -> ScoreState:
    if not file.exists():
        return ScoreState(file, run_id)
    try:
        values = value_of(read_text(file, most=MOST))
        if not isinstance(values, Mapping) or values.get("logbench_state") != VERSION:
            raise ValueError("no state of logbench score of this version")
        state = ScoreState(file, **{name: value for name, value in values.items() if name != "logbench_state"})
    except (OSError, ValueError, TypeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{file}: cannot be read as a state ({reason}); remove it to begin anew") from None
    if state.run_id != run_id:
        raise DataError(
            f"{file}: is the state of the model that run {state.run_id} saved, not of {run_id}; "
            "remove it to begin anew, or take another file"
        )
    return state
