"""Our Drain against drain3 (installed by its own tox environment): the same groups on the same messages."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from parsed_lines import SYSTEMS, hdfs_lines, loghub, reduced

from logbench_parsers import DrainConfig
from logbench_parsers.drain import VARIABLE, DrainParser

drain = pytest.importorskip("drain3.drain", reason="needs drain3-improved, see tox -e drain3")

# What no message holds: with `<*>` drain3 could not tell a masked variable from its own wildcard.
WILDCARD = "<:any:>"
SETTINGS = [(4, 0.5, 100), (3, 0.4, 100), (5, 0.6, 100), (6, 0.3, 4)]


class Routing(drain.Drain):  # type: ignore[misc, name-defined]
    """drain3 that routes a masked token as it routes a number: our one deliberate difference in the tree."""

    @staticmethod
    def has_numbers(s: str) -> bool:
        return VARIABLE in s or any(character.isdigit() for character in s)


def peer(depth: int, similarity: float, children: int, kind: type = Routing) -> Routing:
    return kind(depth=depth, sim_th=similarity, max_children=children, param_str=WILDCARD)


def compare(messages: Sequence[str], theirs: Routing, ours: DrainParser) -> None:
    keys = ours.fit(pl.Series(messages))
    assert [theirs.add_log_message(message)[0].cluster_id - 1 for message in messages] == keys.tolist()
    templates = [cluster.get_template().replace(WILDCARD, VARIABLE) for cluster in theirs.clusters]
    assert templates == ours.templates


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_raw_lines_group_as_in_drain3_itself(system: str, setting: tuple[int, float, int]) -> None:
    lines = loghub(system)["Content"].to_list()
    assert not any(VARIABLE in line for line in lines)
    compare(lines, peer(*setting, kind=drain.Drain), DrainParser(DrainConfig(*setting)))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_masked_lines_group_alike(system: str, setting: tuple[int, float, int]) -> None:
    ours = DrainParser(DrainConfig(*setting))
    masked = reduced(loghub(system)["Content"], ours.masks)
    compare(masked.to_list(), peer(*setting), ours)
    compare(masked.unique(maintain_order=True).to_list(), peer(*setting), ours)


def test_the_hdfs_sample_groups_alike() -> None:
    ours = DrainParser(DrainConfig())
    masked = reduced(hdfs_lines(), ours.masks)
    compare(masked.unique(maintain_order=True).to_list(), peer(4, 0.5, 100), ours)
    compare(masked.to_list(), peer(4, 0.5, 100), ours)


@pytest.mark.parametrize("system", SYSTEMS)
def test_frozen_templates_fit_the_same_lines(system: str) -> None:
    """Which template drain3 takes when several fit is not compared: it prefers more wildcards, we fewer."""
    ours = DrainParser(DrainConfig(match="exact"))
    lines = reduced(loghub(system)["Content"], ours.masks).to_list()
    theirs = peer(4, 0.5, 100)
    compare(lines[:500], theirs, ours)
    found = [theirs.match(line) is not None for line in lines[500:]]
    assert (ours.match(pl.Series(lines[500:])) >= 0).tolist() == found
