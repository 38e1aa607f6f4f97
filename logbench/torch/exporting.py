"""Whether a network runs, or is being made a graph that takes batches of any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_EXPORTING: ContextVar[bool] = ContextVar("exporting", default=False)


@contextmanager
def exporting() -> Iterator[None]:
    """Within, networks take all columns of their rows, and attention is made of operations that graphs have."""
    token, fast = _EXPORTING.set(True), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        _EXPORTING.reset(token)


def is_exporting() -> bool:
    """Whether a network is being made a graph, which has no loop over parts of a batch."""
    return _EXPORTING.get()


def longest(there: Tensor) -> int:
    """Columns that a batch needs: the events of its longest row.

    All columns while the network is exported, because a graph cannot look at one batch; so no column beyond the
    longest row may move an answer.

    Args:
        there: bool [B, L], which columns hold events; they come first.

    Examples:
        >>> longest(torch.tensor([[True, False, False], [True, True, False]]))
        2
    """
    return there.shape[1] if _EXPORTING.get() else int(there.sum(1).max())
