"""Watch code for side effects: written files, changed random states, prints, a changed working directory."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGING = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
_watches: list[Watch] = []
_hooked = False


@dataclass
class Watch:
    """Observed side effects.

    Attributes:
        allowed: folders that may be written to; temporary files may be made and removed.
        written: other paths that were opened for writing, made, renamed, removed, or left over.
        states: global random states that changed.
        printed: text on standard output.
        moved: the working directory was changed.
    """

    allowed: tuple[Path, ...]
    written: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    printed: str = ""
    moved: bool = False

    @property
    def faults(self) -> str:
        """Describe the first written files, changed states and prints; empty if there are none."""
        printed = [f"printed {self.printed[:60]!r}"] if self.printed else []
        states = [f"the global state of {name} moved" for name in self.states]
        return ", ".join([*(f"wrote {path}" for path in self.written), *states, *printed][:3])

    def note(self, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor that is open already
        text = os.path.realpath(os.fsdecode(path))
        inside = any(text == str(one) or text.startswith(f"{one}{os.sep}") for one in self.allowed)
        if (
            not inside
            and "__pycache__" not in text
            and not text.startswith(("/dev/", "/proc/"))
            and text not in self.written
        ):
            self.written.append(text)


@contextlib.contextmanager
def watched(folder: Path, *allowed: Path) -> Iterator[Watch]:
    """Run the body in the empty `folder` and watch it; the `Watch` is complete afterwards.

    Sees every file that Python writes. Of files that native code writes, sees those left in the working directory
    or among temporary files.
    """
    work, temporary = folder / "work", folder / "tmp"
    work.mkdir()
    temporary.mkdir()
    watch = Watch((*(path.resolve() for path in allowed), temporary.resolve()))
    printed, kept = io.StringIO(), _random_states()
    _stir()
    before = _random_states()
    with _temporary_files_in(temporary), contextlib.chdir(work), contextlib.redirect_stdout(printed):
        _hook()
        _watches.append(watch)
        try:
            yield watch
        finally:
            _watches.remove(watch)
            watch.moved = Path.cwd() != work.resolve()
    after = _random_states()
    _set_random_states(kept)
    watch.states = [name for name in before if _plain(before[name]) != _plain(after[name])]
    watch.printed = printed.getvalue()
    left = [path for root in (work, temporary) for path in root.rglob("*") if path.is_file()]
    watch.written += [str(path) for path in left if str(path.resolve()) not in watch.written]


def _hook() -> None:
    global _hooked  # noqa: PLW0603
    if not _hooked:
        sys.addaudithook(_audit)  # it cannot be removed, and is idle while nobody watches
        _hooked = True


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watches:
        return
    if (event == "open" and arguments[2] is not None and arguments[2] & WRITING) or event in CHANGING:
        for watch in list(_watches):
            watch.note(arguments[0])
            if event in ("os.rename", "os.link", "os.symlink"):
                watch.note(arguments[1])


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    known, environment = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = known
        os.environ.pop("TMPDIR")
        if environment is not None:
            os.environ["TMPDIR"] = environment


def _random_states() -> dict[str, Any]:
    """Global random states by name; with torch's if torch is imported."""
    states: dict[str, Any] = {"random": random.getstate(), "numpy.random": np.random.get_state()}
    if torch := sys.modules.get("torch"):
        states["torch"] = torch.get_rng_state()
    return states


def _set_random_states(states: dict[str, Any]) -> None:
    random.setstate(states["random"])
    np.random.set_state(states["numpy.random"])
    if "torch" in states:
        sys.modules["torch"].set_rng_state(states["torch"])


def _plain(state: Any) -> list[Any]:
    return [np.asarray(item).tolist() for item in state]


def _stir() -> None:
    """Reseed all random states, so that code which sets a fixed seed is noticed, too."""
    random.seed()
    np.random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()
