"""A folder for runs whose records nobody keeps, which outlives a command that was killed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ...base.cache_folder import folder_of
from ...base.temporary_folders import temporary_folder

KIND = "unfinished"


@contextmanager
def unfinished(suite: Path) -> Iterator[Path]:
    """A folder in the cache that the next command with this suite takes runs over from, unless this one ends well.

    A temporary folder where the cache cannot be written, or another command uses that folder now.
    """
    from filelock import FileLock, Timeout

    name = hashlib.sha256(str(suite.resolve()).encode()).hexdigest()[:12]
    folder = folder_of(KIND, f"{suite.stem}-{name}")
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(folder / ".bench.lock", timeout=0))
        except (OSError, Timeout):
            yield stack.enter_context(temporary_folder())
            return
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
