"""A model packed into one file for somebody else to run: its code, and what a harness must know before it runs.

Only the process of the model loads the code: traits and options stand in the file, so that the command and its
worker, which know labels, need none of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..api.components import ModelComponent
from ..api.traits import ModelTraits
from ..base.code_files import CORE, located
from ..base.errors import ConfigError, DataError
from ..base.file_names import name_fault
from ..base.options import option
from .entry import Plugin, RegisteredComponent

FACTS, CODE, VERSION = "submission.json", "code", 1
# Largest file in a submission, and all of them together, bytes.
LARGEST, LARGEST_ALL = 64 << 20, 256 << 20
# What a file that somebody else made may raise: it is no archive, damaged, encrypted, or says something else.
WRONG = (
    OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, zipfile.BadZipFile, zlib.error
)  # fmt: skip


@dataclass(frozen=True)
class Submission:
    """What `submission.json` says.

    Attributes:
        name: of the model. address: file of code and name of the component in it, `code/mine.py:Mine`.
        options: resolved. traits: with what depends on the options computed.
        requires: distributions that it needs. libraries: what it imports, with identities.
        card: its card, if any. files: name → SHA-256 of every file of code.
    """

    name: str
    address: str
    options: Mapping[str, Any]
    traits: Mapping[str, Any]
    requires: tuple[str, ...]
    libraries: Mapping[str, str]
    card: Mapping[str, Any] | None
    files: Mapping[str, str]
    summary: str = ""
    submission_version: int = VERSION


def read(file: Path) -> tuple[Submission, str]:
    """What a submission says, and SHA-256 of its file; no code of it is run.

    Raises:
        DataError: it is none, or damaged.
    """
    try:
        data = file.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _checked(archive, file)
            facts = json.loads(archive.read(FACTS))
            submission = Submission(**facts)
            _check_told(submission)
            for name, digest in submission.files.items():
                if hashlib.sha256(archive.read(f"{CODE}/{name}")).hexdigest() != digest:
                    raise DataError(f"{file}: {name} is not what was packed; ask for it again")
    except WRONG as error:
        said = " ".join(str(error).split())[:120]
        raise DataError(f"{file}: no submission ({said}); see: logbench submit") from None
    if submission.submission_version != VERSION:
        raise DataError(f"{file}: of another version; pack it again")
    return submission, hashlib.sha256(data).hexdigest()


def _checked(archive: zipfile.ZipFile, file: Path) -> None:
    """See that every member is a file below the folder, and none is too large."""
    members = archive.infolist()
    for one in members:
        path = PurePosixPath(one.filename)
        outside = path.is_absolute() or ".." in path.parts or str(path) != one.filename or "\\" in one.filename
        if outside or not (one.filename == FACTS or path.parts[0] == CODE) or one.file_size > LARGEST:
            raise DataError(f"{file}: {one.filename[:80]!r} has no place in a submission, or is too large")
    if sum(one.file_size for one in members) > LARGEST_ALL or len({one.filename for one in members}) < len(
        members
    ):
        raise DataError(f"{file}: too large, or a name twice")


def _check_told(submission: Submission) -> None:
    """See that what names files and is shown is what `logbench submit` would write.

    Raises:
        ValueError: it is not.
    """
    if wrong := name_fault(submission.name):
        raise ValueError(f"its name is none: {wrong}")
    if not submission.summary.isprintable() or not all(one.isprintable() for one in submission.requires):
        raise ValueError("it holds signs that cannot be seen")
    if submission.address.rpartition(":")[0] not in {f"{CODE}/{name}" for name in submission.files}:
        raise ValueError("its model is in no file of it")


def unpack(file: Path, folder: Path, digest: str) -> Submission:
    """Write a submission's code below a folder; it must not hide behind what is installed here.

    Args:
        digest: SHA-256 of the file that its reader agreed to.

    Raises:
        DataError: see `read`, or the file is another one by now.
        ConfigError: a package of it is installed here already.
    """
    submission, found = read(file)
    if found != digest:
        raise DataError(f"{file}: changed since it was read")
    loaded = PurePosixPath(submission.address.rpartition(":")[0]).name  # by its path, whatever else is called so
    for name in submission.files:
        top = PurePosixPath(name).parts[0].removesuffix(".py")
        if top == CORE or (name != loaded and PurePosixPath(name).suffix == ".py" and located(top)):
            raise ConfigError(
                f"{file}: {top} is installed here, and would run in its place; use another environment"
            )
    with zipfile.ZipFile(file) as archive:
        for name in (FACTS, *(f"{CODE}/{name}" for name in submission.files)):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
    return submission


def is_unpacked(name: str) -> bool:
    """Whether what names a model is the facts of an unpacked submission."""
    return Path(name).name == FACTS


def submitted(name: str) -> RegisteredComponent[ModelComponent[Any]]:
    """The model of an unpacked submission, as its facts describe it; only the model's own process can build it.

    Raises:
        ConfigError: there is no such file, or it says something else.
    """
    path = Path(name).absolute()
    try:
        facts = Submission(**json.loads(path.read_text(encoding="utf-8")))
        given = {
            **facts.traits,
            "needs": frozenset(facts.traits["needs"]),
            "wants": frozenset(facts.traits["wants"]),
        }
        traits, config = ModelTraits(**given), _config(facts.options)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{name}: no submission: {error}") from None
    item: ModelComponent[Any] = ModelComponent(
        facts.name, _elsewhere, config, facts.summary, traits, requires=tuple(facts.requires)
    )
    place = f"{path.parent / facts.address}"
    file = Path(place.rpartition(":")[0])
    return RegisteredComponent(item, Plugin(file.stem, file.name, "", lambda: None, place=place))


def _config(options: Mapping[str, Any]) -> type | None:
    """A class of options whose defaults are those of the submission."""
    if not options:
        return None
    fields = [(name, Any, _default(value)) for name, value in options.items()]
    return dataclasses.make_dataclass("Submitted", fields, frozen=True)


def _default(value: Any) -> Any:
    return field(default_factory=lambda: value) if isinstance(value, list | dict) else option(value, "")


def _elsewhere(*_: Any) -> Any:
    raise ConfigError("a submission runs in a process of its own alone: logbench judge")
