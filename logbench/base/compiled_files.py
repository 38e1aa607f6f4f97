"""Compiled files that Python takes for those of a source, by its size and time, which is other text by now."""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterable
from contextlib import suppress
from importlib import util
from pathlib import Path

_HEAD = 16


def remove_stale(sources: Iterable[Path]) -> bool:
    """Remove compiled files of other text than their source now has, so that Python compiles it; whether any was.

    An edit within a second, or one whose time is put back, leaves them as Python would take them.
    """
    return sum(_remove_stale(source) for source in sources if source.suffix == ".py") > 0


def _remove_stale(source: Path) -> bool:
    try:
        compiled = Path(util.cache_from_source(str(source)))
        if _changed(source) < compiled.stat().st_mtime_ns:
            return False
        stale = not _same(source, compiled.read_bytes())
    except (OSError, NotImplementedError):  # there is none
        return False
    with suppress(OSError):  # another user's
        if stale:
            compiled.unlink()
        else:
            os.utime(compiled)  # so that it need not be read the next time
    return stale


def _changed(source: Path) -> int:
    found = source.stat()
    return max(found.st_mtime_ns, found.st_ctime_ns)


def _same(source: Path, compiled: bytes) -> bool:
    """Whether it is of this source, or Python would not take it anyway."""
    found = source.stat()
    told = b"".join(
        (number & 0xFFFFFFFF).to_bytes(4, "little") for number in (0, int(found.st_mtime), found.st_size)
    )
    if compiled[:_HEAD] != util.MAGIC_NUMBER + told:
        return True  # Python sees by itself that it is of another source
    try:
        code = compile(source.read_bytes(), source, "exec", dont_inherit=True)
        return bool(marshal.loads(compiled[_HEAD:]) == code)
    except (SyntaxError, ValueError, EOFError, TypeError):
        return False
