"""What a program wrote into a pseudo-terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator


def written(terminal: int) -> Iterator[bytes]:
    """Pieces as they come, until the program has closed its end; `terminal` is the descriptor of ours."""
    while True:
        try:
            found = os.read(terminal, 65536)
        except OSError:  # the other end was closed
            return
        if not found:
            return
        yield found
