"""JSON Schemas of what logbench writes and of the TOML files that users write."""

from __future__ import annotations

from typing import Any

from ..api.bundle_sections import BundleFacts
from ..api.plan import Totals
from ..api.protocol import EvaluationProtocol
from ..api.record_sections import Record
from ..base.errors import ConfigError
from ..base.json_schema import DRAFT, Schema, of_options, of_sections
from ..components.option_classes import option_classes
from ..components.registry import Registry
from .regression_bench.suite import SuiteFile

TEXT: Schema = {"type": "string"}


def record_schema() -> Schema:
    """Of a record, a line of `records.jsonl`."""
    schema = of_sections(Record)
    protocol = of_options(EvaluationProtocol)
    protocol["properties"]["hash"] = {**TEXT, "description": "16 hex digits that change with any field"}
    _protocol(schema, protocol)
    return {**schema, "title": "a record of logbench"}


def bundle_schema() -> Schema:
    """Of a bundle's `bundle.json`."""
    schema = of_sections(BundleFacts)
    _protocol(schema, of_options(EvaluationProtocol))
    return {**schema, "title": "bundle.json of logbench"}


def _protocol(schema: Schema, protocol: Schema) -> None:
    place = schema["properties"]["protocol"]
    schema["properties"]["protocol"] = {**protocol, "description": place["description"]}


def own_log_schema(registry: Registry) -> Schema:
    """Of the definition of a user's own log.

    Raises:
        ConfigError: no plugin reads such definitions in TOML.
    """
    definitions = next((one for _, one in registry.definitions if one.suffix == ".toml"), None)
    if definitions is None:
        raise ConfigError("no plugin that is installed reads definitions of data sets (see: logbench plugins)")
    return {
        "$schema": DRAFT,
        "title": "a log of one's own, for logbench datasets add",
        **of_options(definitions.keys, toml=True),
        "required": list(definitions.required),
        "additionalProperties": False,
    }


def suite_schema() -> Schema:
    """Of a suite of `logbench bench`; a list of names stands for tables without keys."""
    schema: Schema = SuiteFile.model_json_schema()
    for name in ("models", "datasets", "protocols"):
        names = {"type": "array", "items": TEXT, "minItems": 1}
        schema["properties"][name] = {"anyOf": [schema["properties"][name], names]}
    return {"$schema": DRAFT, **schema, "title": "a suite of logbench bench"}


def config_schema(registry: Registry) -> Schema:
    """Of a file for `--config`: a table each component, with the options of those that are installed."""
    tables: dict[str, Any] = {}
    for name, options in option_classes(registry).items():
        # `dataset` also takes the options of the data set itself.
        closed = {} if options is Totals else {"additionalProperties": False}
        tables[name] = {**of_options(options, toml=True), **closed}
    return {
        "$schema": DRAFT,
        "title": "options of a run, for --config",
        "type": "object",
        "properties": tables,
        "additionalProperties": {"type": "object"},
    }


def toml_schema(registry: Registry) -> Schema:
    """Of any TOML file that users write: an own log, a suite or options of a run."""
    kinds = {"own-log": own_log_schema(registry), "suite": suite_schema(), "config": config_schema(registry)}
    parts = {name: {**schema, "$id": f"logbench-{name}"} for name, schema in kinds.items()}
    return {
        "$schema": DRAFT,
        "title": "a TOML file of logbench",
        "anyOf": [{"$ref": f"logbench-{name}"} for name in parts],
        "$defs": parts,
    }
