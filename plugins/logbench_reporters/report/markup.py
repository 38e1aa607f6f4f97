"""What every page of ours is made by: templates that escape, JSON in a script, a policy against requests."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from logbench import escaped

from ..words import several

# Package with the templates that all pages share.
SHARED = "logbench_reporters.report"


@cache
def environment(package: str) -> jinja2.Environment:
    """Templates of a package. Each text is escaped, and signs in it that steer or hide are made visible.

    Args:
        package: with the files of the templates; those that it lacks, such as `head.html`, are those of `SHARED`.
    """
    own = jinja2.FunctionLoader(lambda name: text(package, name) if _has(package, name) else None)
    shared = jinja2.FunctionLoader(lambda name: text(SHARED, name))
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([own, shared]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    made.filters["shown"] = shown
    made.filters["several"] = several
    return made


def _has(package: str, name: str) -> bool:
    return (resources.files(package) / name).is_file()


def text(package: str, name: str) -> str:
    """A file of a package."""
    return (resources.files(package) / name).read_text(encoding="utf-8")


def json_block(value: Any) -> str:
    """JSON for a script element: no sign in it ends the element or begins a comment."""
    made = json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)
    return made.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def policy(scripts: Sequence[str]) -> str:
    """Nothing may be loaded or sent; only scripts of these digests run, none by `eval`."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts
    )
    return (
        f"default-src 'none'; script-src {digests or chr(39) + 'none' + chr(39)}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def shown(value: object) -> str:
    """A text of someone else, with signs that steer or hide made visible; jinja2 escapes the rest."""
    return escaped(str(value).encode("utf-8", "replace").decode(), "terminal")


def _finalized(value: Any) -> Any:
    """Every text that a template prints, unless it is markup, as `shown` shows it."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else shown(value)
