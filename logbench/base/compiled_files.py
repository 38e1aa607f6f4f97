"""Remove outdated compiled files that Python would load because size and time of the source still match."""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterable
from contextlib import suppress
from importlib import util
from pathlib import Path

_HEAD = 16


def remove_stale(sources: Iterable[Path]) -> bool:
    """Remove compiled files that do not match their source; return whether there was any.

    They arise from an edit within a second, or one whose time stamp is set back.
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
            os.utime(compiled)  # the next check need not read it
    return stale


def _changed(source: Path) -> int:
    status = source.stat()
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _same(source: Path, compiled: bytes) -> bool:
    """Whether a compiled file matches its source, or Python would reject it anyway."""
    status = source.stat()
    header = b"".join(
        (number & 0xFFFFFFFF).to_bytes(4, "little") for number in (0, int(status.st_mtime), status.st_size)
    )
    if compiled[:_HEAD] != util.MAGIC_NUMBER + header:
        return True  # Python rejects it by its header
    try:
        code = compile(source.read_bytes(), source, "exec", dont_inherit=True)
        return bool(marshal.loads(compiled[_HEAD:]) == code)
    except (SyntaxError, ValueError, EOFError, TypeError):
        return False
