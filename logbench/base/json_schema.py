"""JSON Schemas (draft 2020-12) of TypedDicts and of classes of options, with what they say of each key."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from .jsonable import to_jsonable
from .options import fields_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}

Schema = dict[str, Any]


def of_sections(root: type) -> Schema:
    """The schema of a TypedDict and of those within it, whose keys are `Annotated` with their meaning.

    Keys that they do not name are allowed, because new ones may be added at any time.
    """
    from pydantic import TypeAdapter

    schema = _untitled(TypeAdapter(root).json_schema())
    definitions = {root.__name__: schema, **schema.get("$defs", {})}
    for section in set(_sections(root)):
        for key, hint in get_type_hints(section, include_extras=True).items():
            inner = hint if get_origin(hint) is Annotated else get_args(hint)[0]  # of a `NotRequired`
            definitions[section.__name__]["properties"][key]["description"] = inner.__metadata__[0]
    return {"$schema": DRAFT, **schema}


def of_options(config: type | None, toml: bool = False) -> Schema:
    """The schema of a table of options, with defaults, meanings and bounds.

    Args:
        config: a dataclass whose fields are `option`s; None has none.
        toml: as users write it: text for a list, and `none` for null, which TOML lacks.
    """
    hints = get_type_hints(config, include_extras=True) if config else {}
    return {
        "type": "object",
        "properties": {name: _option(hints[name], field, toml) for name, field in fields_of(config).items()},
    }


def _option(hint: Any, field: dataclasses.Field[Any], toml: bool) -> Schema:
    schema = _of_hint(hint)
    if toml:
        schema = _in_toml(schema)
    if help_text := field.metadata.get("help"):
        schema["description"] = help_text
    if field.default is not dataclasses.MISSING and not (toml and field.default is None):
        schema["default"] = to_jsonable(field.default)
    if pattern := field.metadata.get("pattern"):
        schema["pattern"] = pattern
    for bound, value in field.metadata.get("bounds", {}).items():
        schema[BOUNDS[bound]] = value
    return schema


def _of_hint(hint: Any) -> Schema:
    """The schema of one type; of one that pydantic has no schema for, anything."""
    from pydantic import PydanticUserError, TypeAdapter

    try:
        return _untitled(TypeAdapter(hint).json_schema())
    except PydanticUserError:
        return {}


def _in_toml(schema: Schema) -> Schema:
    if schema.get("type") == "array":
        return {"anyOf": [schema, {"type": "string"}]}
    if "anyOf" in schema:
        return {"anyOf": [{"const": "none"} if one == {"type": "null"} else one for one in schema["anyOf"]]}
    return schema


def _sections(hint: Any) -> Iterator[Any]:
    """Every TypedDict within a type."""
    if hasattr(hint, "__total__"):
        yield hint
        for inner in get_type_hints(hint, include_extras=True).values():
            yield from _sections(inner)
    for inner in get_args(hint):
        yield from _sections(inner)


def _untitled(schema: Schema) -> Schema:
    """Without the titles that pydantic makes of the names of keys."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: kept(v) for k, v in value.items() if not (k == "title" and isinstance(v, str))}
        return [kept(one) for one in value] if isinstance(value, list) else value

    made: Schema = kept(json.loads(json.dumps(schema)))
    return made
