"""Imports inside functions are for heavy packages alone: a command that looks at names must start at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import logbench

CORE = Path(logbench.__file__).parent
HEAVY = {
    "cryptography",
    "http",
    "multiprocessing",
    "numpy",
    "onnx_ir",
    "onnxruntime",
    "optuna",
    "polars",
    "scipy",
    "sklearn",
    "torch",
    "rich",
    "requests",
    "urllib3",
    "pydantic",
    "psutil",
}
LATE = {"click", "filelock", "fsspec", "packaging", "platformdirs", "tabulate", *HEAVY}
# Packages that a function may import where only some commands need them.
SYSTEMS = {"resource"}
# Modules of the standard library that not every system has.
# Loaded by pytest, or by every plugin, in projects that use nothing of it; and what starts the worker first.
DOORS = {"logbench", "logbench.testing.pytest_plugin", "logbench.__main__"}


NAMES_ONLY = "from logbench.cli import main; import sys; sys.argv[1:] = {words!r}; main()"
A_RUN = """
import logbench
small = {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}
(record,) = logbench.run("{model}", dataset="hdfs-sim", settings=small, out=None)
assert record.metrics["session"]["all"]["auroc"] is not None, record
"""


def name_of(path: Path) -> str:
    parts = path.relative_to(CORE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(CORE.rglob("*.py"))}


def imported(node: ast.AST, module: str) -> Iterator[str]:
    """Full names that an import statement names: modules of the core, or top-level packages."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            full = f"{base}.{alias.name}"
            yield full if full in MODULES else base if base in MODULES else base.partition(".")[0]


