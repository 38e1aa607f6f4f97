"""Which installed distribution a package belongs to, in which release, and whether its files were edited since."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

_INSTALLERS = {"site-packages", "dist-packages"}


def installed(module: str, path: Path, distribution: str) -> str:
    """Identity of a package or module that another distribution installed; empty if none did.

    Args:
        module: full name.
        path: the package's folder or the module's file.
        distribution: whose files count as not installed.
    """
    place = module.replace(".", "/")
    for owner, version, line in _listed(place.partition("/")[0]):
        if line.startswith((f"{place}/", f"{place}.")):
            base = path.parents[module.count(".")]
            identity = f"{owner} {version} {_recorded(owner, place)} {_edited_in_place(owner, place, base)}"
            return "" if _same(owner, distribution) else identity
    if _INSTALLERS.intersection(path.parts):
        return f"of unknown version {path.stat().st_mtime_ns}"
    return ""


def short(lines: Iterable[str]) -> str:
    """12 hex digits over lines of text."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def forget() -> None:
    """Look at what is installed anew, which is otherwise done once in a process."""
    for one in (_records, _listed, _recorded, _edited_in_place):
        one.cache_clear()


@cache
def _recorded(owner: str, place: str) -> str:
    lines = _listed(place.partition("/")[0])
    return short(sorted(line for name, _, line in lines if name == owner and line.startswith(place)))


@cache
def _edited_in_place(owner: str, place: str, base: Path) -> str:
    """Digest over sources that differ from their distribution's list; empty if none does.

    Reads only files that changed after the list was written.
    """
    below = str(base)  # joined as texts: a library has thousands of files, and paths take longer than to look
    written = _changed(f"{below}/{next((line.partition(',')[0] for line in _lists(owner)), 'RECORD')}")
    edited = []
    for name, _, line in _listed(place.partition("/")[0]):
        file, _, listed = line.partition(",sha256=")
        if (
            name == owner
            and line.startswith(place)
            and file.endswith(".py")
            and _changed(f"{below}/{file}") > written
        ):
            found = _sha256(base / file)
            if found != listed.partition(",")[0]:
                edited.append(f"{file} {found}")
    return short(sorted(edited)) if edited else ""


def _lists(owner: str) -> list[str]:
    """Lines of a distribution's RECORD that name the RECORD itself."""
    lines = (metadata.distribution(owner).read_text("RECORD") or "").splitlines()
    return [line for line in lines if line.partition(",")[0].endswith(".dist-info/RECORD")]


def _changed(path: str) -> int:
    try:
        status = os.stat(path)  # noqa: PTH116  see above
    except OSError:
        return 0
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _sha256(path: Path) -> str:
    """SHA-256 as RECORD files write it."""
    try:
        found = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return "unreadable"
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def _same(first: str, second: str) -> bool:
    return re.sub(r"[-_.]+", "-", first).lower() == re.sub(r"[-_.]+", "-", second).lower()


@cache
def _listed(top: str) -> list[tuple[str, str, str]]:
    """Distribution, version, and a line of its RECORD with a checksum, of files in or of the name `top`."""
    found = []
    for dist, record in _records():
        if f"\n{top}/" in record or f"\n{top}." in record:  # most have none, so their lines are not looked at
            about = dist.metadata  # each look parses it, with all that it describes
            name, version = about["Name"] or "", about["Version"]
            lines = (line for line in record.splitlines() if line.startswith((f"{top}/", f"{top}.")))
            found += [(name, version, line) for line in lines if ",sha256=" in line]
    return found


@cache
def _records() -> list[tuple[metadata.Distribution, str]]:
    """The installed distributions, and their RECORD behind a line break."""
    return [(dist, "\n" + (dist.read_text("RECORD") or "")) for dist in metadata.distributions()]
