"""What the JSON Schema of Vega-Lite says of a specification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

KINDS = {
    "layer": "TopLevelLayerSpec",
    "vconcat": "TopLevelVConcatSpec",
    "facet": "TopLevelFacetSpec",
    "mark": "TopLevelUnitSpec",
}


def faults_of(spec: dict[str, Any]) -> list[str]:
    """Why a specification is not Vega-Lite, by the schema of its kind: the deepest reasons."""
    kind = next(name for part, name in KINDS.items() if part in spec)
    errors = [leaf for error in schema(kind).iter_errors(spec) for leaf in leaves(error)]
    deepest = max((len(error.absolute_path) for error in errors), default=0)
    return [f"{[*e.absolute_path]}: {e.message[:200]}" for e in errors if len(e.absolute_path) == deepest]


def leaves(error: Any) -> Iterator[Any]:
    if not error.context:
        yield error
    for one in error.context:
        yield from leaves(one)


@cache
def schema(kind: str) -> Any:
    altair = pytest.importorskip("altair")
    path = Path(altair.__file__).parent / "vegalite" / "v6" / "schema" / "vega-lite-schema.json"
    definitions = json.loads(path.read_text(encoding="utf-8"))["definitions"]
    whole = {"$ref": f"#/definitions/{kind}", "definitions": definitions}
    return pytest.importorskip("jsonschema").Draft7Validator(whole)
