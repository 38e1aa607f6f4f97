"""Atomic writes, whose I/O errors become one-line DataErrors; and the cache folder."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DataError

if TYPE_CHECKING:
    import polars as pl


def root() -> Path:
    """The cache folder: `LOGBENCH_CACHE`, or the platform's default."""
    import platformdirs

    given = os.environ.get("LOGBENCH_CACHE")
    folder = Path(given) if given else Path(platformdirs.user_cache_dir("logbench"))
    check_name(folder)
    return folder


def check_name(path: Path) -> None:
    """See that polars can write below a path.

    Raises:
        DataError: its name is no UTF-8, or holds a NUL.
    """
    try:
        fits = "\0" not in str(path) and bool(str(path).encode())
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise DataError(f"{path}: a name that is no UTF-8 or holds a NUL; choose another one to write to")


# One value a nested `aside`; any True disables the cache.
_ASIDE: list[bool] = []


@contextmanager
def aside(yes: bool) -> Iterator[None]:
    """If `yes`, disable the cache inside the block: remember no digest, put no temporary file there."""
    _ASIDE.append(yes)
    try:
        yield
    finally:
        _ASIDE.pop()


def digests_file() -> Path | None:
    """The file of remembered digests; None while the cache is disabled."""
    return None if any(_ASIDE) else root() / "digests.json"


def for_temporary_files() -> Path:
    """Folder for large temporary files: the cache, whose disk is large, or else the system's own."""
    if not any(_ASIDE):
        with suppress(OSError):
            root().mkdir(parents=True, exist_ok=True)
        if os.access(root(), os.W_OK):
            return root()
    return Path(tempfile.gettempdir())


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn errors while writing `path` into a DataError of one line.

    Raises:
        DataError: the disk is full, the folder is not writable …
    """
    try:
        yield
        return
    except OSError as error:
        reason = error.strerror or str(error)
    except Exception as error:
        polars = sys.modules.get("polars")  # whose errors come from nowhere else
        if polars is None or not isinstance(error, polars.exceptions.PolarsError):
            raise
        reason = str(error).splitlines()[0].rpartition("IO error: ")[2]
    raise DataError(f"{path}: cannot be written: {reason}; free some space or choose another place")


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame under a temporary name, then rename it.

    Raises:
        DataError: it cannot be written.
    """
    check_name(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            frame.write_parquet(temporary, compression="lz4")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def check_free(option: str, target: Path, overwrite: bool, mark: str | None = None) -> None:
    """See, before anything runs, that something may be written to a path.

    Args:
        option: as the user types it, such as `--save`.
        overwrite: what is there may be replaced.
        mark: a file that a folder must hold to be replaced, so that no other folder is.

    Raises:
        DataError: something else is there, or its folder takes no files.
    """
    check_name(target)
    with written(target):
        place = next(one for one in target.absolute().parents if one.exists())
        tempfile.TemporaryFile(dir=place).close()
    if not (target.exists() or target.is_symlink()):
        return
    if not overwrite:
        raise DataError(
            f"{option} {target}: already exists; nothing was overwritten, choose another name or add --overwrite"
        )
    if target.is_symlink() or not (target / mark if mark else target).is_file():
        raise DataError(
            f"{option} {target}: is not what {option} wrote; nothing was overwritten, choose another name"
        )


@contextmanager
def whole(target: Path, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `target`, and rename it to `target` at the end unless there is an error.

    If another process was faster, its folder stays and ours is deleted.

    Args:
        replace: the folder that is there goes, once the new one is written.

    Raises:
        DataError: it cannot be written.
    """
    with written(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        old = folder.with_name(f"{folder.name}.old")
        folder.chmod(target.parent.stat().st_mode & 0o777)  # mkdtemp grants access to the owner alone
        try:
            yield folder
            try:
                if replace and target.exists():
                    target.rename(old)
                folder.rename(target)
            except OSError:
                if not target.exists():
                    raise
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            shutil.rmtree(old, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
