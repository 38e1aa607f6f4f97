"""Read a log while it is written."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from queue import Empty, Queue

# Most bytes to read at once, and most blocks that are read before they are asked for.
BLOCK, AHEAD = 1 << 20, 4
# Seconds in which what is already written arrives.
WRITTEN_S = 0.2


def arriving(descriptor: int, patience: float, ended: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
    """Read a pipe or file as it is written; give `b""` after `patience` seconds of silence.

    After `ended` it reads only what is already written. A thread reads, because Windows cannot wait for a pipe.
    """
    blocks: Queue[bytes | OSError] = Queue(AHEAD)

    def read() -> None:
        block: bytes | OSError = b" "
        while block and not isinstance(block, OSError):
            try:
                block = os.read(descriptor, BLOCK)
            except OSError as error:
                block = error
            blocks.put(block)

    threading.Thread(target=read, daemon=True).start()
    while True:
        over = ended()
        try:
            block = blocks.get(timeout=min(patience, WRITTEN_S) if over else patience)
        except Empty:
            if over:
                return
            yield b""
            continue
        if isinstance(block, OSError):
            raise block
        if not block:
            return
        yield block
