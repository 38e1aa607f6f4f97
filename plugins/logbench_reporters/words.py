"""Format counts in words."""

from __future__ import annotations


def several(number: int, one: str, more: str = "") -> str:
    """`1 seed`, `2,000 seeds`; `more` is the plural where it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"
