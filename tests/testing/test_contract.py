"""Every installed component keeps the contract of its kind: the rules of `logbench check`, on small material."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from logbench.components.registry import KINDS, Registry
from logbench.components.requirements import lack
from logbench.testing import check

REGISTRY = Registry()
COMPONENTS = [(kind, name) for kind in KINDS for name in REGISTRY.components[kind]]
COMPONENTS.append(("model", "new-event+edit"))  # a combination is a model, too
# Less work, the same code.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "autoencoder": {"hidden": 8, "narrow": 2, "passes": 3},
    "cnn": {"filters": 8, "embedding": 8, "passes": 3},
    "deeplog": {"steps": 5, "hidden": 8},
    "deeplog-full": {"steps": 5, "hidden": 8, "value_steps": 5, "value_hidden": 4},
    "deeplog-values": {"steps": 5, "hidden": 4},
    "deeplog-online": {"steps": 5, "hidden": 8, "online_steps": 2},
    "drift-sim": {"jobs": 100},
    "hdfs-sim": {"blocks": 300},
    "isolation-forest": {"trees": 20},
    "loganomaly": {"steps": 5, "hidden": 8},
    "logrobust": {"hidden": 8, "passes": 3},
    "logtad": {"hidden": 8, "layers": 1, "passes": 3},
    "lstm-next": {"steps": 5, "hidden": 8, "batch": 32},
    "transformer-next": {"steps": 5, "batch": 32},
    "mlp": {"passes": 5},
    "random-forest": {"trees": 20},
    "river-hst": {"trees": 3, "height": 4},
    "river-loda": {"cuts": 8},
}


# Deep models whose check runs at each commit; that of the others takes minutes together: `tox -e slow`.
QUICK = ("deeplog", "cnn")
# Models of the class of another one with other options, or with another estimator in the same place.
TWINS = (
    "2-gram",
    "3-gram",
    "10-gram",
    "n-gram-online",
    "ecvc-idf",
    "log-clustering-labelled",
    "decision-tree",
    "linear-svm",
)


def _case(kind: Any, name: str) -> Any:
    deep = kind == "model" and "+" not in name and "torch" in REGISTRY.get("model", name).item.requires
    slow = (deep and name not in QUICK) or (kind == "model" and name in TWINS)
    return pytest.param(kind, name, id=f"{kind}:{name}", marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize(("kind", "name"), [_case(kind, name) for kind, name in COMPONENTS])
def test_every_component_keeps_its_contract(kind: Any, name: str, request: pytest.FixtureRequest) -> None:
    if kind == "model" and "+" not in name and (lacking := lack(REGISTRY.get("model", name))):
        pytest.skip(lacking)
    data = (
        request.getfixturevalue(f"data_{name.replace('-', '_')}") if kind == "dataset" and name in DATA else None
    )
    settings = SETTINGS.get(name) if kind != "parser" else None
    outcomes = list(check(kind, name, registry=REGISTRY, settings=settings, data=data))
    assert not [outcome for outcome in outcomes if outcome.status == "violation"]
    skipped = {outcome.rule: outcome.why for outcome in outcomes if outcome.status == "skipped"}
    assert "imports" not in skipped
    assert "runs" not in skipped or (kind == "dataset" and "--data" in skipped["runs"]), (
        "only for want of its files"
    )


DATA = ("hdfs", "deeplog-archive")


@pytest.fixture
def data_hdfs(tiny_hdfs: Path) -> Path:
    return tiny_hdfs


@pytest.fixture
def data_deeplog_archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("hdfs_train", "hdfs_test_normal", "hdfs_test_abnormal"):
        (folder / name).write_text("5 5 22 5 11\n5 22 5\n")
    return folder
