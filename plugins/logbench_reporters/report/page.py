"""One HTML file that asks for nothing from outside: content, scripts, and the policy that forbids the rest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from logbench import escaped

from . import drawing, head
from .figures.figure import Figure, printable
from .provenance import provenance
from .sections import Section, sections
from .study import Study
from .theme import css, for_page


def page(study: Study, static: bool = False) -> str:
    """The page of a study; static: figures are SVG, and there is no script."""
    made = sections(study)
    scripts = [] if static else [drawing.script(), _text("page.js")]
    data = {"specs": {one.name: for_page(one.spec()) for one in _figures(made)}, **_models(made)}
    return _template().render(
        study=study,
        data_set=study.records[0]["dataset"].get("name", ""),
        headline=head.headline(study),
        chips=head.chips(study),
        facts=head.facts(study),
        audit=head.audit(study),
        figures=head.figures(study),
        sections=made,
        provenance=provenance(study),
        drawn={one.name: drawing.svg(one, page=True) for one in _figures(made)} if static else {},
        css=css() + _text("page.css"),
        scripts=scripts,
        policy=_policy(scripts),
        data=None if static else json_block(data),
        records=_packed(study),
        static=static,
    )


def _packed(study: Study) -> str:
    """The records as JSON Lines, by gzip, in base64."""
    lines = "".join(json.dumps(record, default=str) + "\n" for record in study.records)
    return base64.b64encode(gzip.compress(lines.encode(), mtime=0)).decode()


def json_block(value: Any) -> str:
    """JSON for a script element: no sign in it ends the element or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(scripts: list[str]) -> str:
    """Nothing may be loaded or sent; only scripts of these digests run, none by `eval`."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts
    )
    return (
        f"default-src 'none'; script-src {digests or chr(39) + 'none' + chr(39)}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _figures(made: list[Section]) -> list[Figure]:
    return [figure for one in made for figure in one.figures]


def _models(made: list[Section]) -> Mapping[str, Any]:
    return {"models": printable(next((one.data for one in made if one.kind == "threshold"), []))}


def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _shown(text: object) -> str:
    """A text of someone else, with signs that steer or hide made visible; jinja2 escapes the rest."""
    return escaped(str(text).encode("utf-8", "replace").decode(), "terminal")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters["shown"] = _shown
    return environment.from_string(_text("page.html"))


def _finalized(value: Any) -> Any:
    """Every text that the template prints, unless it is markup, as `_shown` shows it."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else _shown(value)
