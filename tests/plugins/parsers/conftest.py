"""How leaves of Drain are searched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logbench_parsers import leaf


@pytest.fixture(
    params=[(1, 0, 1e-9), (4, 8, 1e-9), (1, 9_999, 50), (1, 0, 1_000_000), (leaf.WIDE, leaf.SCANNED, leaf.ENTRY)]
)
def wide(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leaves of so many templates are searched by a table, or by the index, an entry of which costs so much."""
    before = leaf.WIDE, leaf.SCANNED, leaf.ENTRY
    leaf.WIDE, leaf.SCANNED, leaf.ENTRY = request.param
    yield
    leaf.WIDE, leaf.SCANNED, leaf.ENTRY = before
