"""Wrong presets and published tables: what each does wrong, the rule that finds it, how, and what is said."""

from __future__ import annotations

from typing import Any

from logbench import Preset, Published, Table

PRESET = Preset(name="mine", summary="a set-up", source="a paper, table 1", components={"good": {"size": 2}})
TABLE = Table(name="mine", summary="a table", source="a paper, table 1", dataset="good",
              rows=[Published(model="good", metrics={"alarms": 3})])  # fmt: skip
# What other rows of TABLE say.
SHARE = Published(model="good", metrics={"f1": 96.3})
THEIRS = Published(model="theirs", metrics={"alarms": 1}, unknown="its width is not given")

Cases = dict[str, tuple[str, dict[str, Any], str]]
PRESETS: Cases = {
    "names no source": ("source", {"source": ""}, "''"),
    "misspells a field of the protocol": ("protocol", {"protocol": {"trian": "first"}}, "trian"),
    "sets a share of two": ("protocol", {"protocol": {"held_out": 2.0}}, "held_out"),
    "names a component that is not there": ("components", {"components": {"gud": {"size": 2}}}, "'gud' is none"),
    "names an option that is not there": ("components", {"components": {"good": {"sise": 2}}}, "sise"),
    "sets an option out of bounds": ("components", {"components": {"good": {"size": 0}}}, "size"),
    "sets an option of any model that its own lacks": ("resolves", {"components": {"model": {"n": 3}}}, "n"),
    "gives a threshold that its protocol does not take": (
        "resolves",
        {"protocol": {"value": 0.5, "threshold": "oracle"}},
        "good on good: protocol.value=0.5 is for protocol.threshold=fixed",
    ),
}
TABLES: Cases = {
    "has a summary of two lines": ("source", {"summary": "two\nlines"}, "lines"),
    "names a data set that is not there": ("rows", {"dataset": "gone"}, "gone"),
    "names a preset that is not there": ("rows", {"preset": "gone"}, "gone"),
    "misspells an option": ("rows", {"settings": {"good": {"sise": 2}}}, "row good: "),
    "names a model that is not there": (
        "rows",
        {"rows": [Published(model="gone", metrics={"alarms": 1})]},
        "gone",
    ),
    "misspells a metric": ("metrics", {"rows": [Published(model="good", metrics={"f_1": 0.9})]}, "f_1"),
    "has a figure that is no number": (
        "metrics",
        {"rows": [Published(model="good", metrics={"alarms": float("nan")})]},
        "nan",
    ),
    "has no rows": ("rows", {"rows": []}, "none"),
    "gives a share in per cent": ("bounds", {"rows": [SHARE]}, "96.3"),
    "gives a tolerance in per cent": ("bounds", {"tolerance": 2.0}, "2.0"),
    "gives a prevalence in per cent": ("bounds", {"prevalence": 2.9}, "2.9"),
    "has a row twice": ("once", {"rows": [*TABLE.rows, THEIRS, *TABLE.rows]}, "another"),
}
