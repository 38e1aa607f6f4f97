"""`logbench new-plugin`: write a small distribution with a working plugin, its tests, tox.ini and CI file."""

from __future__ import annotations

import datetime
import importlib.util
import re
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path
from string import Template

import click

from ..base.errors import ConfigError
from ..base.files import whole
from ..components.registry import Registry
from ..running.resolve import SINGLE
from ..testing.names import CHECKED, Checked, offers
from . import COMMANDS, State, pass_state
from .shared_options import say

PREFIX = "logbench-"
TEMPLATES = resources.files("logbench") / "templates"
EXAMPLES = {
    "model": "logbench run $name new-event --dataset hdfs-sim",
    "parser": "logbench run new-event --dataset hdfs-sim --parser $name",
    "windower": "logbench run new-event --dataset hdfs-sim --windower $name",
    "embedding": "logbench run sempca --dataset hdfs-sim --embedding $name",
    "evaluator": "logbench run new-event --dataset hdfs-sim --evaluator $name --json",
    "dataset": "logbench run new-event --dataset $name",
    "reporter": "logbench run new-event --dataset hdfs-sim --reporter $name",
    "preset": "logbench run n-gram --dataset hdfs-sim --preset $name",
    "table": "logbench reproduce $name",
    "command": "logbench $name hdfs-sim",
    "notification": "logbench run length --dataset hdfs-sim",
}
LISTED = {
    "preset": "logbench presets",
    "table": "logbench reproduce",
    "command": "logbench --help",
    "notification": "logbench plugins",
}
BENCH_LINES = """tox -e bench-update # write baseline.jsonl, the figures to be held
tox -e bench        # gate the figures of bench.toml against it
"""
# What a deep model adds: see the templates that name them.
DEEP = {
    "extra": "[deep]",
    "modules": '"$module.py", "${module}_network.py"',
    "where": "`$module.py` offers it,\n"
    "`${module}_network.py` holds its network; torch comes with `logbench-harness[deep]`.",
    "torch_hint": "# On Linux the package index has torch with CUDA, gigabytes of it. Without:\n"
    "#     PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu tox\n",
    "torch_index": "          PIP_EXTRA_INDEX_URL: https://download.pytorch.org/whl/cpu # torch without CUDA\n",
    "rule_options": " --logbench-set $name.steps=5",  # they look at its manners, not at its figures
}
NOT_DEEP = {**dict.fromkeys(DEEP, ""), "modules": '"$module.py"', "where": "`$module.py` holds it all."}
# Files beside the modules that a wheel needs.
DATA = {"model": ', "$module.toml"'}
LONGEST = 32
# Words with another meaning in `--set`.
RESERVED = {*SINGLE, "embedding", "evaluator", "reporter", "protocol"}


@click.command("new-plugin", epilog="Example: logbench new-plugin mine --kind model")
@click.argument("name")
@click.option("--kind", type=click.Choice(CHECKED), required=True, help="What the plugin offers.")
@click.option("--dir", "parent", type=click.Path(path_type=Path, file_okay=False), default=Path(),
              help="Folder for the new distribution (default: here).")  # fmt: skip
@click.option("--deep", is_flag=True, help="A model of torch, by logbench.torch.NextKeyModel.")
@pass_state
def command(state: State, name: str, kind: Checked, parent: Path, deep: bool) -> None:
    """Write a small plugin that works: change it into your own. It is a distribution logbench-NAME.

    It contains one module, its tests, pyproject.toml, tox.ini and a CI file. Nothing is overwritten.
    """
    if deep and kind != "model":
        raise ConfigError(f"--deep is for --kind model, not {kind}")
    words = names(name, kind, state.registry, deep)
    target = parent / words["distribution"]
    if target.exists() or target.is_symlink():
        raise ConfigError(f"{target}: already exists; nothing was overwritten, choose another name or --dir")
    with whole(target) as folder:
        for path, text in files(kind, words):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    say(f"wrote {target}: the {kind} {words['name']} in {words['module']}.py, its tests and tox.ini; next:\n")
    for line in (f"cd {target}", "pip install -e .", f"logbench check {words['name']}", words["example"]):
        print(f"  {line}")


