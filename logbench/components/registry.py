"""Entry points → components. A plugin that misbehaves is set aside with one line and harms nothing else."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, get_args, overload

import pluggy

from ..api import hookspecs
from ..api.components import (
    BaseComponent,
    DatasetComponent,
    Definition,
    EmbeddingComponent,
    EvaluatorComponent,
    Kind,
    ModelComponent,
    ParserComponent,
    Preset,
    ReporterComponent,
    Table,
    WindowerComponent,
)
from ..api.executor import ExecutorComponent
from ..api.old_components import Component
from ..base.code_digests import loaded, module_of
from ..base.errors import ConfigError, LogbenchError
from ..base.file_names import LONGEST, name_fault
from ..base.no_exit import no_exit
from ..base.options import meant, suggest
from . import combination, lone_files, requirements
from .component_kinds import COMPONENTS, of_kind
from .entry import Plugin, RefusedEntryPointsError, RegisteredComponent, installed, told
from .refusals import RefusalError, check_arguments, check_class, check_component
from .submissions import is_unpacked, submitted

if TYPE_CHECKING:
    import click

    from ..api.contracts import Definitions

KINDS: tuple[Kind, ...] = get_args(Kind)
T = TypeVar("T")
Offer = tuple[dict[str, RegisteredComponent[Any]], str, RegisteredComponent[Any]]


class Components(TypedDict):
    """Components of each kind, by name."""

    dataset: dict[str, RegisteredComponent[DatasetComponent[Any]]]
    parser: dict[str, RegisteredComponent[ParserComponent[Any]]]
    windower: dict[str, RegisteredComponent[WindowerComponent[Any]]]
    embedding: dict[str, RegisteredComponent[EmbeddingComponent[Any]]]
    model: dict[str, RegisteredComponent[ModelComponent[Any]]]
    evaluator: dict[str, RegisteredComponent[EvaluatorComponent[Any]]]
    reporter: dict[str, RegisteredComponent[ReporterComponent[Any]]]


class Registry:
    """All components by kind and name. Build one for each process (or test): there is no global registry.

    Args:
        plugins: what to load, by default the installed ones.
        block: plugin or distribution names kept out; `LOGBENCH_BLOCK` (comma separated) adds to it.
        reserved: names that no command of a plugin may have.
        kinds: of components to ask plugins for; unless these are all, plugins are asked for nothing else.
        commands: ask for commands, too; a worker has no use for them, nor for what they load.

    Attributes:
        definitions: what reads files that define data sets, with the plugin that offers it.
    """

    def __init__(
        self,
        plugins: Iterable[Plugin] | None = None,
        block: Iterable[str] = (),
        reserved: Iterable[str] = (),
        kinds: Sequence[Kind] = KINDS,
        commands: bool = True,
    ) -> None:
        self._reserved, self._kinds, self._commands = frozenset(reserved), kinds, commands
        self.manager = pluggy.PluginManager("logbench")
        self.manager.add_hookspecs(hookspecs)
        tables: Any = {kind: {} for kind in KINDS}
        self.components: Components = tables
        self.presets: dict[str, RegisteredComponent[Preset]] = {}
        self.tables: dict[str, RegisteredComponent[Table]] = {}
        self.commands: dict[str, RegisteredComponent[click.Command]] = {}
        self.executors: dict[str, RegisteredComponent[ExecutorComponent]] = {}
        self.definitions: list[tuple[Plugin, Definitions]] = []
        self._defined: list[tuple[Plugin, Definition]] = []
        self.plugins = installed() if plugins is None else sorted(plugins, key=lambda plugin: plugin.order)
        blocked = {*block, *(name.strip() for name in os.environ.get("LOGBENCH_BLOCK", "").split(","))}
        for plugin in self.plugins:
            if plugin.name in blocked or plugin.distribution in blocked:
                plugin.error = "blocked"
                continue
            self._guard(plugin, partial(self._admit, plugin))
        for plugin, definition in self._defined:
            self._define(plugin, definition)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(self.offered(kind))} {kind}s" for kind in KINDS)
        return f"Registry({counts})"

    def copy(self) -> Registry:
        """A registry of the same components, to which others may be added."""
        beside = copy.copy(self)
        tables: Any = {kind: dict(self.offered(kind)) for kind in KINDS}
        beside.components = tables
        return beside

    def add(self, kind: Kind, entry: RegisteredComponent[Any]) -> None:
        """Offer one more component.

        Raises:
            ConfigError: its name or an alias is taken.
        """
        try:
            self._check_conflicts([(self.offered(kind), entry.item.name, entry)])
        except RefusalError as error:
            another = f"name = 'my-{entry.item.name}' in the class"
            raise ConfigError(f"{entry.plugin}: the name {error}; give it another, such as {another}") from None
        self.offered(kind)[entry.item.name] = entry

    def _define(self, plugin: Plugin, definition: Definition) -> None:
        """Offer a data set of the user's own; a broken one is set aside like a plugin."""
        try:
            if wrong := name_fault(definition.name):
                raise RefusalError(f"{definition.name[:LONGEST]!r} is no name: {wrong}; rename its file")
            offered = RegisteredComponent(definition.make(), plugin)
            self._check_conflicts([(self.components["dataset"], definition.name, offered)])
            self.components["dataset"][definition.name] = offered
        except Exception as error:
            plain = isinstance(error, ConfigError | RefusalError)
            said = " ".join(str(error).split()) if plain else told(error)
            aside = dataclasses.replace(plugin, name=definition.name, hooks=[], error=said)
            self.plugins.append(aside)

    @property
    def at_hand(self) -> list[RegisteredComponent[Any]]:
        """Components that were added and that no other process finds by their names."""
        return [
            entry for kind in KINDS for entry in self.offered(kind).values() if entry.plugin.made_of is not None
        ]

    @property
    def broken(self) -> list[Plugin]:
        """Plugins set aside for an error (not those blocked on purpose)."""
        return [plugin for plugin in self.plugins if plugin.error and plugin.error != "blocked"]

    def _guard(self, plugin: Plugin, action: Callable[[], Any]) -> None:
        try:
            with no_exit():
                action()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it is, it is the plugin's own
            plain = isinstance(error, RefusalError | RefusedEntryPointsError | LogbenchError)
            plugin.error = " ".join(str(error).split()) if plain else told(error)
            plugin.cause = error
            if self.manager.has_plugin(self._registered(plugin)):
                self.manager.unregister(name=self._registered(plugin))

    def _registered(self, plugin: Plugin) -> str:
        return plugin.key

    def _admit(self, plugin: Plugin) -> None:
        before = time.time_ns()
        module = plugin.load()
        if (file := module_of(module)) is not None:
            loaded(file, before)
        check_arguments(module, self.manager)
        self.manager.register(module, name=self._registered(plugin))
        self._check_names(plugin, module)
        defined: list[Definition] = []
        offers = list(self._offers(plugin, defined))
        definitions = self._definitions_of(plugin) if self._kinds == KINDS else []
        self._check_conflicts(offers)
        for table, item_name, entry in offers:
            table[item_name] = entry
        self._defined += [(plugin, one) for one in defined]
        self.definitions += [(plugin, one) for one in definitions]

    def _check_names(self, plugin: Plugin, module: Any) -> None:
        known = {name for name in vars(hookspecs) if name.startswith("logbench_")}
        marked = {caller.name for caller in self.manager.get_hookcallers(module) or ()}
        named = {name for name in dir(module) if name.startswith("logbench_") and callable(getattr(module, name))}
        for name in sorted((marked | named) - known):
            raise RefusalError(f"there is no hook {name}{suggest(name, known)}")
        for name in sorted(named - marked):
            raise RefusalError(f"{name} lacks @logbench.hookimpl")
        if not marked:
            raise RefusalError(f"{getattr(module, '__name__', module)} implements no hook")
        plugin.hooks = sorted(marked)

    def _offers(self, plugin: Plugin, defined: list[Definition]) -> Iterator[Offer]:
        """What the plugin's hooks yield; data sets that a user defined go to `defined`, for later."""
        for kind in self._kinds:
            hook = f"logbench_{kind}s"
            for item in self._call(plugin, hook):
                if kind == "dataset" and isinstance(item, Definition):
                    defined.append(item)
                    continue
                check_class(hook, item, COMPONENTS[kind], Component)
                check_component(hook, kind, item)
                yield self.offered(kind), item.name, RegisteredComponent(of_kind(kind, item), plugin)
        if self._kinds != KINDS:
            return
        published: list[tuple[str, dict[str, Any], type[Preset | Table | ExecutorComponent]]] = [
            ("logbench_presets", self.presets, Preset),
            ("logbench_tables", self.tables, Table),
            ("logbench_executors", self.executors, ExecutorComponent),
        ]
        for hook, table, wanted in published:
            for item in self._call(plugin, hook):
                check_class(hook, item, wanted)
                yield table, item.name, RegisteredComponent(item, plugin)
        for command in self._call(plugin, "logbench_commands") if self._commands else ():
            if not (callable(command) and getattr(command, "name", None)):
                raise RefusalError(f"logbench_commands must yield click commands, got {type(command).__name__}")
            if command.name in self._reserved:
                raise RefusalError(f"{command.name!r} is already taken by a command of logbench itself")
            yield self.commands, command.name, RegisteredComponent(command, plugin)

    def _definitions_of(self, plugin: Plugin) -> list[Definitions]:
        found = self._call(plugin, "logbench_definitions")
        for one in found:
            if not isinstance(getattr(one, "suffix", None), str) or not one.suffix.strip("."):
                raise RefusalError(f"logbench_definitions yields a {type(one).__name__} without a suffix")
        return found

    def _call(self, plugin: Plugin, hook: str) -> list[Any]:
        for impl in getattr(self.manager.hook, hook).get_hookimpls():
            if impl.plugin_name == self._registered(plugin):
                answer = impl.function()
                if isinstance(answer, str) or not isinstance(answer, Iterable):
                    raise RefusalError(f"{hook} must return an iterable, got {type(answer).__name__}")
                return list(answer)
        return []

    def _check_conflicts(self, offers: list[Offer]) -> None:
        fresh: set[tuple[int, str]] = set()
        for table, main, offered in offers:
            taken = _by_any_name(table)
            for name in (main, *getattr(offered.item, "aliases", ())):
                if name in taken:
                    raise RefusalError(f"{name!r} is already taken by {taken[name].plugin}")
                if (id(table), name) in fresh:
                    raise RefusalError(f"{name!r} is offered twice")
                fresh.add((id(table), name))

    def offered(self, kind: Kind) -> dict[str, RegisteredComponent[Any]]:
        """Components of a kind that only the run knows; where the code knows it, `components` has their types."""
        table: dict[str, RegisteredComponent[Any]] = self.components[kind]
        return table

    @overload
    def get(self, kind: Literal["dataset"], name: str) -> RegisteredComponent[DatasetComponent[Any]]: ...
    @overload
    def get(self, kind: Literal["parser"], name: str) -> RegisteredComponent[ParserComponent[Any]]: ...
    @overload
    def get(self, kind: Literal["windower"], name: str) -> RegisteredComponent[WindowerComponent[Any]]: ...
    @overload
    def get(self, kind: Literal["embedding"], name: str) -> RegisteredComponent[EmbeddingComponent[Any]]: ...
    @overload
    def get(self, kind: Literal["model"], name: str) -> RegisteredComponent[ModelComponent[Any]]: ...
    @overload
    def get(self, kind: Literal["evaluator"], name: str) -> RegisteredComponent[EvaluatorComponent[Any]]: ...
    @overload
    def get(self, kind: Literal["reporter"], name: str) -> RegisteredComponent[ReporterComponent[Any]]: ...
    @overload
    def get(self, kind: Kind, name: str) -> RegisteredComponent[BaseComponent[Any]]: ...
    def get(self, kind: Kind, name: str) -> RegisteredComponent[Any]:
        """The component of a kind that is called `name`; models may be combined, `a+b`, `a*5`.

        A name such as `./my_model.py` or `./my_model.py:MyModel` is that of a file of the user's own, whose
        component is then found by its name, too.

        Raises:
            ConfigError: there is none, with the closest name or all names, and what was set aside.
        """
        if lone_files.names_file(name):
            return self._of_file(kind, name)
        if kind == "model" and is_unpacked(name):
            return submitted(name)
        table = self.offered(kind)
        known = _by_any_name(table)
        if kind == "model" and meant(name, known) not in known and combination.is_name(name):
            members = [(self.get(kind, one), copies) for one, copies in combination.members_of(name)]
            item = combination.component([(entry.item, copies) for entry, copies in members], _combined)
            every = tuple(entry for entry, copies in members for _ in range(copies))
            return RegisteredComponent(item, members[0][0].plugin, every)
        return _find(known, name, kind, self.broken)

    def _of_file(self, kind: Kind, name: str) -> RegisteredComponent[Any]:
        entry = lone_files.component_in(kind, name)
        there = self.offered(kind).get(entry.item.name)
        if there is None or there.plugin.place != entry.plugin.place:
            self.add(kind, entry)
        self.offered(kind)[entry.item.name] = entry  # the file may have changed
        return entry

    def preset(self, name: str) -> Preset:
        """The preset `name`; ConfigError where there is none."""
        return _find(self.presets, name, "preset", self.broken).item

    def table(self, name: str) -> Table:
        """The published table `name`; ConfigError where there is none."""
        return _find(self.tables, name, "table", self.broken).item

    def executor(self, name: str) -> RegisteredComponent[ExecutorComponent]:
        """The executor `name`; ConfigError where there is none, or what it requires is not installed."""
        entry = _find(self.executors, name, "executor", self.broken)
        if lacking := requirements.lack_of("executor", entry):
            raise ConfigError(lacking)
        return entry

    def notify(self, hook: Literal["run_started", "stage_finished", "run_finished"], **arguments: Any) -> None:
        """Tell every plugin; one that raises is set aside with a line on standard error, and no longer told.

        What they print goes to standard error, which is not for tables and JSON.
        """
        for impl in getattr(self.manager.hook, f"logbench_{hook}").get_hookimpls():
            plugin = next(p for p in self.plugins if self._registered(p) == impl.plugin_name)
            if not plugin.error:
                chosen = {name: arguments[name] for name in impl.argnames if name in arguments}
                with contextlib.redirect_stdout(sys.stderr):
                    self._guard(plugin, partial(impl.function, **chosen))
                if plugin.error:
                    sys.stderr.write(f"warning: plugin {plugin} is set aside: {plugin.error}\n")


def _by_any_name(table: Mapping[str, RegisteredComponent[T]]) -> dict[str, RegisteredComponent[T]]:
    """Entries by name and alias."""
    return {alias: e for e in table.values() for alias in getattr(e.item, "aliases", ())} | {**table}


def _find(
    table: dict[str, RegisteredComponent[T]], name: str, what: str, broken: list[Plugin]
) -> RegisteredComponent[T]:
    if (found := meant(name, table)) in table:
        return table[found]
    aside = f"; set aside: {', '.join(map(str, broken))} (see: logbench plugins)" if broken else ""
    raise ConfigError(f"no {what} is called {name!r}{suggest(name, table)}{aside}")


def _combined(members: combination.Members) -> Any:
    from .ensemble import combined  # it loads numpy, and most commands only look at names

    return combined(members)
