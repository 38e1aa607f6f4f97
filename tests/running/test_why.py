"""Why a unit is unusual: in a run, in `show`, and where a bundle scores new logs; combinations ask the loudest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import logbench
from logbench import Context, ModelComponent, Sessions
from logbench.components.ensemble import Combination
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running import records, run_names
from logbench.running.bundle import Bundle
from logbench.running.resolve import resolve
from logbench.studies.ranked_units import described
from logbench.studies.rescore import rescore

USUAL = ("start", "read block", "send block", "done")
TOML = """
files = "a.log"
pattern = "<Date> <Level> <Session> <Content>"
id = "Session"
level = "Level"
parser = "none"
"""


def log_of(sessions: dict[str, list[str]]) -> str:
    return "".join(f"2026-03-01 INFO {name} {event}\n" for name, events in sessions.items() for event in events)


def usual(number: int) -> list[str]:
    return ["start", *["read block"] * (1 + number % 2), "send block", "done"]


ODD = {"flood": ["start", *["read block"] * 9, "send block", "done"], "gone": ["start", "read block", "disk full"]}


@pytest.fixture(scope="module", params=["pca", "isolation-forest"])
def ran(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Any, Registry]]:
    folder, registry = tmp_path_factory.mktemp("why"), Registry()
    (folder / "a.log").write_text(log_of({f"s{i}": usual(i) for i in range(60)} | ODD))
    (folder / "my.toml").write_text(TOML)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        (record,) = logbench.run(
            request.param, dataset=str(folder / "my.toml"), out=folder / "runs", save=folder / "saved",
            settings={"protocol": {"train_ratio": 0.6}, "isolation-forest": {"weighting": "counts"}}
            if request.param == "isolation-forest"
            else {"protocol": {"train_ratio": 0.6}},
        )  # fmt: skip
        assert record.error is None, record.error
        yield folder, record, registry


def test_a_run_says_which_counts_are_unusual_and_shows_their_lines(ran: tuple[Path, Any, Registry]) -> None:
    folder, record, registry = ran
    found = run_names.find(record.run_id, folder / "runs")
    rows = {row["unit"]: row for row in described(found, folder / "runs", "top", 50, registry)}
    flood, gone = rows["flood"], rows["gone"]
    assert "9 against usually 1–2: read block" in flood["why"].splitlines()
    assert flood["text"] in {"INFO read block", "INFO send block"}  # PCA decides by its own largest term
    assert "1, never in training: disk full" in gone["why"].splitlines()
    assert {"none against usually 1: send block", "none against usually 1: done"} <= set(gone["why"].splitlines())
    assert [line["text"] for line in gone["telling"]] == ["INFO disk full"]
    assert gone["text"] == "INFO disk full" and gone["raw"] == "2026-03-01 INFO gone disk full"


def test_a_run_that_is_decided_anew_says_what_it_said(ran: tuple[Path, Any, Registry]) -> None:
    folder, record, registry = ran
    old = run_names.find(record.run_id, folder / "runs")
    again = rescore(old, folder / "runs", {"alpha": 0.2}, (), registry, "rescore")
    before, after = (records.scores(one, folder / "runs") for one in (old, again.as_dict()))
    assert before["why"].is_not_null().any()
    for name in ("why", "telling", "line"):
        assert after[name].to_list() == before[name].to_list()


def test_a_bundle_says_the_same_of_files_and_of_pipes(ran: tuple[Path, Any, Registry], tmp_path: Path) -> None:
    folder, _, registry = ran
    bundle, new = Bundle(folder / "saved", registry), tmp_path / "a.log"
    new.write_text(log_of({"n1": usual(0), "n2": ["start", *["read block"] * 5, "send block", "done"]}))
    whole = {row["unit"]: row for row in score_bundle(bundle, new, "cpu", lambda *_: None).iter_rows(named=True)}
    assert "5 against usually 1–2: read block" in whole["n2"]["why"].splitlines()
    assert whole["n2"]["text"].startswith("INFO ")
    streamed = pl.concat(score_stream(bundle, iter([new.read_bytes()]), 1e9, "cpu", lambda: 0.0))
    for row in streamed.iter_rows(named=True):
        other = whole[row["unit"]]
        assert (row["why"], row["telling"], row["text"]) == (other["why"], other["telling"], other["text"])


class Loud:
    """Scores units by how many events of one key they have, and says so."""

    key = 0

    def fit(self, train: Sessions, context: Context) -> None: ...

    def score(self, sessions: Sessions, context: Context) -> Any:
        events = np.arange(len(sessions.keys)) - sessions.offsets[:-1][sessions.units]
        own = [events[(sessions.units == unit) & (sessions.keys == self.key)] for unit in range(len(sessions))]
        first = np.array([one[0] if len(one) else -1 for one in own])
        return logbench.Scores(np.array([float(len(one)) for one in own]), event=first)


class Speaking(Loud):
    key = 1

    def explain(self, sessions: Sessions, events: Any, context: Context) -> pl.Series:
        return pl.Series([f"{length} events" for length in sessions.lengths.tolist()])

    def expected(self, sessions: Sessions, events: Any, context: Context) -> pl.Series:
        return pl.Series([[int(event)] for event in events])


def test_of_a_combination_the_member_that_decided_speaks() -> None:
    registry = Registry()
    names = []
    for kind in (Loud, Speaking):
        entry = registry.get("model", "ecvc")
        item = ModelComponent(kind.__name__.lower(), kind, traits=logbench.ModelTraits(stochastic=False))
        registry.add("model", type(entry)(item, entry.plugin))
        names.append(item.name)
    plan = logbench.Plan(model="+".join(names), dataset="hdfs-sim")
    both: Combination = resolve(plan, registry).model.build()
    held = Sessions.of([[0, 1]] * 30, 2)
    both.fit(held, Context(held_out=held))
    asked = Sessions.of([[0, 0, 0, 1], [0, 1, 1, 1, 1]], 2)
    scores = both.score(asked, Context())
    assert scores.event is not None and scores.event.tolist() == [0, 1]
    assert both.can("explain") and both.can("expected") and not both.can("update")
    assert both.explain(asked, scores.event, Context()).to_list() == [None, "speaking: 5 events"]
    assert both.expected(asked, scores.event, Context()).to_list() == [None, [1]]
