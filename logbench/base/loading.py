"""Load modules without collecting garbage meanwhile, which takes a tenth of the time and finds none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Collect no garbage inside; afterwards what is there counts as permanent, and no collection looks at it.

    For modules and classes, which live as long as the process.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
