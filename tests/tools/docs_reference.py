"""Writes what follows from the code: pages of docs/reference, the tables of record.md, tests/api/public_api.txt.

Run it after a change of a command, an option or a public name, and review the difference:

    python tests/tools/docs_reference.py

It refuses where an argument of a hook vanished or changed: plugins in the field name it, so it may only grow.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_origin

import click
import record_tables

import logbench
import logbench.testing
from logbench.api import hookspecs
from logbench.cli import COMMANDS, State, cli
from logbench.components.entry import installed
from logbench.components.registry import Registry

ROOT = Path(__file__).parents[2]
AGAIN = "to write it anew: python tests/tools/docs_reference.py"
OWN = "logbench-harness"
WIDTH = 100
# Rooms that are imported by name, and what the reference says above their names.
ROOMS = {
    "testing": "For tests of plugins: the rules of `logbench check`, and small material.",
    "torch": "For deep models, with the extra `deep`; [pages with whole models](../torch/index.md).",
}
HIDDEN = {"__init__", "__post_init__", "__repr__", "__eq__", "__hash__", "__getattr__"}


class _Text:
    """Prints as it is, where `inspect` would print the repr of an annotation or a default."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def public() -> dict[str, Any]:
    """Every public name, with `testing.` or `torch.` before those of a room, in the order of the alphabet."""
    names = {name: getattr(logbench, name) for name in logbench.__all__}
    for room in ROOMS:
        module = importlib.import_module(f"logbench.{room}")
        names |= {f"{room}.{name}": getattr(module, name) for name in module.__all__}
    return dict(sorted(names.items(), key=lambda pair: (_room(pair[0]), pair[0].lower())))


def _room(name: str) -> str:
    return name.partition(".")[0] if "." in name else ""


def hooks() -> dict[str, Callable[..., Any]]:
    """The hook specifications by name, in the order of their file."""
    return {name: value for name, value in vars(hookspecs).items() if name.startswith("logbench_")}


def fixtures() -> dict[str, tuple[str, str]]:
    """Pytest fixtures for authors by name: what each gives, and its docstring."""
    tree = ast.parse((Path(logbench.testing.__file__).parent / "pytest_plugin.py").read_text(encoding="utf-8"))
    return {
        node.name: (ast.unparse(node.returns), ast.get_docstring(node) or "")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.returns
        if any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def summary(thing: Any) -> str:
    """First paragraph of a docstring in one line; empty without one of its own."""
    text = inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0]
    generated = isinstance(thing, type) and text.startswith(f"{thing.__name__}(")
    return "" if generated else " ".join(text.split())


def _annotation(value: Any) -> str:
    return value if isinstance(value, str) else inspect.formatannotation(value)


def _plainly(parameter: inspect.Parameter) -> inspect.Parameter:
    default, annotation = parameter.default, parameter.annotation
    if default is not parameter.empty:
        default = _Text(default.__name__ if inspect.isfunction(default) else repr(default).removeprefix("Posix"))
    if annotation is not parameter.empty:
        annotation = _Text(_annotation(annotation))
    return parameter.replace(default=default, annotation=annotation)


def parameters(thing: Any) -> tuple[list[str], str]:
    """Parameters of a callable, one text each (`*` among them), and what it returns."""
    signature = inspect.signature(thing)
    kept = [_plainly(one) for one in signature.parameters.values()]
    texts = [str(one) for one in kept]
    kinds = [one.kind for one in kept]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        texts.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    returns = "" if signature.return_annotation is signature.empty else _annotation(signature.return_annotation)
    return texts, returns


def signature(name: str, thing: Any) -> str:
    """`name(…) -> …`, one parameter a line where it is long."""
    texts, returns = parameters(thing)
    arrow = f" -> {returns}" if returns and not isinstance(thing, type) else ""
    line = f"{name}({', '.join(texts)}){arrow}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {text}," for text in texts), f"){arrow}"])


