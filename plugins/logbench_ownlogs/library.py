"""Definitions in the user's folder: listed, added, removed; and those that lie elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import logbench
from logbench import ConfigError, DatasetComponent, Definition, suggest

from .copied import with_folder, write
from .dataset import component, stored
from .definition import OwnLog, load, naming
from .example import example
from .in_memory import of_data

if TYPE_CHECKING:
    from .guess import Guess


def folder() -> Path:
    """Where added definitions lie: below `LOGBENCH_CONFIG`, or the platform's own place for configuration."""
    import platformdirs

    given = os.environ.get("LOGBENCH_CONFIG")
    return (Path(given) if given else Path(platformdirs.user_config_dir("logbench"))) / "datasets"


def added() -> Iterator[Definition]:
    """The added definitions, by name; each is read when it is made."""
    for path in sorted(folder().glob("*.toml")):
        yield Definition(path.stem, partial(component, path, path.stem))


class Library:
    """See `logbench.Definitions`."""

    suffix = ".toml"
    keys: type = OwnLog
    required: Sequence[str] = ("files",)

    def read(self, path: Path, name: str) -> DatasetComponent[Any]:
        """The data set that a TOML file defines, added or not."""
        return component(path, name)

    def stored(self, config: Mapping[str, Any], name: str) -> DatasetComponent[Any] | None:
        """The data set that a record or bundle holds in its configuration."""
        return stored(config, name, folder())

    def of_data(self, data: Any) -> DatasetComponent[Any] | None:
        """The data set that data in memory are, see `in_memory.of_data`."""
        return of_data(data)

    def guess(self, paths: Sequence[Path]) -> Guess:
        """The definition that fits log files best, see `guess.guess`."""
        from .guess import guess

        return guess(paths)

    def add(self, path: Path, name: str, taken: Collection[str]) -> Path:
        """Copy a definition to the user's folder, with the place of its files written in; the copy's path.

        Raises:
            ConfigError: it is wrong, or its name is another data set's or no word.
            DataError: the folder cannot be written.
        """
        own, target = load(path), logbench.named_file(folder(), name, self.suffix)
        with naming(path):
            logbench.checked_format(own.line_format)
        if not re.fullmatch(r"[\w.-]+", name):
            raise ConfigError(f"{name!r} is no name; letters, digits, _, - and . only (--name)")
        if name in taken and not target.exists():
            raise ConfigError(f"{name!r} is another data set's name; choose one with --name")
        write(target, with_folder(path, own.folder))
        return target

    def remove(self, name: str) -> Path:
        """Delete an added definition; the logs stay.

        Raises:
            ConfigError: there is none of that name.
        """
        target = logbench.named_file(folder(), name, self.suffix)
        if not target.is_file():
            raise ConfigError(f"{name!r} was not added{suggest(name, [one.name for one in added()])}")
        target.unlink()
        return target

    def example(self) -> str:
        """A definition with every key explained."""
        return example()
