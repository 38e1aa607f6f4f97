"""Codes of events, and how events are hidden: in training by chance, in scoring by the same draws for all units.

Shapes in comments: B rows, L events, L + 1 places, the first of them before all events.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from logbench.torch import longest

# Codes of the published vocabulary; known keys follow.
FILL, UNKNOWN, FIRST, MASK, SPECIALS = 0, 1, 3, 4, 5


def coded(rows: Tensor, keys: int) -> tuple[Tensor, Tensor]:
    """Codes int64 [B, L + 1] of padded rows int64 [B, ..], with the first; which events are there, bool [B, L]."""
    there = rows <= keys
    length = longest(there)
    rows, there = rows[:, :length], there[:, :length]
    codes = torch.where(rows < keys, rows + SPECIALS, torch.where(there, UNKNOWN, FILL))
    return F.pad(codes, (1, 0), value=FIRST), there


def masked(codes: Tensor, hidden: Tensor) -> Tensor:
    """Codes int64 [B, L + 1], those of hidden events bool [B, L] masked."""
    return codes.masked_fill(F.pad(hidden, (1, 0)), MASK)


def disguised(codes: Tensor, hidden: Tensor, lowest: int, keys: int) -> Tensor:
    """Codes int64 [B, L + 1]; of 10 hidden events, 8 are masked, 1 is another code, 1 is left, all by chance.

    Args:
        hidden: bool [B, L]. lowest: of the other codes.
    """
    others = torch.randint(lowest, keys + SPECIALS, hidden.shape, device=codes.device)
    turn = torch.rand(hidden.shape, device=codes.device)
    events = torch.where(turn < 0.8, MASK, torch.where(turn < 0.9, others, codes[:, 1:]))
    return torch.cat([codes[:, :1], torch.where(hidden, events, codes[:, 1:])], 1)


def drawn(draws: int, length: int, share: float) -> Tensor:
    """Which places are hidden in each draw, bool [draws, length]: each place in about `share` of the draws.

    Numbers of draws for a place differ by one at most, so that all places count alike.
    """
    turn = torch.rand(draws, length).argsort(0)
    return (turn + torch.rand(length)) / draws < share
