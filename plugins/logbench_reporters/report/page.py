"""One HTML file that asks for nothing from outside: content, scripts, and the policy that forbids the rest."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from . import drawing, head
from .figures.figure import Figure, printable
from .markup import environment, json_block, policy, text
from .provenance import provenance
from .sections import Section, sections
from .study import Study
from .theme import css, for_page

PACKAGE = "logbench_reporters.report"


def page(study: Study, static: bool = False) -> str:
    """The page of a study; static: figures are SVG, and there is no script."""
    made = sections(study)
    scripts = [] if static else [drawing.script(), text(PACKAGE, "sort.js") + text(PACKAGE, "page.js")]
    data = {"specs": {one.name: for_page(one.spec()) for one in _figures(made)}, **_models(made)}
    return (
        environment(PACKAGE)
        .get_template("page.html")
        .render(
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
            css=css() + text(PACKAGE, "page.css"),
            scripts=scripts,
            policy=policy(scripts),
            data=None if static else json_block(data),
            records=_packed(study),
            static=static,
        )
    )


def _packed(study: Study) -> str:
    """The records as JSON Lines, by gzip, in base64."""
    lines = "".join(json.dumps(record, default=str) + "\n" for record in study.records)
    return base64.b64encode(gzip.compress(lines.encode(), mtime=0)).decode()


def _figures(made: list[Section]) -> list[Figure]:
    return [figure for one in made for figure in one.figures]


def _models(made: list[Section]) -> Mapping[str, Any]:
    return {"models": printable(next((one.data for one in made if one.kind == "threshold"), []))}
