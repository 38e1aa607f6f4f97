"""How leaves of Drain are searched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logbench_parsers import leaf


@pytest.fixture(params=[(1, 0), (4, 0), (1, 1_000_000), (leaf.WIDE, leaf.ENTRY)])
def wide(request: pytest.FixtureRequest) -> Iterator[int]:
    """Leaves of so many templates are searched by the index (an entry costs nothing) or all at once in numpy."""
    before = leaf.WIDE, leaf.ENTRY
    leaf.WIDE, leaf.ENTRY = request.param
    yield leaf.WIDE
    leaf.WIDE, leaf.ENTRY = before
