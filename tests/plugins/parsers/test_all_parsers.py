"""The plugin of parsers, the parser `none`, and groups against Loghub's truth."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsed_lines import PARSERS, keys_of_lines, loghub, same_groups

from logbench_parsers import logbench_parsers
from logbench_parsers.none import Verbatim


@pytest.mark.parametrize("name", ["drain", "hdfs"])
def test_groups_are_those_of_the_truth(name: str) -> None:
    """Logs that the parser can get right by its nature."""
    truth = loghub({"drain": "Apache", "hdfs": "HDFS"}[name])
    assert same_groups(keys_of_lines(PARSERS[name](), truth["Content"]), truth["EventId"])


@given(
    train=st.lists(st.text(max_size=3), max_size=10, unique=True),
    test=st.lists(st.text(max_size=3), max_size=10),
)
def test_none_numbers_distinct_messages(train: list[str], test: list[str]) -> None:
    parser = Verbatim()
    assert parser.masks == parser.shape == ()
    assert parser.fit(pl.Series(train, dtype=pl.String)).tolist() == list(range(len(train)))
    keys = parser.match(pl.Series(test, dtype=pl.String))
    assert keys.dtype == np.int32
    assert keys.tolist() == [train.index(text) if text in train else -1 for text in test]
    assert parser.templates == train


def test_the_hook_offers_three_parsers_that_build() -> None:
    offered = {component.name: component for component in logbench_parsers()}
    assert list(offered) == ["drain", "hdfs", "none"]
    for component in offered.values():
        parser = component.build(*([component.config()] if component.config else []))
        assert parser.fit(pl.Series(["a", "b b"])).tolist() == [0, 1]


def test_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, logbench_parsers; list(logbench_parsers.logbench_parsers()); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "logbench_parsers" in said
    assert not {"polars", "numpy", "torch", "sklearn", "pydantic"} & set(said)
