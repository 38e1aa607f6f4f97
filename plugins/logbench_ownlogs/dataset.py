"""The data set of a definition: its card, its options, and how it reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import logbench
from logbench import Card, DatasetComponent, make_options, option

from .definition import OwnLog, load
from .labels import read_labels, there
from .unit_rows import exploded

if TYPE_CHECKING:
    from logbench import Lines

# Keys that the data set's card takes; what a user may say instead are the options of a run.
CARD = ("title", "windower", "window", "gap", "parser", "protocol")


def component(path: Path, name: str) -> DatasetComponent[Any]:
    """The data set that a TOML file defines. Keys that say how lines are read are options of it, too (`--set`).

    Raises:
        ConfigError: see `load`.
    """
    return defined(load(path), name)


def stored(config: Mapping[str, Any], name: str, added: Path) -> DatasetComponent[Any] | None:
    """The data set that a record or bundle holds in its configuration; None where it is no own log.

    So a bundle scores logs also where the definition was never added, or has changed since.

    Args:
        added: folder of the definitions that were added.
    """
    if not {"folder", "files", "format"} <= config.keys():
        return None
    own = make_options(OwnLog, config, name)
    return defined(dataclasses.replace(own, title=_title(own, name, added)), name)


def _title(own: OwnLog, name: str, added: Path) -> str:
    """The title in the definition, where that still stands: it is no option of a run, so no record holds it."""
    for path in (Path(own.folder) / Path(name).name, added / f"{name}.toml"):
        with suppress(logbench.LogbenchError, OSError):
            if path.suffix == ".toml" and path.is_file():
                found = load(path)
                if (found.folder, found.files) == (own.folder, own.files):
                    return found.title
    return ""


def defined(own: OwnLog, name: str) -> DatasetComponent[Any]:
    """The data set of a definition."""
    hints = get_type_hints(OwnLog)
    fields: list[Any] = [
        (f.name, hints[f.name], option(getattr(own, f.name), f.metadata["help"], **f.metadata["bounds"]))
        for f in dataclasses.fields(OwnLog)
        if f.name not in CARD
    ]
    config = dataclasses.make_dataclass("OwnLogConfig", fields, frozen=True)
    sizes = {own.grouped_by: {"size": own.window}} if own.window else {}
    sizes = {"session": {"gap": own.gap}} if own.gap else sizes
    card = Card(
        title=own.title or f"your logs: {', '.join(own.files)}",
        label=_labelled(own),
        layout=f"a log file, or a folder with {', '.join(own.files)}",
        parser=own.parser,
        windower=own.grouped_by,
        protocol=own.protocol,
        unit="window" if own.grouped_by in ("time", "count") else own.grouped_by,
        settings=sizes,
    )
    return DatasetComponent(name, OwnLogs, config, card.title, card=card)


def _labelled(own: OwnLog) -> str:
    if own.labels:
        return f"by session, from {own.labels}"
    return (
        f"by line, from the field {own.label}" if own.label else "there are none: runs rank, and measure nothing"
    )


class OwnLogs:
    """Reads logs by a definition."""

    def __init__(self, config: Any) -> None:
        self.config = OwnLog(**dataclasses.asdict(config))

    @property
    def home(self) -> Path:
        """Where the files are unless the user says otherwise."""
        return Path(self.config.folder)

    def read(self, path: Path) -> Lines:
        """Lines as the definition says; the labels file is looked for when labels are asked for.

        See `Dataset.read`.
        """
        own, file = self.config, self.home / self.config.labels
        form = own.line_format
        labels = (lambda units: read_labels(file, own)) if own.labels else None
        also = [file] if own.labels and there(file) else []
        lines = logbench.open_lines(path, own.files, form, labels, also)
        return exploded(lines, form, own.events) if own.events else lines
