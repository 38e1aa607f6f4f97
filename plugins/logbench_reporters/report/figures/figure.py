"""A figure: what it shows in words, its Vega-Lite specification, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from logbench import escaped

from ..theme import config

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
MIME = "application/vnd.vegalite.v6+json"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure; a notebook draws it.

    Attributes:
        name: of its file, and of its place on the page.
        title: a few words. description: what is seen, computed from the data; screen readers read it.
        marks: the specification without data, size and style. height: pixels; None: by step of the scale.
        data: name of a data set in `marks` → its rows.
        table: the numbers, for who cannot see the figure.
        folded: it stands in a fold of the page.
        still: `marks` without what can be dragged, for pictures; None: the same.
    """

    name: str
    title: str
    description: str
    marks: Mapping[str, Any]
    data: Mapping[str, Sequence[Row]]
    table: Sequence[Row] = ()
    height: int | None = 260
    folded: bool = False
    width: int = field(default=640, kw_only=True)
    still: Mapping[str, Any] | None = field(default=None, kw_only=True)

    def spec(self, width: int | str | None = None, still: bool = False) -> dict[str, Any]:
        """The whole specification, Vega-Lite 6.

        Args:
            width: pixels, or `container`; by default the figure's own. still: without what can be dragged.
        """
        sized: dict[str, Any] = {} if {"vconcat", "facet"} & set(self.marks) else {"width": width or self.width}
        if self.height is not None and sized:
            sized["height"] = self.height
        spec: dict[str, Any] = {
            "$schema": SCHEMA,
            "description": f"{self.title}. {self.description}",
            "datasets": {name: list(rows) for name, rows in self.data.items()},
            **sized,
            **(self.still if still and self.still is not None else self.marks),
            "config": config(),
        }
        if sized:  # of several views only each has a size
            spec["autosize"] = {"type": "fit-x", "contains": "padding"}
        clean: dict[str, Any] = printable(spec)
        return clean

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {MIME: self.spec(), "text/plain": f"{self.title}. {self.description}"}
        try:
            from ..drawing import svg
        except ImportError:  # without the extra, a front end that knows Vega-Lite draws it
            return bundle
        return {**bundle, "image/svg+xml": svg(self)}


def number(value: float | None, digits: int = 3) -> str:
    """A figure as text: .963; – where there is none."""
    if value is None:
        return "–"
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def printable(value: Any) -> Any:
    """JSON values with signs that steer a terminal or hide, and half surrogates, made visible in each text.

    vl-convert ends the process at some of them.
    """
    if isinstance(value, str):
        return escaped(value.encode("utf-8", "replace").decode(), "terminal")
    if isinstance(value, Mapping):
        return {printable(name): printable(of) for name, of in value.items()}
    return [printable(one) for one in value] if isinstance(value, list | tuple) else value


def finds_nothing(metric: str, value: float | None) -> bool:
    """Whether the best value of a metric says that no model found an anomaly."""
    return metric in ("f1", "precision", "recall") and value == 0
