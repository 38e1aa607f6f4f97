"""Sets of the bytes that signs begin with, as programs of line formats have them.

A set is 257 bytes: what it says of each byte, `NO`, `YES` or `PERHAPS`, and of the end of the text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from .kernel import NO, PERHAPS, YES

# The place of a set that stands for the end of the text.
END = 256
# What sets say together: of a byte that one is sure of, that it is in; and whether it may be at all.
_SURE = bytes.maketrans(bytes([YES | PERHAPS]), bytes([YES]))
_MAY = bytes.maketrans(bytes([PERHAPS]), bytes([YES]))
# Bytes that signs begin with, and the end.
_BEGINNINGS = bytes(not 0x80 <= byte < 0xC0 for byte in range(END + 1))


def byte_set(members: Collection[int]) -> bytes:
    """The set of some bytes, `END` among them or not."""
    table = bytearray(END + 1)
    for byte in members:
        table[byte] = YES
    return bytes(table)


def either(tables: Iterator[bytes] | Sequence[bytes]) -> bytes:
    """In one of them; perhaps, where no one is sure."""
    whole = 0
    for table in tables:
        whole |= int.from_bytes(table, "little")
    return whole.to_bytes(END + 1, "little").translate(_SURE)


def meet(one: bytes, other: bytes) -> bool:
    """Whether a sign may begin both; bytes within a sign begin none."""
    first, second, beginnings = (
        int.from_bytes(table.translate(_MAY), "little") for table in (one, other, _BEGINNINGS)
    )
    return first & second & beginnings != 0


def sure(signs: bytes) -> bytes:
    """What is sure to be in a set: no run takes another sign, it says that it does not know."""
    return signs.translate(bytes([NO, YES, NO]).ljust(256, b"\0"))
