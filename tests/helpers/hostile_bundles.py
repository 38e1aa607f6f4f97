"""Bundles of small models, changed as a stranger would, and what scoring with them may do."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import logbench
from logbench import LogbenchError
from logbench.base import checksums
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.running.bundle import Bundle
from logbench.running.bundle_checks import NAME

SECONDS = 20
SECRET = "a line of another file"
MODELS = ("markov", "n-gram", "edit", "ecvc-idf", "length+new-event", "timing", "pca", "isolation-forest", "lof",
          "one-class-svm", "random-forest", "logistic-regression", "knn", "log-clustering", "invariants",
          "sempca", "retrieval")  # fmt: skip
DEEP = {"h": 2, "stop": "steps", "steps": 2, "input": "embedding"}
TOML = """
files = "a.log"
pattern = "<Time> <Label> <Session> <Content>"
time = "Time"
time_format = "%Y-%m-%dT%H:%M:%S"
label = "Label"
normal = "ok"
id = "Session"
windower = "session"
"""
# What stands where something else did; as large, deep, odd or leading out as JSON can write it.
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**9, 2**31, 2**63, 10**400, 1e308, float("inf"), float("nan"), "", "x", "0" * 5000,
    "/etc/passwd", "../outside/*", "../../outside/secret.log", "./evil.py", "evil.py:Model", "random*1000000000",
    "+", "a+b", "\x1b]0;owned\x07", "\u202egnp", "(a+)+$", "(?P<x>.{1000}){1000}", "((((((((((", "\ud800", [], {},
    [[]], [None], [-1], [2**40], {"a": {}}, ["x"] * 50,
)  # fmt: skip


def log() -> str:
    """A log of 60 sessions, some of them marked."""
    lines = []
    for unit in range(60):
        events = ["start", *["read block"] * (1 + unit % 3), f"send {unit} bytes", "done"]
        odd = unit % 7 == 3
        for at, event in enumerate([*events, "disk full"] if odd else events):
            lines.append(f"2026-03-01T08:{unit:02}:{at:02} {'bad' if odd else 'ok'} s{unit} {event}")
    return "\n".join(lines) + "\n"


class Bundles:
    """Saved models in a folder, and a log to score.

    Attributes:
        folder: of everything. data: the log. outside: a file that nothing may read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.registry = folder, Registry()
        self.data = folder / "data" / "a.log"
        self.outside = folder / "outside" / "secret.log"
        for file, text in ((self.data, log()), (self.outside, SECRET + "\n"), (folder / "my.toml", TOML)):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)

    def saved(self, model: str) -> Path:
        """The bundle of a model, made once."""
        place = self.folder / f"saved-{model}"
        if not place.exists():
            protocol = {"train_ratio": 0.6, "threshold": "oracle", "content": "labelled"}
            (record,) = logbench.run(
                model,
                dataset=str(self.folder / "my.toml"),
                data=self.data.parent,
                save=place,
                registry=self.registry,
                out=self.folder / "runs",
                settings={"protocol": protocol, **({"deeplog": DEEP} if model == "deeplog" else {})},
            )
            assert record.error is None, record.error
        return place

    def copied(self, model: str, place: Path) -> Path:
        """A copy of it to change."""
        return Path(shutil.copytree(self.saved(model), place))

    def scored(self, bundle: Path) -> pl.DataFrame | str:
        """The scores by a bundle, or its one line of error. Anything else that happens fails."""
        try:
            with limited(), kept_out(self.outside):
                frame = score_bundle(Bundle(bundle, self.registry), self.data.parent, "cpu", lambda *_: None)
        except LogbenchError as error:
            assert str(error) and "\n" not in str(error) and len(str(error)) < 3000, str(error)[:3000]
            assert SECRET not in str(error)
            return str(error)
        assert SECRET not in str(frame.to_dict(as_series=False))
        return frame


class StillRunningError(BaseException):
    """No `Exception`, which what is tried could catch."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """End what takes longer than SECONDS."""

    def ended(*_: Any) -> None:
        raise StillRunningError(f"still not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ended)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_forbidden: list[str] = []
_opened: list[str] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _forbidden and isinstance(arguments[0], str) and arguments[0] in _forbidden:
        _opened.append(arguments[0])


sys.addaudithook(_hear)


@contextlib.contextmanager
def kept_out(file: Path) -> Iterator[None]:
    """Fail where a file is opened."""
    _forbidden.append(str(file))
    try:
        yield
    finally:
        _forbidden.clear()
        assert not _opened, _opened


def sealed(bundle: Path) -> Path:
    """The same with digests of what is there now, as its maker can write them."""
    checksums.write(bundle, NAME)
    return bundle


def edited(bundle: Path, change: Callable[[Any], Any]) -> Path:
    """Change `bundle.json` by a function of its JSON; the digests are made anew."""
    file = bundle / "bundle.json"
    facts = json.loads(file.read_text(encoding="utf-8"))
    facts = change(facts) or facts
    file.write_text(json.dumps(facts), encoding="utf-8")
    return sealed(bundle)


def mutated(facts: Any, rng: random.Random) -> str:
    """Change one place of JSON values; says where."""
    place, path = facts, []
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = rng.choice(keys)
        path.append(str(key))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.85:
            place = inner
            continue
        if rng.random() < 0.1:
            del place[key]
        else:
            place[key] = rng.choice(VALUES)
        return ".".join(path)


def flipped(file: Path, rng: random.Random) -> None:
    """Change one byte."""
    data = bytearray(file.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def odd_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """An array that no fit gives: of other numbers, type or shape."""
    made = np.array(array)
    kind = rng.randrange(6)
    if kind == 0 and made.size and made.dtype.kind in "iufb":
        limits = (
            np.finfo(made.dtype)
            if made.dtype.kind == "f"
            else np.iinfo(made.dtype if made.dtype != bool else "i1")
        )
        odd = [limits.min, limits.max, 0, 1] + ([np.inf, -np.inf, np.nan] if made.dtype.kind == "f" else [])
        made.reshape(-1)[rng.randrange(made.size)] = rng.choice(odd)
    elif kind == 1 and made.ndim:
        made = made[: rng.randrange(len(made) + 1)]
    elif kind == 2 and made.ndim:
        made = np.concatenate([made, made[:1]])
    elif kind == 3:
        made = made.astype(rng.choice(["float32", "int8", "bool", "complex128", "U8"]))
    elif kind == 4:
        made = made.reshape(-1)
    else:
        made = np.zeros((rng.choice([0, 1, 3]),) * rng.randrange(4), dtype=made.dtype)
    return made
