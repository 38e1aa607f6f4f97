"""The size of blocks in which simple models score."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logbench_baselines import common


@pytest.fixture(params=[common.BLOCK, 2])
def block(request: pytest.FixtureRequest) -> Iterator[int]:
    """Units are scored about so many events at a time."""
    before, common.BLOCK = common.BLOCK, request.param
    yield request.param
    common.BLOCK = before
