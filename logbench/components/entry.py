"""Plugins, and the components that they offer."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..base.code_files import sources_of
from ..base.compiled_files import remove_stale
from ..base.files_beside import TooMuchError

T_co = TypeVar("T_co", covariant=True)
GROUP = "logbench"
_OWN = "logbench-harness"


@dataclass
class Plugin:
    """One entry point: where it comes from, what it implements, and why it was set aside (if it was).

    `order` sorts this distribution's own plugins first, so that no other can take a name from it. What is no entry
    point stands for one, too, without a `version`: a class at hand, of its module as `distribution`, or a file of
    the user's own, of its name as `distribution`.

    Attributes:
        gap: why more than its code decides what it does; empty if nothing else does.
        made_of: the thing at hand; None for an entry point.
        place: path and name of a component in a file, as it is typed; empty for an entry point.
        module: full name of an entry point's module; empty for anything else.
    """

    name: str
    distribution: str
    version: str
    load: Callable[[], Any]
    hooks: list[str] = field(default_factory=list)
    error: str = ""
    cause: BaseException | None = None
    gap: str = ""
    made_of: Any = None
    place: str = ""
    module: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})".replace(" )", ")")

    @property
    def key(self) -> str:
        """`distribution:name`, unlike that of any other plugin."""
        return f"{self.home}:{self.name}"

    @property
    def home(self) -> str:
        """What one process of models loads: the distribution, or the path of the file."""
        return self.place.rpartition(":")[0] or self.distribution

    @property
    def order(self) -> tuple[bool, str, str]:
        return self.distribution != _OWN, self.distribution, self.name


@dataclass(frozen=True, slots=True)
class RegisteredComponent(Generic[T_co]):
    """A component (or preset, or command) with the plugin that offers it.

    Attributes:
        members: of a combination of models, `a+b`, copies one by one; its plugin is that of the first one.
    """

    item: T_co
    plugin: Plugin
    members: tuple[RegisteredComponent[T_co], ...] = ()

    @property
    def address(self) -> str:
        """What another process finds it by: its name, or path and name of one in a file; of a combination all."""
        if self.members:
            every = [member.address for member in self.members]
            times = {address: every.count(address) for address in every}
            return "+".join(f"{one}*{copies}" if copies > 1 else one for one, copies in times.items())
        return self.plugin.place or self.item.name  # type: ignore[attr-defined]


def installed() -> list[Plugin]:
    """Plugins announced by installed distributions, each distribution counted once, in a fixed order.

    A distribution whose entry points cannot be read stands for one that is set aside when it is loaded.
    """
    seen: dict[tuple[str, str], Plugin] = {}
    known: set[str] = set()
    for dist in importlib.metadata.distributions():
        folder = str(getattr(dist, "_path", "unknown"))
        try:
            offers = f"[{GROUP}]" in (dist.read_text("entry_points.txt") or "")  # most have nothing for us
            points = [point for point in dist.entry_points if point.group == GROUP] if offers else []
            short = str(getattr(dist, "_normalized_name", folder))
            if not points or short in known:
                known.add(short)
                continue
            about = dist.metadata  # each look parses it, with all that it describes
            name, version = about["Name"] or "unknown", about["Version"] or "?"
        except Exception as error:
            broken = Plugin("entry-points", Path(folder).name, "", partial(_unreadable, error))
            seen.setdefault((folder, ""), broken)
            continue
        known.add(short)
        for point in points:
            module = point.value.partition(":")[0].strip()  # `point.module` fails on text that names none
            plugin = Plugin(point.name, name, version, partial(_load, point), module=module)
            seen.setdefault((name, point.name), plugin)
    return sorted(seen.values(), key=lambda plugin: plugin.order)


def _unreadable(error: Exception) -> Any:
    raise RefusedEntryPointsError(f"its entry points cannot be read ({told(error)}); install it again") from error


class RefusedEntryPointsError(Exception):
    """A distribution whose files are damaged."""


def told(error: BaseException) -> str:
    """An error of a plugin in one line, also where its text is no text."""
    try:
        said = " ".join(f"{type(error).__name__}: {error}".split())
    except Exception:
        said = type(error).__name__
    return said.removesuffix(":")[:500]


def _load(point: importlib.metadata.EntryPoint) -> Any:
    """What an entry point names; a module that is loaded now, of its source as it is."""
    if point.module not in sys.modules:
        with suppress(TooMuchError, OSError):
            remove_stale(sources_of(point.module))
    return point.load()
