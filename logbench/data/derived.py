"""What sessions compute once of their keys: handed on where the same units get other columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Cached properties of `Sessions` that depend on keys, offsets and vocabulary alone.
DERIVED = ("lengths", "clipped_keys", "units", "unseen", "distinct")


def derived(sessions: Any) -> dict[str, Any]:
    """What was computed so far, by name."""
    return {name: sessions.__dict__[name] for name in DERIVED if name in sessions.__dict__}


def hand_on(values: Mapping[str, Any], sessions: Any) -> None:
    """Let sessions take these values instead of computing them; they must be what would be computed."""
    sessions.__dict__.update(values)  # where a cached property looks first, in frozen dataclasses too
