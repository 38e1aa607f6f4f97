"""How many cores a small step deserves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Up to so many rows a second core hardly helps a step on a CPU (measured: 10–15% in scoring).
SMALL = 1024


@contextmanager
def threads_for(rows: int, device: str) -> Iterator[None]:
    """One thread for steps of few rows on a CPU; the setting is put back afterwards.

    Threads that wait for each other spin: where other programs use the cores too, two took 7 to 15 times as
    long as one. And with one, the answer's last bits do not depend on the number of cores.
    """
    before = torch.get_num_threads()
    if rows > SMALL or device != "cpu":
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
