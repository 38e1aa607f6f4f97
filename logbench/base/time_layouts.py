"""Layouts of times that the compiled kernel reads (`kernel_times.c`), from strptime formats.

The kernel reads what a format means to most who write it: `%d` is one or two digits, `%b` is `Jan`, a fraction has
at most nine digits. Polars reads all else that the format lets through.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Powers of ten of the formats that count from 1970, in microseconds; parts of them are left to polars.
_EPOCHS = {"epoch": 6, "epoch_ms": 3, "epoch_us": 0}
_TOKEN = re.compile(r"(?P<optional>%\.f)|%(?P<wide>#)z|%(?P<directive>[YymdeHMSbazf])|(?P<sign>[^%])", re.S)
# What each directive tells; a format that tells one thing twice is left to polars.
_TELLS = {**{one: one for one in "YmdHMSafz"}, "y": "Y", "e": "d", "b": "m"}
_NUMBERS = "deHMSm"
_NUMBER = re.compile(r"%[YymdeHMSf]")


@lru_cache(maxsize=64)
def layout(how: str, lacks: str = "") -> bytes | None:
    """The steps of a format, a directive and a number each; None where it has none.

    Args:
        lacks: what the format does not tell of year, month and day: none of `Ymd`, `Y`, or all.

    Examples:
        >>> layout("%H:%M:%S", "Ymd")
        b'H\x01L:M\x01L:S\x01'
        >>> layout("%I:%M:%S %p", "Ymd") is None
        True
    """
    if how in _EPOCHS:
        return bytes([ord("E"), _EPOCHS[how]])
    steps, told, at = b"", [], 0
    while at < len(how):
        if (token := _TOKEN.match(how, at)) is None:
            return None
        before, at = how[:at], token.end()
        if sign := token["sign"]:
            if not sign.isascii() or sign.isdigit():
                return None
            steps += bytes([ord("L"), ord(sign)])
            continue
        name = token["directive"] or ("f" if token["optional"] else "z")
        told.append(_TELLS[name])
        if name == "f" and not token["optional"] and not _ends_fraction(before[-1:], how[at:]):
            return None
        if name in "ef" and _NUMBER.match(how, at):  # where it ends, its digits do not tell
            return None
        loose = name in _NUMBERS and how[at : at + 1] != "%"
        steps += bytes([ord("F" if token["optional"] else name), int(loose or bool(token["wide"]))])
    needed = sorted({*"YmdHMS"}.difference(lacks))
    return steps if sorted({*told}.difference("afz")) == needed and len(set(told)) == len(told) else None


def _ends_fraction(sign: str, rest: str) -> bool:
    """Whether the fraction behind this sign is the last one that a text may hold, as polars looks for it."""
    return bool(sign) and not sign.isalnum() and (not rest or (sign in ".," and sign not in rest))
