"""Two tables over the same test units: without labels, and with a budget of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logbench import ConfigError, LeakError, leaderboard
from logbench.cli import main
from logbench.components.registry import Registry
from logbench.studies.label_tables import parted, plans_of_both
from logbench.studies.plans import ModelsRequest

MODELS = ("decision-tree", "new-event", "ecvc")


def request(**protocol: Any) -> ModelsRequest:
    settings = {"protocol": {"train": "random_ratio", **protocol}, "dataset": {"blocks": 600}}
    return ModelsRequest(models=MODELS, fields={"dataset": "hdfs-sim", "settings": settings}, command="")


def test_both_tables_are_over_the_same_units(tmp_path: Path) -> None:
    settings = {"protocol": {"train": "random_ratio", "held_out": 0.3}, "dataset": {"blocks": 800}}
    more: dict[str, Any] = {"settings": settings, "out": tmp_path, "seeds": (0,), "label_budget": 0.5}
    records = leaderboard(MODELS, dataset="hdfs-sim", **more)
    assert all(one["error"] is None for one in records)
    assert len({one["split"]["test_digest"] for one in records}) == 1
    free, labelled = parted(records)
    assert records == [*free, *labelled]
    assert {one["model"] for one in free} == {"new-event", "ecvc"}
    assert {one["model"] for one in labelled} == {*MODELS, "knn"}, "with the baseline of labels"
    for part in (free, labelled):
        figures = [one["metrics"]["session"]["all"]["f1"] for one in part if not one["baseline"]]
        assert figures == sorted(figures, reverse=True), "each table has a ranking of its own"
    seen = {one["model"]: one["labels"] for one in labelled}
    assert all(one["labels"] == {} and one["audit"]["labels"] == "none" for one in free)
    assert seen["decision-tree"]["used"] == 200 == seen["ecvc"]["seen"]
    assert seen["ecvc"]["used"] == seen["ecvc"]["seen_normal"] < 200
    free[0]["split"]["test_digest"] = "other"
    with pytest.raises(LeakError, match="was not tested on the units of the other table"):
        parted(records)


@pytest.mark.slow
def test_the_command_prints_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["leaderboard", "--dataset", "hdfs-sim", "--models", ",".join(MODELS), "--label-budget", "0.5"]
    asked += ["--set", "dataset.blocks=800", "--set", "protocol.train=random_ratio", "--seeds", "1"]
    with pytest.raises(SystemExit) as ended:
        main([*asked, "--set", "protocol.held_out=0.3", "--out", str(tmp_path)])
    assert not ended.value.code
    shown = capsys.readouterr()
    free, labelled = shown.out.split("hdfs-sim (SIMULATED")[1:]
    assert "decision-tree" not in free and "knn" not in free and "threshold validation" in free
    assert "decision-tree" in labelled and "baseline: knn" in labelled and "threshold labelled" in labelled
    for table in (free, labelled):
        assert all(name in table for name in ("new-event", "ecvc", "rule: unseen or short"))
    assert "(random_ratio, normal)" in free and "200 labels: " in labelled
    assert "the table without labels is without decision-tree" in shown.err


def test_thresholds_are_by_labels_unless_somebody_says_another() -> None:
    def thresholds(asked: ModelsRequest) -> set[Any]:
        return {plan.settings["protocol"].get("threshold") for plan in plans_of_both(asked, 0.5, Registry())}

    assert thresholds(request()) == {None, "labelled"}
    assert thresholds(request(threshold="fixed")) == {"fixed"}


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"train": "first"}, "depend on whether labels train; use --set protocol.train=random_ratio"),
        ({"content": "labelled"}, "leave content=labelled out"),
        ({"contamination": 0.1}, "protocol.contamination adds anomalies that nobody knows"),
    ],
)
def test_protocols_that_cannot_have_both_tables_are_refused(protocol: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plans_of_both(request(**protocol), 0.5, Registry())
