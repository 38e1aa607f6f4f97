"""What a component requires beside its plugin's dependencies: is it installed, and if not, how to get it."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..api.components import BaseComponent
from .component_kinds import COMPONENTS
from .entry import Plugin, RegisteredComponent

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_NAME = re.compile("[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def missing(requires: Iterable[str]) -> tuple[str, ...]:
    """Those of `requires` that are not installed here in a release that they allow.

    Raises:
        ValueError: one is no requirement, such as `torch` or `pyod>=2`.
    """
    return tuple(text for text in requires if not _is_met(text))


def lack_of_plugin(plugin: Plugin) -> str:
    """What a plugin needs that is not installed, and how to install it, in one line; empty if nothing.

    That is what the extra of its distribution brings that is called as the plugin, if there is one.
    """
    texts = missing(sorted(_extras(plugin.distribution).get(plugin.name, ())))
    if not texts:
        return ""
    needs = _described(texts)
    return f"{plugin.name} needs {needs}: pip install {shlex.quote(f'{plugin.distribution}[{plugin.name}]')}"


def required_names(item: BaseComponent[Any]) -> tuple[str, ...]:
    """Names of the distributions that a component requires, without releases."""
    return tuple(_parsed(text).name for text in item.requires)


def lack(entry: RegisteredComponent[Any]) -> str:
    """What a component needs that is not installed, and how to install it, in one line; empty if nothing.

    Of a combination `a+b`, the first member that lacks something.
    """
    for one in entry.members or (entry,):
        kind = next(kind for kind, cls in COMPONENTS.items() if isinstance(one.item, cls))
        if lacking := lack_of(kind, one):
            return lacking
    return ""


def lack_of(kind: str, entry: RegisteredComponent[Any]) -> str:
    """The same of one component, whose kind is known."""
    texts = missing(entry.item.requires)
    if not texts:
        return ""
    return f"{kind} {entry.item.name} needs {_described(texts)}: pip install {_to_install(entry.plugin, texts)}"


def fault(item: BaseComponent[Any]) -> str:
    """What is wrong with `requires` of a component, in words; empty if nothing."""
    if not isinstance(item.requires, tuple) or not all(isinstance(text, str) for text in item.requires):
        return f'requires={item.requires!r}: expected a tuple of texts, such as ("torch",)'
    try:
        for text in item.requires:
            _check(text)
    except ValueError as error:
        return f"requires={item.requires!r}: {' '.join(str(error).split())}"
    return ""


def _parsed(text: str) -> Requirement:
    from packaging.requirements import Requirement

    return Requirement(text)


def _check(text: str) -> None:
    """Raise ValueError for a text that is no requirement; a bare name is one, and needs no slow import."""
    if not _NAME.fullmatch(text):
        _applies(_parsed(text))


def _is_met(text: str) -> bool:
    if _NAME.fullmatch(text):
        return _version(text) is not None
    one = _parsed(text)
    return not _applies(one) or _fits(one)


def _applies(one: Requirement) -> bool:
    return one.marker is None or one.marker.evaluate()


def _fits(one: Requirement) -> bool:
    version = _version(one.name)
    return version is not None and one.specifier.contains(version, prereleases=True)


def _version(name: str) -> str | None:
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return None


def _described(texts: Sequence[str]) -> str:
    """What lacks, in words: `a<1, but 2 is installed, and b and c, which are not installed`."""
    versions = {text: _version(_parsed(text).name) for text in texts}
    absent = [text for text in texts if versions[text] is None]
    other = [f"{text}, but {version} is installed" for text, version in versions.items() if version is not None]
    if absent:
        said = " and ".join(filter(None, (", ".join(absent[:-1]), absent[-1])))
        other.append(f"{said}, which {'is' if len(absent) == 1 else 'are'} not installed")
    return ", and ".join(other)


def _to_install(plugin: Plugin, texts: Sequence[str]) -> str:
    """Words for `pip install`: the smallest extra of the plugin's distribution that brings all, or themselves."""
    wanted = {_parsed(text).name.lower() for text in texts}
    extras = {name: brought for name, brought in _extras(plugin.distribution).items() if wanted <= brought}
    if extras:
        return shlex.quote(f"{plugin.distribution}[{min(extras, key=lambda name: len(extras[name]))}]")
    return shlex.join(texts)


def _extras(distribution: str) -> dict[str, set[str]]:
    """Extra of an installed distribution → names of the distributions that it brings."""
    try:
        metadata = importlib.metadata.metadata(distribution)
    except importlib.metadata.PackageNotFoundError:
        return {}
    optional = [one for text in metadata.get_all("Requires-Dist") or () if (one := _parsed(text)).marker]
    return {
        extra: {one.name.lower() for one in optional if one.marker and one.marker.evaluate({"extra": extra})}
        - {one.name.lower() for one in optional if one.marker and one.marker.evaluate({"extra": ""})}
        for extra in metadata.get_all("Provides-Extra") or ()
    }