def names(given: str, kind: Checked, registry: Registry, deep: bool = False) -> dict[str, str]:
    """What the templates call things: `name`, `distribution`, `module`, `cls`, …

    Raises:
        ConfigError: the name breaks PEP 508, or is taken.
    """
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", given):
        raise ConfigError(
            f"{given!r} cannot name a distribution: letters, digits, and - _ . between them (PEP 508)"
        )
    if len(given) > LONGEST:
        raise ConfigError(f"{given!r} is too long; use at most {LONGEST} characters")
    distribution = PREFIX + re.sub(r"[-_.]+", "-", given).lower().removeprefix(PREFIX)
    name = distribution.removeprefix(PREFIX)
    module = distribution.replace("-", "_")
    _check_free(kind, name, distribution, module, registry)
    cls = (
        "".join(part.capitalize() for part in name.split("-")).removesuffix(kind.capitalize()) + kind.capitalize()
    )
    words = {
        "name": name,
        "kind": kind,
        "distribution": distribution,
        "module": module,
        "cls": cls if cls.isidentifier() else f"A{cls}",
        "year": str(datetime.datetime.now(datetime.UTC).year),
        "version": metadata.version("logbench-harness"),
        "bench_lines": BENCH_LINES if (TEMPLATES / kind / "bench.toml.tmpl").is_file() else "",
        "list": LISTED.get(kind, f"logbench list {kind}"),
    }
    filled = {"example": EXAMPLES[kind], "data": DATA.get(kind, ""), **(DEEP if deep else NOT_DEEP)}
    return {**words, **{word: Template(text).substitute(words) for word, text in filled.items()}}


def _check_free(kind: Checked, name: str, distribution: str, module: str, registry: Registry) -> None:
    if name in RESERVED:
        raise ConfigError(f"{name!r} has another meaning in --set {name}.option=value; choose another name")
    if kind == "command" and name in COMMANDS:
        raise ConfigError(f"{name!r} is a command of logbench itself; choose another name")
    table = offers(registry, kind)
    if name in table:
        raise ConfigError(f"the {kind} {name!r} is offered by {table[name].plugin}; choose another name")
    if kind == "dataset" and name in registry.presets:  # its customary protocol is a preset of the same name
        raise ConfigError(
            f"the preset {name!r} is offered by {registry.presets[name].plugin}; choose another name"
        )
    if any(metadata.distributions(name=distribution)):
        raise ConfigError(f"a distribution {distribution} is installed; choose another name")
    if importlib.util.find_spec(module) is not None:
        raise ConfigError(f"a module {module} can be imported here; choose another name")


def files(kind: Checked, words: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """Relative path and text of every file."""

    def filled(where: str, name: str) -> str:
        return Template((TEMPLATES / where / f"{name}.tmpl").read_text(encoding="utf-8")).substitute(words)

    bench = bool(words["bench_lines"])
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        yield Path(name), filled("common", name)
    yield Path(".gitignore"), filled("common", "gitignore")
    yield Path(".github") / "workflows" / "tests.yml", filled("common", "tests.yml")
    yield Path("tox.ini"), filled("common", "tox.ini") + (filled("common", "bench.ini") if bench else "")
    own = "deep" if words["extra"] else kind
    if words["extra"]:
        yield Path(f"{words['module']}_network.py"), filled(own, "network.py")
    yield Path(f"{words['module']}.py"), filled(own, "module.py")
    if (TEMPLATES / own / "card.toml.tmpl").is_file():
        yield Path(f"{words['module']}.toml"), filled(own, "card.toml")
    yield Path("tests") / f"test_{words['module']}.py", filled(own, "test.py")
    if bench:
        yield Path("bench.toml"), filled(kind, "bench.toml")
