"""Colours and type of figures and page: each colour has a light and a dark value that stands out by 4.5:1."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# Name of the CSS variable → colour in light and in dark.
COLOURS: Mapping[str, tuple[str, str]] = {
    "ground": ("#ffffff", "#10161d"),
    "ink": ("#16202b", "#e6edf3"),
    "soft": ("#4a5866", "#a9b7c4"),
    "line": ("#d5dce3", "#303b46"),
    "teal": ("#0f766e", "#2dd4bf"),
    "red": ("#b91c1c", "#fca5a5"),
    "amber": ("#a3480b", "#fbbf24"),
    "blue": ("#1d4ed8", "#93c5fd"),
    "violet": ("#6d28d9", "#c4b5fd"),
    "pink": ("#be185d", "#f9a8d4"),
    "green": ("#3f6212", "#bef264"),
    "cyan": ("#155e75", "#67e8f9"),
    "brown": ("#713f12", "#e7c58f"),
    "grey": ("#5b6775", "#9aa8b5"),
}
LIGHT = {name: light for name, (light, _) in COLOURS.items()}
# Of categories, such as models; shapes and dashes tell them apart where colours repeat.
CATEGORIES = [LIGHT[name] for name in ("teal", "amber", "blue", "pink", "violet", "green", "cyan", "brown", "red")]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2]]
SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "triangle-down"]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_HEX = re.compile("|".join(LIGHT.values()))
_NAMES = {light: name for name, light in LIGHT.items()}


def config() -> dict[str, Any]:
    """Vega-Lite's `config` of every figure."""
    axis = {
        "domainColor": LIGHT["line"],
        "tickColor": LIGHT["line"],
        "gridColor": LIGHT["line"],
        "labelColor": LIGHT["soft"],
        "titleColor": LIGHT["soft"],
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelLimit": 230,
    }
    return {
        "background": "transparent",
        # A figure has one description, and its numbers are a table: marks read one by one would only confuse.
        "aria": False,
        "mark": {"aria": False},
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"domain": False, "ticks": False},
        "axisX": {"grid": False},
        "legend": {
            "labelColor": LIGHT["soft"],
            "titleColor": LIGHT["soft"],
            "titleFontWeight": "normal",
            "labelFontSize": 12,
            "titleFontSize": 12,
            "orient": "top",
            "labelLimit": 230,
            "columns": 4,
        },
        "point": {"opacity": 1},
        "tick": {"opacity": 1},
        "text": {"color": LIGHT["ink"], "fontSize": 12},
        "header": {"labelColor": LIGHT["soft"], "labelFontSize": 12, "titleColor": LIGHT["soft"]},
        "range": {"category": CATEGORIES},
    }


def for_page(value: Any) -> Any:
    """JSON values with each colour as its CSS variable, so that one specification serves light and dark."""
    return json.loads(_HEX.sub(lambda found: f"var(--{_NAMES[found[0]]})", json.dumps(value)))


def css() -> str:
    """The variables, light and dark."""
    light, dark = (" ".join(f"--{name}: {pair[at]};" for name, pair in COLOURS.items()) for at in (0, 1))
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
