"""What `logbench score` and `logbench detect` last looked at, so that `logbench show` prints whole units of it."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.files import root
from ..base.jsonable import to_jsonable
from ..base.regular_files import read_text
from ..base.summed_json import text_of, value_of

if TYPE_CHECKING:
    from ..components.configured import ConfiguredComponent

FOLDER = "looks"
# What is kept of a scored unit.
KEPT = ("unit", "score", "verdict", "events", "event", "line", "telling", "why")
# Units that are kept of one look, the first ones: those that were shown, and the alarms.
MOST = 10_000


@dataclass(frozen=True)
class Source:
    """Where the lines of units are, and what makes units of them.

    Attributes:
        dataset, windower: names, with their options in `config` and `options`.
        path: what was read. digest: of the files, or empty.
        stamps: size and time of change of each file, where there is no digest.
        protocol: its fields, where lines were split before windows were made.
    """

    dataset: str
    config: Mapping[str, Any]
    windower: str
    options: Mapping[str, Any]
    path: str
    digest: str = ""
    stamps: Sequence[Sequence[Any]] = ()
    protocol: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        dataset: ConfiguredComponent[Any],
        windower: ConfiguredComponent[Any],
        path: Path,
        files: Iterable[Path],
    ) -> Source:
        """Of components and files of this process."""
        names = (dataset.name, dataset.as_dict(), windower.entry.address, windower.as_dict())
        return cls(*names, str(path.resolve()), stamps=stamps_of(files))


@dataclass(frozen=True)
class Look:
    """What a command looked at.

    Attributes:
        command: `score` or `detect`, or the id of a run. when: seconds since 1970.
        source: where lines are; None where each unit has its `lines`, since no file has them.
        units: facts of units by name, such as `score`, `line` (from 0) and `why`.
    """

    command: str
    source: Source | None
    units: Mapping[str, Mapping[str, Any]]
    when: float = 0.0


def stamps_of(files: Iterable[Path]) -> list[list[Any]]:
    """Name, size and time of change of each file; one that is gone has none."""
    return [[str(file), *_stamp(file)] for file in files]


def _stamp(file: Path) -> list[int]:
    try:
        found = file.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def keep(name: str, look: Look) -> None:
    """Keep a look as the last one of this name; where the cache cannot be written, it is not kept."""
    units = {unit: _plain(facts) for unit, facts in [*look.units.items()][:MOST]}
    kept = {"command": look.command, "source": look.source and dataclasses.asdict(look.source), "units": units}
    path, temporary = _path(name), _path(f"{name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text_of(to_jsonable(kept)), encoding="utf-8")
        temporary.replace(path)


def last(name: str) -> Look | None:
    """The last look of this name; None where there is none, or a damaged one, with a line on standard error."""
    path = _path(name)
    try:
        kept = value_of(read_text(path))
        units = {unit: _plain(facts, float) for unit, facts in kept["units"].items()}
        look = Look(kept["command"], kept["source"] and Source(**kept["source"]), units, path.stat().st_mtime)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        sys.stderr.write(f"warning: {path}: cannot be read ({reason}); call logbench {name} again\n")
        return None
    return look


def _plain(facts: Mapping[str, Any], kind: type = str) -> dict[str, Any]:
    """Facts with a score that JSON can hold, or with the number that it was."""
    return {**facts, "score": None if facts["score"] is None else kind(facts["score"])}


def _path(name: str) -> Path:
    return root() / FOLDER / f"{name}.json"
