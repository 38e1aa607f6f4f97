"""Decide when two results are the same: keys of the cache, and of runs.

A component is identified by its name, its options and the code of its plugins; the core by its code, Python and
packages. Version numbers do not count, because edited code may keep its version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from ..api.record_sections import ComponentFacts, Components, PluginFacts, Record
from ..base.code_digests import Code, code_of, core
from ..base.jsonable import to_jsonable
from .provenance import environment

if TYPE_CHECKING:
    from ..components.configured import ConfiguredComponent
    from ..components.entry import Plugin
    from .resolve import ResolvedPlan

CODE = ("version", "code", "libraries")
MATERIAL = ("name", "digest", "unit", "normal_total", "anomaly_total")


@dataclass(frozen=True)
class Key:
    """A key that changes with any of its facts.

    Attributes:
        text: 12 hex digits over the request, then 24 over the request and the code that answers it.
        known: all of that code is known, so results may be cached under this key.
    """

    text: str
    known: bool

    @property
    def facts(self) -> dict[str, str | None]:
        """What a stage tells of it: `digest`, None where nothing is cached under it."""
        return {"digest": self.text if self.known else None}


def of(parts: Mapping[str, ConfiguredComponent[Any]], **facts: Any) -> Key:
    """Key of the results that these components make from `facts` (JSON values)."""
    made = {kind: component(part) for kind, part in parts.items()}
    options = {kind: part.as_dict() for kind, part in parts.items()}
    return _key(made, options, _core(), facts)


def of_run(record: Record) -> Key | None:
    """Key of a run's result (without timings) from its record, finished or not; None if facts are missing."""
    if not record.get("components"):
        return None
    facts: dict[str, Any] = {name: record[name] for name in ("preset", "protocol", "seed")}
    facts["material"] = material(record)
    facts["device"] = record["environment"].get("device")
    if devices := record["environment"].get("devices"):
        facts["devices"] = devices
    ran_on = {name: record["environment"].get(name) for name in ("python", "packages")}
    taking_part = {**record["components"], **_source_components(record)}
    made = to_jsonable(taking_part), to_jsonable(record["config"])
    return _key(*made, {"code": record["source"].get("code"), **ran_on}, to_jsonable(facts))


def material(record: Record) -> dict[str, Any]:
    """Facts of a record that identify the data, those of another data set that trains among them."""
    found = {name: record["dataset"].get(name) for name in MATERIAL}
    if (source := record["dataset"].get("source")) is None:
        return found
    trained = {name: value for name, value in source.items() if name != "components"}
    return {**found, "source": {**trained, "digest": record["dataset"].get("source_digest")}}


def _source_components(record: Record) -> dict[str, Any]:
    source = record["dataset"].get("source")
    return {} if source is None else {"source": source["components"]}


def component(part: ConfiguredComponent[Any]) -> ComponentFacts:
    """Describe a component for a record: `name` and `plugins`.

    Each plugin has `plugin`, `distribution`, `version`, `code` and `libraries`.
    """
    made_of = {one.entry.plugin.key: one.entry.plugin for one in part.parts}
    return {"name": part.name, "plugins": [{"plugin": one.name, **_facts(one)} for one in made_of.values()]}


def components(resolved: ResolvedPlan) -> Components:
    """Describe all components of a run, by kind."""
    single = {kind: component(part) for kind, part in resolved.single.items()}
    return cast(Components, {**single, "evaluators": [component(part) for part in resolved.evaluators]})


def look(resolved: ResolvedPlan) -> None:
    """Find out the code of a run while its worker still loads, which then is told, see `code_digests.learn`."""
    core_digest()
    components(resolved)


def plugins(parts: Iterable[ConfiguredComponent[Any]]) -> dict[str, PluginFacts]:
    """Facts of plugins by entry point, or `distribution:entry point` if two distributions use the same name."""
    by_key = {part.entry.plugin.key: part.entry.plugin for part in parts}
    names = [plugin.name for plugin in by_key.values()]
    return {
        (plugin.name if names.count(plugin.name) == 1 else key): _facts(plugin) for key, plugin in by_key.items()
    }


def edited(parts: Iterable[ConfiguredComponent[Any]]) -> list[str]:
    """Names of plugins whose code changed on disk after loading, so that the running code is unknown."""
    codes = {"logbench": core(), **_codes(parts)}
    return [name for name, code in codes.items() if code is not None and code.edited]


def _codes(parts: Iterable[ConfiguredComponent[Any]]) -> dict[str, Code | None]:
    return {str(one.entry.plugin): _code(one.entry.plugin) for part in parts for one in part.parts}


def gaps(resolved: ResolvedPlan) -> list[str]:
    """Notes about unknown code: it changed after loading, or is incomplete."""
    names = edited(resolved.parts)
    notes = [f"edited after loading, so the running code is unknown: {', '.join(names)}"] if names else []
    known = {name: code.gap for name, code in _codes(resolved.parts).items() if code is not None and code.gap}
    return notes + [
        f"the code of {name} is not fully known, so its results are not cached: {gap}"
        for name, gap in known.items()
    ]


def core_digest() -> str | None:
    """12 hex digits over the code of logbench itself; None if it changed after loading."""
    return None if core().edited else core().files


def _code(plugin: Plugin) -> Code | None:
    code = code_of(plugin.load(), plugin.distribution)
    return replace(code, gap=plugin.gap) if code is not None and plugin.gap else code


def _facts(plugin: Plugin) -> PluginFacts:
    code = _code(plugin)
    known = None if code is None or code.edited or code.gap else code
    return {
        "distribution": plugin.distribution,
        "version": plugin.version or None,
        "code": known.files if known else None,
        "libraries": known.libraries if known else None,
    }


def _core() -> dict[str, Any]:
    ran_on = {name: environment()[name] for name in ("python", "packages")}
    return {"code": core_digest(), **ran_on}


def _key(components: Any, options: Any, ran_by: Mapping[str, Any], facts: Mapping[str, Any]) -> Key:
    asked = {"components": _without_code(components), "options": options, "facts": facts}
    made = {"components": components, "core": ran_by, "asked": asked}
    return Key(f"{digest(asked)[:12]}-{digest(made)[:24]}", ran_by["code"] is not None and _known(components))


def _without_code(found: Any) -> Any:
    if isinstance(found, Mapping):
        return {name: _without_code(value) for name, value in found.items() if name not in CODE}
    return [_without_code(one) for one in found] if isinstance(found, list) else found


def _known(found: Any) -> bool:
    """Whether every `code` in a nested value is known."""
    if isinstance(found, Mapping):
        return all(value is not None if name == "code" else _known(value) for name, value in found.items())
    return all(map(_known, found)) if isinstance(found, list) else True


def digest(value: Any) -> str:
    """64 hex digits over JSON values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
