"""What decides a figure, in one place: keys of the cache, and what makes two runs the same.

A component is its name, its options and the code of its plugins; the core is its code and what it runs on. Raised
version numbers decide nothing: code that was edited is other code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..api.record_sections import ComponentFacts, Components, PluginFacts
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
    """A name that changes with any of the facts that it was made of.

    Attributes:
        text: 12 hex digits over what was asked for, 24 over that and the code that answers it.
        known: all of that code is known, so that results may be kept under this name.
    """

    text: str
    known: bool


def of(parts: Mapping[str, ConfiguredComponent], **facts: Any) -> Key:
    """The key of what these components make of `facts` (JSON values)."""
    made = {kind: component(part) for kind, part in parts.items()}
    options = {kind: part.as_dict() for kind, part in parts.items()}
    return _key(made, options, _core(), facts)


def of_run(record: Mapping[str, Any]) -> Key | None:
    """The key of a run's result (timings apart), from its record, done or begun; None where that lacks facts."""
    if not record.get("components"):
        return None
    facts = {name: record[name] for name in ("preset", "protocol", "seed")}
    facts["material"] = material(record)
    facts["device"] = record["environment"].get("device")
    ran_on = {name: record["environment"].get(name) for name in ("python", "packages")}
    made = to_jsonable(record["components"]), to_jsonable(record["config"])
    return _key(*made, {"code": record["source"].get("code"), **ran_on}, to_jsonable(facts))


def material(record: Mapping[str, Any]) -> dict[str, Any]:
    """What of its data a run is known by."""
    return {name: record["dataset"].get(name) for name in MATERIAL}


def component(part: ConfiguredComponent) -> ComponentFacts:
    """As a record has it: `name`, and `plugins` with `plugin`, `distribution`, `version`, `code`, `libraries`."""
    made_of = {one.entry.plugin.key: one.entry.plugin for one in part.parts}
    return {"name": part.name, "plugins": [{"plugin": one.name, **_facts(one)} for one in made_of.values()]}


def components(resolved: ResolvedPlan) -> Components:
    """All that take part in a run, by kind."""
    return {
        "dataset": component(resolved.dataset),
        "parser": component(resolved.parser),
        "windower": component(resolved.windower),
        "model": component(resolved.model),
        "evaluators": [component(part) for part in resolved.evaluators],
    }


def plugins(parts: Iterable[ConfiguredComponent]) -> dict[str, PluginFacts]:
    """Facts by entry point; where two distributions call theirs alike, by `distribution:entry point`."""
    found = {part.entry.plugin.key: part.entry.plugin for part in parts}
    names = [plugin.name for plugin in found.values()]
    return {
        (plugin.name if names.count(plugin.name) == 1 else key): _facts(plugin) for key, plugin in found.items()
    }


def edited(parts: Iterable[ConfiguredComponent]) -> list[str]:
    """Whose code changed on disk after it was loaded, so that what runs may not be what its digest says."""
    found = {"logbench": core(), **_codes(parts)}
    return [name for name, code in found.items() if code is not None and code.edited]


def _codes(parts: Iterable[ConfiguredComponent]) -> dict[str, Code | None]:
    return {str(one.entry.plugin): _code(one.entry.plugin) for part in parts for one in part.parts}


def gaps(resolved: ResolvedPlan) -> list[str]:
    """Notes of a run on code that is not known: it changed after it was loaded, or there is more of it."""
    names = edited(resolved.parts)
    found = [f"edited after it was loaded, so that its code is not known: {', '.join(names)}"] if names else []
    known = {name: code.gap for name, code in _codes(resolved.parts).items() if code is not None and code.gap}
    return found + [
        f"the code of {name} is not known, nothing by it is cached: {gap}" for name, gap in known.items()
    ]


def core_digest() -> str | None:
    """12 hex digits over the code of logbench itself; None where it was edited since it was loaded."""
    return None if core().edited else core().files


def _code(plugin: Plugin) -> Code | None:
    return code_of(plugin.load(), plugin.distribution)


def _facts(plugin: Plugin) -> PluginFacts:
    code = _code(plugin)
    known = None if code is None or code.edited or code.gap else code
    return {
        "distribution": plugin.distribution,
        "version": plugin.version,
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
    """Whether every `code` in it is known."""
    if isinstance(found, Mapping):
        return all(value is not None if name == "code" else _known(value) for name, value in found.items())
    return all(map(_known, found)) if isinstance(found, list) else True


def digest(value: Any) -> str:
    """64 hex digits over JSON values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
