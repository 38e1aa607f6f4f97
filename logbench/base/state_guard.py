"""Restore global state that a plugin changes, so that it cannot affect later runs in the same process."""

from __future__ import annotations

import locale
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

RANDOM = ("Python's global random state", "numpy's global random state", "torch's global random state")
# Prefixes of environment variables that torch sets itself.
LIBRARIES = ("KMP_", "TORCHINDUCTOR_", "TRITON_")
# Initial state of torch, for a plugin that imports torch and changes it at once.
FRESH_TORCH = {
    "torch's default dtype": "torch.float32",
    "torch's default device": "cpu",
    "torch's gradient mode": True,
    "torch's deterministic mode": False,
}


@dataclass(frozen=True)
class State:
    """One global state of a process.

    Attributes:
        name: its name in notes.
        get: returns the value, which compares with `==`.
        put: sets a value that `get` returned.
    """

    name: str
    get: Callable[[], Any]
    put: Callable[[Any], None]


@contextmanager
def guarded(note: Callable[[str], None]) -> Iterator[None]:
    """Run plugin code, then restore every known global state and note each change once.

    A random state that changed while libraries were loaded is restored without a note, because libraries draw from
    it themselves. Other changes, such as a patched function of a library, last until the process ends.
    """
    before = [(state, state.get()) for state in _states()]
    modules = len(sys.modules)
    had_torch = "torch" in sys.modules
    try:
        yield
    finally:
        changed = []
        if not had_torch and "torch" in sys.modules:
            before += [(state, FRESH_TORCH[state.name]) for state in _torch_states() if state.name in FRESH_TORCH]
        for state, value in before:
            if state.get() != value:
                state.put(value)
                if state.name not in RANDOM or len(sys.modules) == modules:  # libraries draw when they are loaded
                    changed.append(state.name)
        if changed:
            note(f"changed {', '.join(changed)} of its process; put back")


def _states() -> list[State]:
    states = [
        State("the working directory", os.getcwd, os.chdir),
        State("environment variables", _environment, _set_environment),
        State("the locale", lambda: locale.setlocale(locale.LC_ALL), _set_locale),
        State("numpy's error state", np.geterr, lambda known: np.seterr(**known) and None),
        State(RANDOM[1], _numpy_random, _set_numpy_random),
        State(RANDOM[0], random.getstate, random.setstate),
    ]
    if threading.current_thread() is threading.main_thread():
        states.append(State("signal handlers", _handlers, _set_handlers))
    return states + (_torch_states() if "torch" in sys.modules else [])


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(LIBRARIES)}


def _set_environment(known: dict[str, str]) -> None:
    for name in set(_environment()) - set(known):
        del os.environ[name]
    os.environ.update(known)


def _set_locale(known: str) -> None:
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, known)


def _numpy_random() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return name, keys.tobytes(), *rest  # type: ignore[union-attr]


def _set_numpy_random(known: tuple[Any, ...]) -> None:
    name, keys, *rest = known
    np.random.set_state((name, np.frombuffer(keys, dtype=np.uint32), *rest))


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _set_handlers(known: dict[int, Any]) -> None:
    for number, handler in known.items():
        if handler is not None and signal.getsignal(number) != handler:
            with suppress(OSError, ValueError):
                signal.signal(number, handler)


def _torch_states() -> list[State]:
    torch: Any = sys.modules["torch"]
    return [
        State(
            "torch's default dtype",
            lambda: str(torch.get_default_dtype()),
            lambda known: torch.set_default_dtype(getattr(torch, known.removeprefix("torch."))),
        ),
        State(
            "torch's default device",
            lambda: str(torch.get_default_device()),
            lambda known: torch.set_default_device(None if known == "cpu" else known),
        ),
        State("torch's gradient mode", torch.is_grad_enabled, torch.set_grad_enabled),
        State(
            "torch's deterministic mode",
            torch.are_deterministic_algorithms_enabled,
            torch.use_deterministic_algorithms,
        ),
        State("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
        State(
            RANDOM[2],
            lambda: torch.get_rng_state().numpy().tobytes(),
            lambda known: torch.set_rng_state(torch.frombuffer(bytearray(known), dtype=torch.uint8)),
        ),
    ]
