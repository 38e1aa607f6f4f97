"""Each row falls in one bucket, and equal names in the same one."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from logbench.data import name_buckets
from logbench.data.name_buckets import bucketed

NAMES = st.lists(st.sampled_from([*"abcdefgh", "", None]), min_size=1, max_size=20)


@given(NAMES, NAMES, st.integers(1, 9))
def test_equal_names_meet_in_one_bucket(ours: list[str | None], theirs: list[str | None], size: int) -> None:
    kept, name_buckets.NAMES = name_buckets.NAMES, size
    try:
        columns = [pl.Series("name", names, dtype=pl.String) for names in (ours, theirs)]
        buckets = [[rows.tolist() for rows in bucket] for bucket in bucketed(*columns)]
    finally:
        name_buckets.NAMES = kept
    for place, names in enumerate((ours, theirs)):
        assert sorted(row for bucket in buckets for row in bucket[place]) == list(range(len(names)))
        assert all(bucket[place] == sorted(bucket[place]) for bucket in buckets)
    for name in {*ours, *theirs}:
        met = [
            number
            for number, (here, there) in enumerate(buckets)
            if any(ours[row] == name for row in here) or any(theirs[row] == name for row in there)
        ]
        assert len(met) == 1
