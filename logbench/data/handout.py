"""Units as files: what a model in a process of its own maps read-only, and how a change of it is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.freed_memory import lent
from .derived import hand_on
from .distinct import Distinct
from .event_messages import EventMessages
from .message_file import MessageFile
from .neutral import neutral_ids
from .sessions import Sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEMPLATES = "templates"
TEXTS = "texts.arrow"
# Columns that are files, with where each unit begins, and vectors; labels travel by message.
FILES = ("offsets", "vectors", *(name for name, column in Sessions.columns.items() if column.as_file))
BLOCK = 1 << 24


@dataclass(frozen=True)
class Handout:
    """Units in files of one folder, as plain values that JSON holds.

    Attributes:
        folder: holds `NAME.npy` for each column, texts and messages. templates: the file with the templates.
        vocabulary: number of known keys. units: number of units.
        digests: file → BLAKE2b of its bytes, of files that are not compared with what this process holds.
        shows: what of the messages in the folder a model may ask; None without messages.
        labels, line_labels: of training and held-out units and their events, for a supervised model. They travel
            by message, never by file, so that no other model can read them.
    """

    folder: str
    templates: str
    vocabulary: int
    units: int
    digests: Mapping[str, str]
    shows: list[str] | None = None
    labels: list[int] | None = None
    line_labels: list[int] | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON values; `Handout(**values)` is the same again."""
        return asdict(self)

    def changed(self, sessions: Sessions) -> list[str]:
        """Names of the files whose bytes are no longer those that were written.

        Args:
            sessions: what was written. To compare with it costs a tenth of a digest.
        """
        others = [Path(file).name for file, known in self.digests.items() if _digest(Path(file)) != known]
        files = {Path(self.folder, f"{name}.npy"): column for name, column in _held(sessions).items()}
        return others + [file.name for file, column in files.items() if not _holds(file, column)]


def write_templates(templates: tuple[str, ...], folder: Path) -> Path:
    """Write the templates of all units of a run; returns the file."""
    file = folder / f"{TEMPLATES}.json"
    file.write_text(json.dumps(templates), encoding="utf-8", errors="surrogatepass")
    return file


def write(sessions: Sessions, folder: Path, templates: Path) -> Handout:
    """Write the columns that a model may see: `FILES` as far as it gets them, and what is distinct.

    Args:
        sessions: neutral units, see `neutral`. folder: new, for these files alone.
        templates: see `write_templates`.
    """
    folder.mkdir()
    digests, held = {str(templates): _digest(templates)}, _held(sessions)
    for name, column in {"ids": sessions.ids.cast(pl.Int64).to_numpy(), **held}.items():
        np.save(folder / f"{name}.npy", column)
    if sessions.texts is not None:
        pl.DataFrame({"text": sessions.texts}).write_ipc(folder / TEXTS)
    if sessions.raw is not None:
        sessions.raw.write(folder)
    for file in sorted(folder.iterdir()):
        file.chmod(0o400)
        if file.stem not in held:
            digests[str(file)] = _digest(file)
    labels = [None if column is None else column.tolist() for column in (sessions.labels, sessions.line_labels)]
    shows = None if sessions.raw is None else sorted(sessions.raw.shows)
    return Handout(str(folder), str(templates), sessions.vocabulary, len(sessions), digests, shows, *labels)


def read(handout: Handout) -> Sessions:
    """The units again, their columns mapped read-only."""

    def column(name: str) -> NDArray[Any] | None:
        file = Path(handout.folder) / f"{name}.npy"
        return lent(np.load(file, mmap_mode="r", allow_pickle=False)) if file.exists() else None

    found: dict[str, Any] = {name: column(name) for name in FILES}
    texts = Path(handout.folder) / TEXTS
    sessions = Sessions(
        **found,
        vocabulary=handout.vocabulary,
        ids=neutral_ids(column("ids")),
        labels=_labels(handout.labels),
        line_labels=_labels(handout.line_labels),
        weights=_read_only(np.ones(handout.units)),
        templates=tuple(json.loads(Path(handout.templates).read_text(encoding="utf-8", errors="surrogatepass"))),
        texts=pl.read_ipc(texts)["text"] if texts.exists() else None,
        raw=None if handout.shows is None else _messages(Path(handout.folder), handout.shows),
    )
    distinct: Any = [column(name) for name in ("first", "inverse", "counts")]
    hand_on({"distinct": Distinct(*distinct)}, sessions)
    return sessions


def _messages(folder: Path, shows: list[str]) -> EventMessages:
    file = MessageFile.read(folder)
    return EventMessages(lambda: file, np.arange(len(file)), frozenset(shows))


def _labels(given: list[int] | None) -> NDArray[np.int8] | None:
    return None if given is None else _read_only(np.array(given, dtype=np.int8))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _held(sessions: Sessions) -> dict[str, NDArray[Any]]:
    """Columns that are files of their own, and what is distinct, as this process holds them."""
    distinct = sessions.distinct
    columns = {name: getattr(sessions, name) for name in FILES}
    columns |= {"first": distinct.first, "inverse": distinct.inverse, "counts": distinct.counts}
    return {name: column for name, column in columns.items() if column is not None}


def _holds(file: Path, column: NDArray[Any]) -> bool:
    """Whether a file of NumPy still holds a column, bit by bit."""
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    if found.dtype != column.dtype or found.shape != column.shape:
        return False
    ours, theirs = (np.ascontiguousarray(one).reshape(-1).view(np.uint8) for one in (column, found))
    places = range(0, len(ours), BLOCK)
    return all(np.array_equal(ours[at : at + BLOCK], theirs[at : at + BLOCK]) for at in places)


def _digest(file: Path) -> str:
    found = hashlib.blake2b(digest_size=16)
    try:
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                found.update(block)
    except OSError:
        return "gone"
    return found.hexdigest()