@cache
def imports(module: str) -> tuple[set[str], set[str]]:
    """What a module imports when it loads, and inside functions; imports for typing are neither."""
    first: set[str] = set()
    late: set[str] = set()

    def walk(node: ast.AST, inside: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            (late if inside else first).update(imported(child, module))
            walk(child, inside or isinstance(child, ast.FunctionDef | ast.Lambda))

    walk(ast.parse(MODULES[module].read_text(encoding="utf-8")), inside=False)
    return first, late


@cache
def loads(module: str) -> frozenset[str]:
    """Heavy packages that are in memory once a module is."""
    seen, waiting, found = {module}, [module], set()
    while waiting:
        for name in imports(waiting.pop())[0]:
            found |= {name} & HEAVY
            if name in MODULES and name not in seen:
                seen.add(name)
                waiting.append(name)
    return frozenset(found)


@pytest.mark.parametrize("module", MODULES)
def test_a_function_imports_only_what_is_heavy(module: str) -> None:
    if module in DOORS:
        return
    for name in imports(module)[1] - LATE - SYSTEMS:
        assert name in MODULES, f"{name} is light: import it when the module loads"
        more = loads(name) - loads(module)
        assert more, f"{name} loads nothing heavy that {module} does not load: import it when the module loads"


def test_the_rule_sees_imports_of_each_kind() -> None:
    assert "polars" in loads("logbench.data.sessions") and not loads("logbench.components.registry") - {"psutil"}
    assert imports("logbench.cli.leaderboard")[1] and all(name in sys.stdlib_module_names for name in SYSTEMS)


def test_torch_is_for_its_room_alone() -> None:
    """Outside, one function asks torch for the device, and goes on without it."""
    users = {name for name in MODULES if {"torch", "safetensors"} & set.union(*imports(name))}
    assert "logbench.torch.saving" in users
    assert {name for name in users if not name.startswith("logbench.torch.")} == {"logbench.running.fit_checks"}
    assert "torch" not in imports("logbench.running.fit_checks")[0]


def loaded_after(code: str) -> set[str]:
    """Modules in memory once a fresh Python has run this code."""
    told = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {code}"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(("words", "most"), [(["list"], 68), (["--help"], 57)])
def test_a_command_that_looks_at_names_loads_little(words: list[str], most: int) -> None:
    modules = loaded_after(NAMES_ONLY.format(words=words))
    assert not {name for name in modules if name.partition(".")[0] in {*HEAVY, "packaging", "ssl"}}
    assert len([name for name in modules if name.startswith("logbench.")]) <= most
    assert len([name for name in modules if name.startswith("logbench.cli.")]) <= 5, "of 24 commands"


@pytest.mark.parametrize(
    ("module", "most"),
    [("running.first_worker", set()), ("running.worker_start", set()), ("running.workers", {"psutil"})],
)
def test_processes_start_before_anything_heavy_loads(module: str, most: set[str]) -> None:
    """So a command, its worker and the worker's process of models load side by side."""
    assert loads(f"logbench.{module}") <= {"multiprocessing", *most}


STARTING = """
import sys
from logbench.{module} import {function}
def audit(event, arguments):
    if event == "subprocess.Popen":
        print(*sys.modules, file=sys.stderr)
        sys.exit()
sys.addaudithook(audit)
sys.argv[1:] = ["run", "length", "--dataset", "hdfs-sim"]
{function}({arguments})
"""


@pytest.mark.parametrize(
    ("module", "function", "arguments"),
    [("__main__", "main", ""), ("running.worker_start", "serve", "0, 1, [], None, None, ''")],
)
def test_little_is_loaded_when_a_command_and_its_worker_start_another(
    module: str, function: str, arguments: str
) -> None:
    code = STARTING.format(module=module, function=function, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    modules = done.stderr.splitlines()[0].split()
    assert "logbench.running.first_worker" in modules and not {"click", "pluggy", "psutil"} & set(modules)
    assert len([name for name in modules if name.startswith("logbench.")]) <= 18
    assert len(modules) <= 160


A_SMALL_RUN = ["run", "length", "--dataset", "hdfs-sim", "--set", "hdfs-sim.blocks=300"]


def test_a_command_leaves_what_is_heavy_to_its_worker(tmp_path: Path) -> None:
    """Else both would load it at once, on cores that the worker and its process of models need."""
    modules = loaded_after(NAMES_ONLY.format(words=[*A_SMALL_RUN, "--out", str(tmp_path)]))
    assert "logbench_reporters.table" in modules and "logbench.running.records" in modules
    assert not modules & {"numpy", "polars", "scipy", "sklearn", "logbench.running.runner"}


def test_a_worker_loads_nothing_of_commands() -> None:
    modules = loaded_after(
        "import logbench.running.worker_tasks; from logbench.components.registry import Registry; "
        "assert Registry(commands=False).get('reporter', 'table')"
    )
    assert "logbench_reporters" in modules
    assert not {name for name in modules if name.partition(".")[0] == "click" or name.endswith(".command")}


OPTIONS = """
import dataclasses, json, sys
from logbench.base.options import make
from logbench.components.registry import KINDS, Registry
registry = Registry(commands=False)
for name, item in [(name, entry.item) for kind in KINDS for name, entry in registry.offered(kind).items()]:
    if item.config is not None:
        default = item.config()
        assert make(item.config, json.loads(json.dumps(dataclasses.asdict(default))), name) == default, name
"""


def test_options_that_a_process_of_models_is_sent_are_taken_without_pydantic() -> None:
    assert "pydantic" not in loaded_after(OPTIONS)


def test_importing_logbench_loads_nothing_of_it() -> None:
    modules = loaded_after("import logbench")
    assert [name for name in modules if name.startswith("logbench.")] == []


def test_ecvc_on_few_units_loads_of_scipy_only_sparse_arrays() -> None:
    modules = loaded_after(A_RUN.replace("{model}", "ecvc"))
    assert "scipy.sparse" in modules
    assert not {name for name in modules if name.startswith(("scipy.s", "scipy.l"))} - {
        name for name in modules if name.startswith("scipy.sparse")
    }


def test_a_run_loads_no_library_that_it_does_not_need() -> None:
    modules = loaded_after(A_RUN.replace("{model}", "new-event"))
    assert "polars" in modules and "logbench_evaluators.classification" in modules
    assert not modules & {
        "scipy",
        "sklearn",
        "torch",
        "pydantic",
        "packaging",
        "requests",
        "rich",
        "ssl",
        "tabulate",
    }
