"""How much a packed file may unpack to, so that a small one fills neither memory nor days."""

from __future__ import annotations

import os

from .errors import DataError

# Times its packed size that a file may unpack to. Logs of equal lines reach 500; beyond 1,000 are made ones.
RATIO = 1000.0
# Bytes up to which any ratio is right, and beyond which none is.
SMALL = 256 << 20
MOST = 4 << 40
# Environment variable that sets another ratio; `logbench --unpack-ratio` does.
VARIABLE = "LOGBENCH_UNPACK_RATIO"


def ratio(usual: float = RATIO) -> float:
    """The ratio allowed: that of the environment, or the usual one.

    Raises:
        DataError: the environment holds no number.
    """
    given = os.environ.get(VARIABLE)
    try:
        return usual if given is None else float(given)
    except ValueError:
        raise DataError(f"{VARIABLE}={given[:40] if given else ''}: no number, such as 5000") from None


def ceiling(packed: int, usual: float = RATIO, small: int | None = None) -> int:
    """Bytes that a file of `packed` bytes may unpack to, `small` ones in any case."""
    least = SMALL if small is None else small
    return int(min(max(least, packed * ratio(usual)), MOST * max(ratio(usual) / usual, 1.0)))


def refusal(name: str, packed: int, most: int) -> DataError:
    """The error where a file unpacks to more."""
    raised = f"logbench --unpack-ratio {10 * ratio():.0f} …"
    return DataError(f"{name}: unpacks to more than {most:,} bytes from {packed:,}; if that is right: {raised}")
