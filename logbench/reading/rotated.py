"""Put rotated files in the order in which they were written: `app.log.10` before `app.log.2` before `app.log`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# What packing and rotation put behind a name.
PACKED = r"(?:\.(?:gz|zst|bz2|xz|zip))?$"
NUMBER = re.compile(r"^(?P<stem>.+?)(?:[._-](?P<number>\d+))?" + PACKED)


def in_turn(files: Sequence[Path], begins: Callable[[Path], Any]) -> list[Path]:
    """The files, those of one rotated log by the time in which they begin, else by the numbers of their names.

    Numbers of up to three digits count backwards, as `logrotate` and Python's handlers give them; longer ones are
    dates. The file without a number is the newest. All other files stay where they are.

    Args:
        begins: the first time in a file, or None.
    """
    families: dict[Path, list[int]] = {}
    for place, file in enumerate(files):
        families.setdefault(file.with_name(_stem(file)), []).append(place)
    result = list(files)
    for stem, places in families.items():
        some = [files[place] for place in places]
        if len(some) < 2 or not (any(_number(one) is None for one in some) or stem.name.endswith(".log")):
            continue
        times = [begins(one) for one in some]
        known = None not in times and len(set(times)) == len(times)
        order = sorted(range(len(some)), key=lambda at: times[at] if known else _turn(some[at]))
        for place, at in zip(sorted(places), order, strict=True):
            result[place] = some[at]
    return result


def _stem(file: Path) -> str:
    found = NUMBER.match(file.name)
    return found["stem"] if found else file.name


def _number(file: Path) -> str | None:
    found = NUMBER.match(file.name)
    return found["number"] if found else None


def _turn(file: Path) -> tuple[int, int]:
    """Dates, rising, then numbers, falling, then the file without one."""
    number = _number(file)
    if number is None:
        return 2, 0
    return (0, int(number)) if len(number) > 3 else (1, -int(number))
