"""What a JSON Schema does not allow of a value, by `jsonschema` if it is installed, else by a small validator."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


def faults(schema: Schema, value: Any) -> list[str]:
    """One line a fault; empty where the value is valid."""
    if importlib.util.find_spec("jsonschema"):
        from jsonschema import Draft202012Validator

        Draft202012Validator.check_schema(schema)
        return [f"{one.json_path}: {one.message}" for one in Draft202012Validator(schema).iter_errors(value)]
    return own_faults(schema, value)


def own_faults(schema: Schema, value: Any) -> list[str]:
    """The same without `jsonschema`, for the keywords that logbench's schemas use."""
    return list(_Root(schema).faults(schema, value, "$"))


def unknown_keys(schema: Schema, value: Any, free: frozenset[str]) -> list[str]:
    """Keys that no section names, though the schema allows them, but for those in the sections `free`."""
    return list(_Root(schema).unknown(schema, value, "$", free))


def _of_constant(schema: Schema, value: Any, at: str) -> Iterator[str]:
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: {value!r} does not match {schema['pattern']}"


class _Root:
    def __init__(self, schema: Schema) -> None:
        self.definitions = schema.get("$defs", {})

    def faults(self, schema: Schema, value: Any, at: str) -> Iterator[str]:
        if ref := schema.get("$ref", ""):
            found = self.definitions[ref.rpartition("/")[2].removeprefix("logbench-")]
            yield from (_Root(found) if "$id" in found else self).faults(found, value, at)
        if "anyOf" in schema and all(list(self.faults(one, value, at)) for one in schema["anyOf"]):
            yield f"{at}: {value!r} is none of {schema['anyOf']}"
        yield from _of_constant(schema, value, at)
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at}: {value!r} is not one of {schema['enum']}"
        kinds = TYPES[schema["type"]] if "type" in schema else (object,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and not {bool, object} & set(kinds)):
            yield f"{at}: {value!r} is no {schema['type']}"
        elif isinstance(value, dict):
            yield from self._of_object(schema, value, at)
        elif isinstance(value, list):
            if len(value) < schema.get("minItems", 0):
                yield f"{at}: too few"
            for number, item in enumerate(value):
                yield from self.faults(schema.get("items", {}), item, f"{at}[{number}]")
        elif isinstance(value, int | float):
            if value < schema.get("minimum", value) or value > schema.get("maximum", value):
                yield f"{at}: {value} is out of bounds"
            if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
                yield f"{at}: {value} is out of bounds"

    def _of_object(self, schema: Schema, value: dict[str, Any], at: str) -> Iterator[str]:
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        yield from (f"{at}: lacks {name}" for name in schema.get("required", ()) if name not in value)
        if len(value) < schema.get("minProperties", 0):
            yield f"{at}: too few"
        for name, item in value.items():
            if name in known:
                yield from self.faults(known[name], item, f"{at}.{name}")
            elif more is False:
                yield f"{at}: {name} is unknown"
            elif isinstance(more, dict):
                yield from self.faults(more, item, f"{at}.{name}")

    def unknown(self, schema: Schema, value: Any, at: str, free: frozenset[str]) -> Iterator[str]:
        name = schema.get("$ref", "").rpartition("/")[2]
        if name:
            schema = self.definitions[name]
        if "anyOf" in schema:
            schema = next(one for one in schema["anyOf"] if not list(self.faults(one, value, at)))
            yield from self.unknown(schema, value, at, free)
        elif isinstance(value, list):
            for item in value:
                yield from self.unknown(schema.get("items", {}), item, at, free)
        elif isinstance(value, dict) and "properties" in schema:
            for key, item in value.items():
                if key in schema["properties"]:
                    yield from self.unknown(schema["properties"][key], item, f"{at}.{key}", free)
                elif name not in free:
                    yield f"{at}.{key}"
        elif isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
            for key, item in value.items():
                yield from self.unknown(schema["additionalProperties"], item, f"{at}.{key}", free)
