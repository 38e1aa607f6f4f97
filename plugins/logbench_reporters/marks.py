"""What a reader must know of a row: it was signed on sealed units, or weights of it saw public text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
SEEN = "may have seen these data (weights trained on public text)"


def _named(record: Record) -> str:
    """The fingerprint that a record names, unchecked."""
    return str(record["sealed"].get("fingerprint", ""))


def marks_of(records: Sequence[Record], signed_by: Callable[[Record], str] = _named) -> tuple[str, ...]:
    """Marks of a row.

    Args:
        records: those that it sums up; older ones lack the keys.
        signed_by: gives the fingerprint of the key that signed a record, empty where that is not known.
    """
    signers = {signed_by(record) if record.get("sealed") else None for record in records}
    signer = next(iter(signers)) if len(signers) == 1 else None
    sealed = (
        []
        if signer is None
        else [f"sealed, signed by {signer}" if signer else "sealed, signature wrong or not checked"]
    )
    return (*sealed, *([SEEN] if any(record.get("public_text") for record in records) else []))


def marks_said(rows: Sequence[Any]) -> list[str]:
    """A line a mark, with the rows that have it."""
    every = dict.fromkeys(mark for row in rows for mark in row.marks)
    return [f"{mark}: {', '.join(row.name for row in rows if mark in row.marks)}" for mark in every]
