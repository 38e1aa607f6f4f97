"""Names are found whatever their case and the signs between their words, and never by guessing between two."""

from __future__ import annotations

import pytest

import logbench
from logbench import ConfigError, ModelComponent, Plan
from logbench.components.registry import Registry
from logbench.running.resolve import resolve

REGISTRY = Registry()


@pytest.mark.parametrize(
    ("kind", "typed", "name"),
    [
        ("dataset", "HDFS", "hdfs"),
        ("dataset", "HDFS_v1", "hdfs"),
        ("dataset", "BGL", "bgl"),
        ("dataset", "Openstack Kalaki", "openstack-kalaki"),
        ("model", "Deeplog", "deeplog"),
        ("model", "isolation forest", "isolation-forest"),
        ("model", "IsolationForest", "isolation-forest"),
        ("model", "OCSVM", "one-class-svm"),
        ("model", "LogCluster", "log-clustering"),
        ("model", "PCA+Isolation Forest", "pca+isolation-forest"),
        ("model", "DeepLog*3", "deeplog*3"),
        ("parser", "Drain", "drain"),
        ("windower", "Session", "session"),
        ("reporter", "LaTeX", "latex"),
    ],
)
def test_a_name_is_found_in_any_case(kind: logbench.Kind, typed: str, name: str) -> None:
    assert REGISTRY.get(kind, typed).item.name == name


def test_presets_tables_and_settings_are_found_in_any_case() -> None:
    assert REGISTRY.preset("Field_2E").name == "field-2e"
    assert REGISTRY.table("Loglizer HDFS").name == "loglizer-hdfs"
    plan = Plan(model="Isolation Forest", dataset="HDFS-sim", settings={"Isolation_Forest": {"trees": "7"}})
    resolved = resolve(plan, REGISTRY)
    assert (resolved.model.config.trees, resolved.dataset.name) == (7, "hdfs-sim")


def test_everything_that_is_installed_is_found_in_capitals() -> None:
    offered = {(kind, name) for kind, of in REGISTRY.components.items() for name in of}
    assert len(offered) > 80 and {kind for kind, _ in offered} == set(REGISTRY.components)
    for kind, name in offered:
        assert REGISTRY.get(kind, name.upper().replace("-", "_")).item.name == name
    for name in REGISTRY.presets:
        assert REGISTRY.preset(name.upper().replace("-", "_")).name == name
    for name in REGISTRY.tables:
        assert REGISTRY.table(name.upper().replace("-", "_")).name == name


def test_what_may_be_two_names_is_refused_and_a_typing_error_is_told_in_any_case() -> None:
    registry = Registry()
    entry = registry.get("model", "pca")
    for name in ("my-model", "mymodel"):
        registry.add("model", type(entry)(ModelComponent(name, object), entry.plugin))
    assert registry.get("model", "mymodel").item.name == "mymodel"
    with pytest.raises(ConfigError, match=r"no model is called 'My_Model'; did you mean 'my-?model'"):
        registry.get("model", "My_Model")
    with pytest.raises(ConfigError, match="did you mean 'isolation-forest'"):
        registry.get("model", "Isolation Forrest")


def test_a_name_of_no_letters_means_nothing() -> None:
    assert logbench.meant("-", ["a", "b"]) == "-"
    assert logbench.meant("A.B", ["a-b", "ab"]) == "A.B"
