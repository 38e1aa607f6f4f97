"""Rows say what a reader must know: signed on sealed units, or weights that saw public text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import logbench
from logbench.base.maintainer_key import MaintainerKey
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.running.signed_records import signed
from logbench.running.stored import record_sum
from logbench.testing import tiny
from logbench_reporters.marks import SEEN, marks_of
from logbench_reporters.site.command import command as site

KEY = MaintainerKey(bytes(range(32)))


@pytest.fixture
def record() -> dict[str, Any]:
    return next(one for one in tiny().records if one["status"] == "ok" and one["metrics"])


def sealed(record: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(record))
    return signed({**made, "sealed": {"share": 0.2}}, KEY)


def test_a_sealed_row_names_who_signed_and_a_forged_one_does_not(record: dict[str, Any]) -> None:
    true = sealed(record)
    forged = {**true, "seed": 77}
    name = true["sealed"]["fingerprint"]
    assert marks_of([true, true], logbench.signed_by) == (f"sealed, signed by {name}",)
    assert marks_of([forged], logbench.signed_by) == ("sealed, signature wrong or not checked",)
    assert marks_of([true, record], logbench.signed_by) == (), "a mean with a run on open units is not sealed"
    assert logbench.signed_by(record) == "" and marks_of([]) == ()


@pytest.mark.parametrize("reporter", ["table", "markdown", "csv", "json"])
def test_tables_say_that_weights_saw_public_text(reporter: str, record: dict[str, Any]) -> None:
    shown = configured(Registry().get("reporter", reporter)).build()
    assert "seen these data" not in shown.report([record])
    assert "seen these data" in " ".join(shown.report([{**record, "public_text": ["minilm"]}]).split())


def test_the_site_marks_rows(record: dict[str, Any], tmp_path: Path) -> None:
    from click.testing import CliRunner

    from logbench.cli import State

    (tmp_path / "runs").mkdir()
    made = sealed({**record, "public_text": ["minilm"], "artifacts": {}, "checksums": {}})
    forged = {**made, "run_id": "other", "model": "forged"}
    for one in (made, forged):
        one["checksums"] = {"record": record_sum({**one, "checksums": {}})}
    (tmp_path / "runs" / "records.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in (made, forged)))
    done = CliRunner().invoke(
        site, [str(tmp_path / "runs"), "--out", str(tmp_path / "site")], obj=State(()), standalone_mode=False
    )
    assert done.exception is None, done.output
    pages = "".join(path.read_text() for path in (tmp_path / "site").rglob("*.html"))
    name = made["sealed"]["fingerprint"]
    assert SEEN in pages and pages.count(f"sealed, signed by {name}") == 1
    assert pages.count("signature wrong or not checked") == 1


def test_embeddings_of_public_text_say_so() -> None:
    offered = Registry().components["embedding"]
    assert {name for name, one in offered.items() if one.item.traits.public_text} == {"glove", "minilm"}
