"""Values that the shell completes: components, presets, keys of `--set`; none where something fails."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, redirect_stderr
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..api.components import Kind
from ..components.option_rows import rows_of
from ..components.registry import Registry
from . import State

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
# What types of options are called that are no choice between words.
_TYPES = {"int", "float", "str", "None", "Path"}


def component(kind: Kind) -> Complete:
    """Names of components; of models also after `+` and `,`."""

    def offered(registry: Registry) -> Iterator[tuple[str, str]]:
        for name, entry in registry.components[kind].items():
            yield name, entry.item.summary

    return _of_registry(offered, r"[+,]" if kind == "model" else None)


def _presets(registry: Registry) -> Iterator[tuple[str, str]]:
    yield from ((name, entry.item.summary) for name, entry in registry.presets.items())


def _keys(registry: Registry) -> Iterator[tuple[str, str]]:
    for row in rows_of(registry):
        key, meaning = f"{row['component']}.{row['option']}=", f"{row['meaning']} ({row['default']})"
        yield key, meaning
        choices = ["true", "false"] if row["type"] == "bool" else row["type"].split(" | ")
        if len(choices) > 1 and not _TYPES.intersection(choices):
            yield from ((key + choice, meaning) for choice in choices)


def _tables(registry: Registry) -> Iterator[tuple[str, str]]:
    yield from ((name, entry.item.summary) for name, entry in registry.tables.items())


def _executors(registry: Registry) -> Iterator[tuple[str, str]]:
    yield from ((name, entry.item.summary) for name, entry in registry.executors.items())


def _trackers(registry: Registry) -> Iterator[tuple[str, str]]:
    told = [plugin for plugin in registry.plugins if "logbench_run_finished" in plugin.hooks]
    yield from ((plugin.name, plugin.distribution) for plugin in told)


def _of_registry(offered: Callable[[Registry], Iterable[tuple[str, str]]], parts: str | None = None) -> Complete:
    def complete(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        begun = [*re.finditer(parts, typed)] if parts else []
        kept = typed[: begun[-1].end()] if begun else ""
        try:
            with quiet():
                found = list(offered(State(context.find_root().params.get("block") or ()).registry))
        except Exception:  # a shell cannot show it; the command itself will
            return []
        return matching(((kept + name, help) for name, help in found), typed)

    return complete


def quiet() -> AbstractContextManager[object]:
    """Keep warnings out of the line that is being typed."""
    return redirect_stderr(io.StringIO())


def matching(offered: Iterable[tuple[str, str]], typed: str) -> list[CompletionItem]:
    """Those of the values, each with its help, that begin as typed."""
    items: dict[str, Any] = {name: help for name, help in offered if name.startswith(typed)}
    return [CompletionItem(name, help=help) for name, help in items.items()]


tracker, executor = _of_registry(_trackers), _of_registry(_executors)
preset, setting, table = _of_registry(_presets), _of_registry(_keys), _of_registry(_tables)
model = component("model")
dataset, parser, windower = component("dataset"), component("parser"), component("windower")
embedding, evaluator, reporter = component("embedding"), component("evaluator"), component("reporter")
