"""Rules for every component: strict options, and no heavy import before it is built."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import get_type_hints

from ..base.errors import ConfigError
from ..base.options import make
from ..components.entry import installed
from .outcome import InapplicableError, expect
from .rule import Subject

HEAVY = ("numpy", "pandas", "polars", "scipy", "sklearn", "tensorflow", "torch")


def options(subject: Subject) -> None:
    """Options are frozen, defaults are within their bounds, and unknown options are refused."""
    config, name = getattr(subject.part.entry.item, "config", None), subject.part.name
    if config is None:
        raise InapplicableError("it has no options")
    expect(config.__dataclass_params__.frozen, "@dataclass(frozen=True)", f"{config.__name__} is not frozen")
    get_type_hints(config)  # a type that only a checker can see would make every option fail
    plain = config()
    values = {field.name: getattr(plain, field.name) for field in dataclasses.fields(config)}
    again = make(config, values, name)
    expect(again == plain, f"the defaults to hold their own types: {plain}", str(again))
    unhelped = [f.name for f in dataclasses.fields(config) if not f.metadata.get("help")]
    wanted = "option(default, help) for each option, or a line such as `k: neighbours` in the docstring"
    expect(not unhelped, wanted, f"no help for {', '.join(unhelped)}")
    try:
        make(config, {"no_such_option": 1}, name)
    except ConfigError:
        return
    expect(False, "an unknown option to be refused", "no error for no_such_option=1")


def imports(subject: Subject) -> None:
    """The plugin's module imports nothing heavy, so that `logbench list` answers at once.

    Evaluators must not import polars either, because a command that lists names does not load it.
    """
    plugin = subject.part.entry.plugin
    if not is_installed(subject) or plugin.place:  # commands that list names load no file
        raise InapplicableError("its plugin is not installed")
    heavy = _imported(plugin.name, plugin.distribution)
    expect(
        not heavy,
        "heavy packages to be imported in the functions that use them, so that every command starts at once",
        f"the module imports {', '.join(heavy)} when it loads; move each import into the function that needs it",
    )


def is_installed(subject: Subject) -> bool:
    """Whether the component is installed or in a file, so that another process finds it."""
    plugin = subject.part.entry.plugin
    return plugin.place != "" or any(
        (one.name, one.distribution) == (plugin.name, plugin.distribution) for one in installed()
    )


@cache
def _imported(name: str, distribution: str) -> tuple[str, ...]:
    """Heavy packages that are imported when a new process loads only this plugin."""
    code = (
        "import json, sys\nfrom logbench.components.registry import installed\nbefore = set(sys.modules)\n"
        f"[p.load() for p in installed() if (p.name, p.distribution) == ({name!r}, {distribution!r})]\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules.keys() - before]))"
    )
    return tuple(json.loads(said_by(code)))


def said_by(code: str) -> str:
    """The last line that a new process prints when it runs `code`.

    Raises:
        ImportError: it fails.
    """
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ImportError(done.stderr.strip().splitlines()[-1])
    return done.stdout.splitlines()[-1]


RULES: tuple[tuple[str, str, Callable[[Subject], None]], ...] = (
    ("options", "strict options with defaults, types and one line of help each", options),
    ("imports", "no heavy package is imported before it is built", imports),
)
