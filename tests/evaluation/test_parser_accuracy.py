"""Parsing accuracy against loops over groups, and the systems of Loghub as they lie there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench import DataError
from logbench.components.registry import Registry
from logbench.evaluation.parser_accuracy import accuracy, labelled, parsed

LINES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=15)
WORDS = {"a": "open <*>", "b": "close", "c": "stop <*> now"}
SAID = ["open <NUM>", "close", "open  <*>.<*>", "else"]


@settings(deadline=None)
@given(LINES)
def test_figures_are_those_of_a_loop_over_groups(lines: list[tuple[str, int]]) -> None:
    truth = pl.DataFrame({"event": [e for e, _ in lines], "template": [WORDS[e] for e, _ in lines]})
    said = pl.DataFrame({"key": [k for _, k in lines], "template": [SAID[k] for _, k in lines]})
    found = accuracy(truth, said)
    true_groups = {e: {i for i, line in enumerate(lines) if line[0] == e} for e, _ in lines}
    our_groups = {k: {i for i, line in enumerate(lines) if line[1] == k} for _, k in lines}
    exact = {k: next((e for e, t in true_groups.items() if t == g), None) for k, g in our_groups.items()}
    same = {("a", 0), ("a", 2), ("b", 1)}
    hits = [k for k, e in exact.items() if e]
    assert found.grouping == pytest.approx(sum(len(our_groups[k]) for k in hits) / len(lines))
    precision, recall = len(hits) / len(our_groups), len(hits) / len(true_groups)
    assert found.grouping_f1 == pytest.approx(2 * precision * recall / (precision + recall) if hits else 0)
    texts = {"open": {0, 2}, "close": {1}, "else": {3}}  # what is said but for names, wildcards and white space
    said_by = {t: [(e, k) for e, k in lines if k in keys] for t, keys in texts.items()}
    said_by = {t: group for t, group in said_by.items() if group}
    right = [t for t, group in said_by.items() if set(group) <= same]
    precision, recall = len(right) / len(said_by), len(right) / len(true_groups)
    assert found.template_f1 == pytest.approx(2 * precision * recall / (precision + recall) if right else 0)
    assert found.parsing == pytest.approx(sum(line in same for line in lines) / len(lines))
    assert (found.found, found.true) == (len(our_groups), len(true_groups))


def test_a_template_is_right_though_some_of_its_messages_got_another() -> None:
    truth = pl.DataFrame({"event": ["a", "a", "b"], "template": ["open <*>", "open <*>", "close"]})
    said = pl.DataFrame({"key": [0, 1, 2], "template": ["open <*>", "open it", "close"]})
    found = accuracy(truth, said)
    assert found.template_f1 == pytest.approx(2 * 2 / (3 + 2)) and found.grouping_f1 == pytest.approx(2 / 5)


def test_a_parser_is_fitted_on_masked_messages_in_order() -> None:
    class Words:
        masks = (("[0-9]+", "#"),)
        shape = ()
        templates: Any = ()

        def fit(self, messages: pl.Series) -> Any:
            assert messages.to_list() == ["a #", "b"]
            self.templates = ("second", "first")
            return pl.Series([1, 0], dtype=pl.Int32).to_numpy()

    parser: Any = Words()
    found = parsed(parser, pl.Series(["a 1", "b", "a 22"]))
    assert found.rows() == [(1, "first"), (0, "second"), (1, "first")]


def test_what_is_no_labelled_log_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file \*_structured.csv below it"):
        labelled(tmp_path)
    (tmp_path / "X_2k.log_structured.csv").write_text("LineId,Content\n1,a\n")
    with pytest.raises(DataError, match="has no column EventId"):
        labelled(tmp_path)
    (tmp_path / "X_2k.log_structured.csv").write_text('Content,EventId,EventTemplate\n"a, b\r",E1,\n,E2,x\n')
    (found,) = labelled(tmp_path)
    assert found.name == "X" and found.frame["message"].to_list()[1] == ""


def test_drain_on_loghub(shared_data: Path, run_logbench: Any) -> None:
    systems = labelled(shared_data / "loghub_2k")
    assert len(systems) == 16 and {len(system.frame) for system in systems} == {2000}
    drain = Registry().get("parser", "drain").item
    apache = next(system for system in systems if system.name == "Apache")
    found = accuracy(apache.frame, parsed(drain.build(drain.config()), apache.frame["message"]))
    assert found.grouping == 1.0, "Apache's six templates are no problem for any Drain (Zhu et al.)"
    told = run_logbench(
        "parsers", "evaluate", "drain", "--data", str(shared_data / "loghub_2k" / "Apache"), "--json"
    )
    (row,) = map(json.loads, told.out.splitlines())
    assert row["grouping"] == 1.0 and (row["parser"], row["system"], row["true"]) == ("drain", "Apache", 6)
