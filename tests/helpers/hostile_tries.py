"""How often and how long hostile tests try, and from which seed.

`HOSTILE_ROUNDS` multiplies the tries, `HOSTILE_SECONDS` ends those of one test, `HOSTILE_SEED` varies them.
`tox -e hostile` sets all three; other runs try a few.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

ROUNDS = int(os.environ.get("HOSTILE_ROUNDS", "1"))
SECONDS = float(os.environ.get("HOSTILE_SECONDS", "20"))
SEED = int(os.environ.get("HOSTILE_SEED", "0"))


def tries(count: int) -> Iterator[random.Random]:
    """A source of random numbers for each of `count` tries, times `HOSTILE_ROUNDS`, while there is time."""
    end = time.monotonic() + SECONDS
    for number in range(count * ROUNDS):
        if number and time.monotonic() > end:
            return
        yield random.Random(f"{SEED} {number}")
