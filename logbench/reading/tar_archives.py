"""Read tar archives member by member, in place; refuse those that are cut or damaged."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from ..base.errors import DataError
from .archives import OPENERS, inside, packing

TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# Bytes of a header with a long name, beyond which it only fills the memory.
LARGEST_HEADER = 1 << 20
_BLOCK = 1 << 20
_OF_HEADERS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE,
               tarfile.SOLARIS_XHDTYPE)  # fmt: skip


def is_tar(path: Path) -> bool:
    """Whether a file is a tar archive that is read in place, by its name."""
    return path.name.lower().endswith(TAR)


class _Header(tarfile.TarInfo):
    """A header that is whole, because `tarfile` takes a damaged one in the middle for the end."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> Any:
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except (tarfile.HeaderError, ValueError) as error:
            raise tarfile.ReadError(f"cut or damaged, {error}") from None
        if found.type in _OF_HEADERS and found.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"damaged, a name of {found.size:,} bytes")
        return found


def members(path: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Each member with the archive, which reads it until the next one is asked for.

    Raises:
        TarError, EOFError, OSError: the archive is cut or damaged, or holds more behind its end.
    """
    if (opener := OPENERS.get(packing(path))) is None:
        raise tarfile.ReadError(f"no tar archive, but packed as {packing(path)}")
    with opener(path) as file:
        with _damage():
            archive = tarfile.open(fileobj=file, mode="r|", bufsize=_BLOCK, tarinfo=_Header)  # noqa: SIM115
        with archive:
            while (member := _next(archive)) is not None:
                yield archive, member
                archive.members = []  # type: ignore[attr-defined]
            stream = cast("IO[bytes]", archive.fileobj)
            while rest := stream.read(_BLOCK):
                if rest.strip(b"\0"):
                    raise tarfile.ReadError("damaged, or two archives in one: there is more behind its end")
        while file.read(_BLOCK):  # the end of a packed file holds its checksum
            pass


def _next(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    """The next member; `tarfile` would read for ever behind the end of a file that is shorter than it says."""
    stream = cast("IO[bytes]", archive.fileobj)
    while archive.firstmember is None and (left := archive.offset - stream.tell()) > 0:  # type: ignore[attr-defined]
        if not stream.read(min(left, _BLOCK)):
            raise tarfile.ReadError("unexpected end of data")
    with _damage():
        return archive.next()


@contextmanager
def _damage() -> Iterator[None]:
    """Turn what made-up headers raise into a TarError."""
    try:
        yield
    except (ValueError, IndexError, RecursionError) as error:
        reason = "headers within headers" if isinstance(error, RecursionError) else str(error)
        raise tarfile.ReadError(f"damaged, {reason}") from None


def readable_member(member: tarfile.TarInfo) -> bool:
    """Whether a member is a file within the archive's folder: no link, device or name that leads out."""
    return member.isreg() and inside(member.name)


def open_in_tar(path: Path, name: str) -> IO[bytes]:
    """The bytes of a member, found by reading the archive from its start.

    Raises:
        DataError: it is gone.
    """
    for archive, member in (walk := members(path)):
        if member.name == name and readable_member(member):
            return _Held(cast("IO[bytes]", archive.extractfile(member)), walk)  # type: ignore[return-value]
    raise DataError(f"{path}: has no file {name} any more")


class _Held:
    """A member's bytes; closes the archive with them."""

    def __init__(self, file: IO[bytes], walk: Any) -> None:
        self._file, self._walk, self.read = file, walk, file.read

    def close(self) -> None:
        self._file.close()
        self._walk.close()

    def __enter__(self) -> _Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
