"""A fixture for test files of tiny networks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from with_torch import TORCH


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from more, and waiting threads disturb whatever else runs."""
    if not TORCH:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