def members(cls: type) -> Iterator[tuple[str, str, Any]]:
    """Attributes without a default, properties and methods of a public class: name, text, what it is."""
    fields = {one.name for one in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    for name, hint in inspect.get_annotations(cls).items():
        if name not in fields and not name.startswith("_"):
            yield name, f"{name}: {_annotation(hint)}", None
    for name, value in vars(cls).items():
        if name in HIDDEN or (name.startswith("_") and not name.startswith("__")) or name in fields:
            continue
        kind = next((k for k in (staticmethod, classmethod, property) if isinstance(value, k)), None)
        inner = value.__func__ if kind in (staticmethod, classmethod) else value
        if kind is property or hasattr(value, "func"):
            getter = value.fget if kind is property else value.func
            yield name, f"{name}: {_annotation(inspect.signature(getter).return_annotation)}", getter
        elif inspect.isfunction(inner) and inner.__module__ == cls.__module__ and not _made(cls, inner):
            decorator = f"@{kind.__name__} " if kind else ""
            yield name, f"{decorator}{signature(name, inner)}", inner


def _made(cls: type, function: Any) -> bool:
    """Whether a method was made by `dataclass` or `Protocol`, not written in the class."""
    return f"def {function.__name__}(" not in inspect.getsource(cls)


def aliases() -> dict[str, str]:
    """Types of choices that the surface names (`Supervision`), and their choices."""
    modules = {sys.modules[thing.__module__] for thing in public().values() if hasattr(thing, "__module__")}
    return {
        name: str(value).removeprefix("typing.")
        for module in sorted(modules, key=lambda module: module.__name__)
        for name, value in vars(module).items()
        if get_origin(value) is Literal and not name.startswith("_")
    }


def surface() -> str:
    """`tests/api/public_api.txt`."""
    parts = []
    for name, thing in public().items():
        if isinstance(thing, type):
            bases = ", ".join(base.__name__ for base in thing.__bases__ if base is not object)
            own = [f"    {line}" for _, text, _ in members(thing) for line in text.splitlines()]
            made = [] if issubclass(thing, Exception) or getattr(thing, "_is_protocol", False) else _made_by(thing)
            parts.append("\n".join([f"class {name}({bases})", *made, *own]))
        elif inspect.isfunction(thing):
            parts.append(f"def {signature(name, thing)}")
        else:
            parts.append(f"{name}: {type(thing).__name__}")
    parts += [f"fixture {name} -> {gives}" for name, (gives, _) in fixtures().items()]
    parts += [f"hook {signature(name, hook)}" for name, hook in hooks().items()]
    body = "\n\n".join(parts)
    used = [f"type {name} = {text}" for name, text in aliases().items() if re.search(rf"\b{name}\b", body)]
    head = f"# The public surface of logbench; reviewed, held by tests/api/test_public_names.py; {AGAIN}"
    return "\n\n".join([head, body, "\n".join(used)]) + "\n"


def _made_by(cls: type) -> list[str]:
    return [f"    {text}" for text in parameters(cls)[0] if not text.startswith("_")]


HOOK = re.compile(r"^hook (\w+)\((.*?)\)(?: -> [^\n]*)?$", re.M | re.S)


def hook_arguments(text: str) -> dict[str, list[str]]:
    """Arguments of each hook of a surface, as they are written there."""
    return {
        name: [one.strip(" ,") for one in re.split(r"\n" if "\n" in inside else r", (?![^\[]*\])", inside) if one]
        for name, inside in HOOK.findall(text)
    }


def broken_hooks(old: str, new: str) -> list[str]:
    """What a plugin written for the surface `old` would miss in `new`: hooks and their arguments may only grow."""
    now = hook_arguments(new)
    found = []
    for name, arguments in hook_arguments(old).items():
        if name not in now:
            found.append(f"hook {name} is gone: plugins implement it, so keep it and let it warn")
        found += [
            f"hook {name}: argument {one!r} is gone or changed; arguments may grow, never change"
            for one in arguments
            if one not in now.get(name, [one])
        ]
    return found


def api() -> str:
    """`docs/reference/api.md`: a directive for each public name, from which mkdocstrings makes the site's page."""
    parts = [
        "# Public names",
        f"<!-- made from the code; {AGAIN} -->",
        "A plugin imports these names and no others: `from logbench import …`. What is not here may change in any "
        "release. What is here is kept: a name that goes away warns for one release first (`DeprecationWarning`, "
        "with what to use instead). The hooks have [pages of their own](../hooks/index.md).",
        "The site (`tox -e docs -- serve`) shows signature, attributes and methods of each name; so does "
        "`help(logbench.Sessions)`.",
        "## logbench",
    ]
    for name in public():
        if (room := _room(name)) and f"## logbench.{room}" not in parts:
            parts += [f"## logbench.{room}", ROOMS[room]]
        parts += [f"### `{name}`", *filter(None, [documented(name)]), f"::: logbench.{name}"]
    parts += ["## Pytest fixtures", "Where logbench is installed, pytest has them; nothing is to be imported."]
    parts += [f"### `{name}`\n\n::: logbench.testing.pytest_plugin.{name}" for name in fixtures()]
    choices = [f"- `{name}`: " + ", ".join(_choices(text)) for name, text in aliases().items()]
    parts += ["## Types of choices", "\n".join(choices)]
    return "\n\n".join(parts) + "\n"


def _choices(text: str) -> list[str]:
    return [f"`{one}`" for one in re.findall(r"'([^']*)'", text)]


def documented(name: str) -> str:
    """The comment above an assignment, as `hookimpl` has one."""
    match = re.search(rf"((?:^# .*\n)+){name} = ", inspect.getsource(hookspecs), re.M)
    return " ".join(match[1].replace("# ", "").split()) if match else ""


def _block(text: str) -> str:
    return f"```text\n{text}\n```"


def _escaped(text: str) -> str:
    """Angle brackets and bars outside code would be tags and cells."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by what is typed (`bench run`), groups before what is in them."""
    context = click.Context(cli, info_name="logbench")
    context.obj = state = State(())
    state.registry = Registry([plugin for plugin in installed() if plugin.distribution == OWN])
    for name in [*COMMANDS, *sorted(state.registry.commands)]:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _within(name, command)


def _within(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from _within(f"{name} {inner}", one)


def options(command: click.Command) -> list[click.Option]:
    """The options of a command, in the order of its help."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def reference() -> str:
    """`docs/reference/commands.md`."""
    parts = [
        "# Commands",
        f"<!-- made from the code; {AGAIN} -->",
        "`logbench COMMAND --help` says the same in a terminal. Tables and JSON go to standard output, progress "
        "and notes to standard error. Exit code 0: it went well; 1: a bug, or a comparison that came out worse; "
        "2: what was asked cannot be done, with one line that says why.",
        "Before the command:",
        _table(cli),
    ]
    for name, command in commands():
        heading = "###" if " " in name else "##"
        parts += [f"{heading} `logbench {name}`", _help(command), _block(_usage(name, command))]
        parts += [_table(command)] if options(command) else []
        if command.epilog:
            parts.append("Example: `" + " ".join(command.epilog.split()).removeprefix("Example: ") + "`")
    return "\n\n".join(parts) + "\n"


def _help(command: click.Command) -> str:
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    return "\n\n".join(_escaped(" ".join(part.split())) for part in text.split("\n\n"))


def _usage(name: str, command: click.Command) -> str:
    words = [f"logbench {name}"] + (["[OPTIONS]"] if options(command) else [])
    for one in command.params:
        if isinstance(one, click.Argument):
            metavar = one.metavar or (one.name or "").upper() + ("…" if one.nargs == -1 else "")
            words.append(metavar if one.required or metavar.startswith("[") else f"[{metavar}]")
    return " ".join(words + (["COMMAND"] if isinstance(command, click.Group) else []))


def _table(command: click.Command) -> str:
    rows = ["| option | meaning |", "|---|---|"]
    for one in options(command):
        names = ", ".join([*one.opts, *one.secondary_opts])
        rows.append(f"| `{names}{_value(one)}` | {_meaning(one)} |".replace("\n", " "))
    return "\n".join(rows)


def _value(option: click.Option) -> str:
    if option.is_flag or option.count:
        return ""
    if option.metavar:
        return f" {option.metavar}"
    if isinstance(option.type, click.Choice):
        return " " + "/".join(map(str, option.type.choices))
    return " " + {"integer range": "N", "integer": "N", "float range": "X", "float": "X"}.get(
        option.type.name, option.type.name.upper()
    )


def _meaning(option: click.Option) -> str:
    text = _escaped(" ".join((option.help or "").split())).replace("|", "\\|")
    default = option.default
    shown = option.show_default and isinstance(default, (str, int, float, Path)) and not option.is_flag
    return f"{text} Default: `{default}`." if shown else text


RECORD = Path(__file__).parents[2] / "docs" / "reference" / "record.md"


def record() -> str:
    """`docs/reference/record.md`: tables from the types, the rest as it stands."""
    return record_tables.filled(RECORD.read_text(encoding="utf-8"))


def files() -> Mapping[Path, Callable[[], str]]:
    """What is derived, and how."""
    return {
        ROOT / "docs" / "reference" / "commands.md": reference,
        ROOT / "docs" / "reference" / "api.md": api,
        ROOT / "docs" / "reference" / "record.md": record,
        ROOT / "tests" / "api" / "public_api.txt": surface,
    }


def main() -> int:
    """Write the files; 1 where a hook would break plugins."""
    held = ROOT / "tests" / "api" / "public_api.txt"
    if held.exists() and (broken := broken_hooks(held.read_text(encoding="utf-8"), surface())):
        print("\n".join(broken), file=sys.stderr)
        return 1
    for path, text in files().items():
        path.write_text(text(), encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
