"""Options made of a third party's class: those of its signature, typed so that texts become the right values."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from logbench import ConfigError, PluginError, passed_through
from logbench.base.class_source import class_source
from logbench.base.options import make

CLASSES = (
    "sklearn.covariance:EllipticEnvelope",
    "sklearn.ensemble:IsolationForest",
    "sklearn.linear_model:SGDOneClassSVM",
    "sklearn.neighbors:LocalOutlierFactor",
    "sklearn.svm:OneClassSVM",
)


def options_of(config: type) -> dict[str, Any]:
    return {
        field.name: (field.type, field.default, field.metadata["help"]) for field in dataclasses.fields(config)
    }


@pytest.mark.parametrize("where", CLASSES)
def test_what_is_read_from_the_source_is_what_the_class_takes(where: str) -> None:
    module, name = where.split(":")
    cls = getattr(importlib.import_module(module), name)
    read = passed_through(where)
    assert options_of(read) == options_of(passed_through(cls))
    plain = {
        parameter.name: parameter.default
        for parameter in inspect.signature(cls).parameters.values()
        if isinstance(parameter.default, bool | int | float | str | None)
    }
    assert dataclasses.asdict(read()) == plain
    cls(**dataclasses.asdict(read()))


def test_reading_imports_nothing() -> None:
    code = (
        f"import sys, logbench; [logbench.passed_through(where) for where in {CLASSES!r}]; "
        "print(*{'sklearn', 'numpy', 'polars', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


class Detector:
    """A detector.

    Parameters
    ----------
    size : int, default=3
        How many. More is
        slower.
    share : float or "auto"
        Which share, i.e. how much: more or less.
    """

    def __init__(
        self,
        size=3,
        share="auto",
        *,
        width=1.0,
        flag=False,
        seed=None,
        mean=float("nan"),
        start=(1, 2),
        call: Callable[[], int] | None = None,
        mode: Literal["a", "b"] = "a",
        typed: Optional[int] = 4,  # noqa: UP045
        either: str | list[int] = "x",
        **rest: Any,
    ) -> None: ...


def test_each_kind_of_parameter() -> None:
    found = options_of(passed_through(Detector))
    assert {name: kind for name, (kind, *_) in found.items()} == {
        "size": int,
        "share": str | int | float,
        "width": int | float,
        "flag": bool,
        "seed": None | bool | int | float | str,
        "mean": int | float,
        "mode": Literal["a", "b"],
        "typed": int | None,
        "either": str,
    }
    assert found["size"][2] == "How many" and found["share"][2] == "Which share, i.e. how much"
    assert found["width"][2] == "Detector's width"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("size", "9", 9),
        ("share", "0.5", 0.5),
        ("share", "7", 7),
        ("share", "auto", "auto"),
        ("width", "3", 3),
        ("width", "3.0", 3.0),
        ("width", "1e-3", 0.001),
        ("flag", "true", True),
        ("seed", "none", None),
        ("seed", "False", False),
        ("seed", "5", 5),
        ("seed", "word", "word"),
        ("mode", "b", "b"),
        ("typed", "none", None),
        ("either", "3", "3"),
    ],
)
def test_a_text_becomes_the_value_that_it_writes(name: str, text: str, value: Any) -> None:
    made = getattr(make(passed_through(Detector), {name: text}, "d"), name)
    assert (made, type(made)) == (value, type(value))


@pytest.mark.parametrize(("name", "text"), [("size", "9.5"), ("size", "many"), ("flag", "7"), ("mode", "c")])
def test_a_value_of_another_type_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"d\.{name}={text}"):
        make(passed_through(Detector), {name: text}, "d")


def test_defaults_change_and_parameters_are_left_out() -> None:
    config = passed_through(Detector, leave_out=("flag", "seed"), size=8, share=0.2)
    assert (config().size, config().share) == (8, 0.2)
    assert not {"flag", "seed"} & set(options_of(config))
    with pytest.raises(PluginError, match="Detector has no keyword parameter 'sizes'"):
        passed_through(Detector, sizes=8)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config().size = 9


def test_a_class_is_found_where_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "offered_here"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError\n")
    (package / "inner" / "__init__.py").write_text(
        "try:\n    from ._deep import Own as Offered\nexcept E:\n    1\n"
    )
    (package / "inner" / "_deep.py").write_text(
        "from ..base import Base\n\nclass Own(Base):\n    '''It.'''\n\nclass Alone:\n    def fit(self): ...\n"
    )
    (package / "base.py").write_text(
        "class Base:\n    def __init__(self, a, b: 'int' = 2, *, c: Optional[float] = None, d=np.nan): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert {
        name: kind for name, (kind, *_) in options_of(passed_through("offered_here.inner:Offered")).items()
    } == {
        "b": int,
        "c": float | None,
    }
    assert not options_of(passed_through("offered_here.inner._deep:Alone"))
    assert class_source("offered_here.inner", "Nothing") is None
    assert "offered_here" not in sys.modules
    for wrong in ("offered_here.inner:Nothing", "offered_here.nowhere:Own"):
        with pytest.raises(PluginError, match="there is no source of this class"):
            passed_through(wrong)


def test_a_package_that_is_not_installed_has_no_options() -> None:
    assert not options_of(passed_through("no_such_package_at_all.models:Own", size=3))
    with pytest.raises(PluginError, match="write module:Class"):
        passed_through("sklearn.svm.OneClassSVM")
