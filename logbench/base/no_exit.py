"""Keep plugin code from ending this process: `os._exit` raises an exception while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def no_exit() -> Iterator[None]:
    """Make `os._exit(code)` raise `SystemExit`, as `sys.exit(code)` does, so that the caller can continue."""

    def refuse(status: int) -> NoReturn:
        raise SystemExit(status)

    before = os._exit
    os._exit = refuse
    try:
        yield
    finally:
        os._exit = before
