"""What counts as a plugin's code: all that it imports and reads of its own, wherever it lies, as it was loaded."""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.util
import os
import py_compile
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from distributions import announce

from logbench import run
from logbench.base import code_digests, code_files, compiled_files, files_beside, installed_files
from logbench.components.entry import Plugin
from logbench.components.registry import Registry
from logbench.running import identity

HOOK = """
import logbench

class Model:
    def fit(self, train, context):
        pass

    def score(self, sessions, context):
        return sessions.lengths

@logbench.hookimpl
def logbench_models():
    yield logbench.ModelComponent("own", Model)
"""
FILES = {
    "single_plugin.py": f"{HOOK}import beside_it\nTABLE = 'table.csv'\n",
    "beside_it.py": "def late():\n    from far import away\n",
    "table.csv": "1,2\n",
    "far/__init__.py": "",
    "far/away/__init__.py": "from . import inner\n",
    "far/away/inner.py": "import importlib\nimportlib.import_module('by_name')\n",
    "by_name.py": "",
    "company/one/__init__.py": f"{HOOK}from ..two import more\n",
    "company/two/more.py": "X = 1\n",
    "company/one/__pycache__/x.pyc": "0",
    "not_imported.py": "",
    "other.csv": "",
}
SINGLE = {"single_plugin.py", "beside_it.py", "table.csv", "far/__init__.py", "far/away/__init__.py",
          "far/away/inner.py", "by_name.py"}  # fmt: skip
PARTS = {"company/one/__init__.py", "company/two/more.py"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """`FILES` in a folder to import from."""
    folder = tmp_path / "site"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    installed_files.forget()
    before = set(sys.modules)
    yield folder
    installed_files.forget()
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")) or name.startswith(("company", "far")):
            del sys.modules[name]


def code(name: str, distribution: str = "") -> code_digests.Code:
    """As a new process would find it: digests are taken once a loaded module."""
    module = importlib.import_module(name)
    copy = ModuleType(name)
    copy.__dict__.update(module.__dict__)
    found = code_digests.code_of(copy, distribution)
    assert found is not None
    return found


@pytest.mark.parametrize(("plugin", "own"), [("single_plugin", SINGLE), ("company.one", PARTS)])
def test_every_file_that_takes_part_counts_and_no_other(site: Path, plugin: str, own: set[str]) -> None:
    first = code(plugin)
    assert {path.relative_to(site).as_posix() for path in first.stamps} == own
    for name in FILES:
        text = (site / name).read_text()
        (site / name).write_text(f"{text}# edited\n")
        assert (code(plugin).files != first.files) == (name in own), name
        (site / name).write_text(text)
    assert code(plugin).files == first.files


@pytest.mark.parametrize(
    ("reads", "file"),
    [
        ('HERE.parent / "tables" / "own.json"', "tables/own.json"),
        ('HERE.parent / "tables" / "deep" / NAME', "tables/deep/any"),
        ('HERE.with_suffix(".json")', "single_plugin.json"),
        ('next(HERE.parent.glob("t?ble-*.json"))', "table-1.json"),
        ('HERE.parent / f"{NAME}.json"', "any.json"),
        ('HERE.parent / "TABLE"', "TABLE"),
        ('HERE.parent / "my table.json"', "my table.json"),
    ],
)
def test_what_a_single_module_reads_beside_itself_counts_however_it_is_named(
    site: Path, reads: str, file: str
) -> None:
    (site / "single_plugin.py").write_text(
        f"{HOOK}from pathlib import Path\nHERE, NAME = Path(__file__), 'an' 'y'\ndef late():\n    return {reads}\n"
    )
    (site / file).parent.mkdir(parents=True, exist_ok=True)
    (site / file).write_text("1")
    first = code("single_plugin")
    (site / file).write_text("2")
    assert code("single_plugin").files != first.files
    (site / "other.csv").write_text("2")
    (site / file).write_text("1")
    assert code("single_plugin").files == first.files


@pytest.mark.parametrize("text", ["\u4e00" * 200, "/", "..", ".", "**x", "[", "far", "a\0b", ""])
def test_a_text_that_names_no_file_adds_none(site: Path, text: str) -> None:
    (site / "single_plugin.py").write_text(f"HERE = __file__, {text!r}\n")
    assert [path.name for path in code("single_plugin").stamps] == ["single_plugin.py"]


@pytest.mark.parametrize("text", ["logs", "*.log", ".log", "logs/**/*.log", "l*/*.log"])
@pytest.mark.parametrize("limit", ["entries", "files", "bytes"])
def test_a_module_beside_more_than_can_be_looked_at_is_not_known(
    site: Path, monkeypatch: pytest.MonkeyPatch, text: str, limit: str
) -> None:
    (site / "logs").mkdir()
    for folder in (site, site / "logs"):
        for number in range(30):
            (folder / f"{number}.log").write_text("1")
    (site / "single_plugin.py").write_text(f"HERE = __file__, {text!r}\n")
    assert not code("single_plugin").gap
    small = files_beside.Allowance(**{limit: 20})
    monkeypatch.setattr(files_beside, "Allowance", lambda: small)
    assert code("single_plugin").gap


def test_a_linked_folder_of_more_than_can_be_looked_at_is_not_read(
    site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    for number in range(3):
        (tmp_path / "elsewhere" / f"{number}.log").write_text("1")
    monkeypatch.setattr(code_files, "Allowance", lambda: files_beside.Allowance(files=2))
    assert not code("company.one").gap
    (site / "company/one/tables").symlink_to(tmp_path / "elsewhere")
    assert code("company.one").gap


@pytest.mark.parametrize(
    ("call", "known"),
    [
        ("importlib.import_module(NAME)", False),
        ("importlib.import_module(name='by_' + NAME)", False),
        ("__import__(f'{NAME}.x')", False),
        ("importlib.import_module(f'.{NAME}', __name__)", True),
        ("importlib.import_module('by_name')", True),
        ("importlib.import_module(name='by_name')", True),
    ],
)
def test_a_name_that_only_shows_when_it_runs_leaves_the_code_unknown(site: Path, call: str, known: bool) -> None:
    (site / "company/two/more.py").write_text(f"import importlib\nNAME = 'x'\ndef late():\n    return {call}\n")
    (site / "company/two/__init__.py").write_text("")
    assert (not code("company.one").gap) == known
    if "'by_name'" in call:
        assert "by_name.py" in {path.name for path in code("company.one").stamps}


def test_hidden_files_of_a_package_count_but_no_hidden_folders(site: Path) -> None:
    (site / "company/one/.git").mkdir()
    (site / "company/one/.git/HEAD").write_text("1")
    (site / "company/one/.table.json").write_text("1")
    first = code("company.one")
    (site / "company/one/.git/HEAD").write_text("2")
    assert code("company.one").files == first.files
    (site / "company/one/.table.json").write_text("2")
    assert code("company.one").files != first.files


def test_linked_folders_of_a_package_count_and_links_that_lead_back_end(site: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (table := tmp_path / "elsewhere" / "table.json").write_text("1")
    (site / "company/one/tables").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(site / "company")
    first = code("company.one")
    table.write_text("2")
    assert code("company.one").files != first.files


@pytest.mark.parametrize(
    "broken", ["def (", "\0", "import nothing_like_it, os\nfrom .. import x\nfrom . import *\n"]
)
def test_files_that_cannot_be_parsed_or_imported_still_count(site: Path, broken: str) -> None:
    first = code("single_plugin")
    (site / "beside_it.py").write_text(broken)
    assert code("single_plugin").files != first.files


def test_what_another_distribution_installed_counts_by_its_list_of_files(site: Path) -> None:
    alone = code("single_plugin")
    announce(site, "dist-far", "1.0", {})
    record = site / "dist_far-1.0.dist-info" / "RECORD"
    lines = [f"far/{name},sha256=abc,3" for name in ("__init__.py", "away/__init__.py", "away/inner.py")]

    def listed(*texts: str) -> code_digests.Code:
        record.write_text("\n".join(texts))
        installed_files.forget()
        return code("single_plugin")

    first = listed(*lines, "far/__pycache__/x.pyc,,")
    assert {path.relative_to(site).parts[0] for path in first.stamps} == {
        "single_plugin.py",
        "beside_it.py",
        "table.csv",
    }
    assert first.files != alone.files and first.libraries != alone.libraries
    assert listed(lines[0], "far/away/inner.py,sha256=def,3").libraries != first.libraries
    assert listed(*lines).libraries == first.libraries
    assert code("single_plugin", "Dist_Far").files == alone.files, "its own distribution's files are its own"


def test_what_another_distribution_installed_counts_as_it_was_edited_in_place(site: Path) -> None:
    announce(site, "dist-far", "1.0", {})
    record = site / "dist_far-1.0.dist-info" / "RECORD"
    lines = []
    for path in sorted((site / "far").rglob("*.py")):
        found = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")
        lines.append(f"{path.relative_to(site).as_posix()},sha256={found},3")
    record.write_text("\n".join([*lines, "dist_far-1.0.dist-info/RECORD,,"]))

    def libraries() -> str:
        installed_files.forget()
        found = code("single_plugin")
        assert found is not None
        return found.libraries

    first, inner = libraries(), site / "far/away/inner.py"
    text, times = inner.read_text(), inner.stat()
    inner.write_text(text[::-1])
    os.utime(inner, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert libraries() != first, "edited"
    inner.write_text(text)
    assert libraries() == first, "written anew, as it was"


def test_the_core_is_every_file_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the core in another process: any edit, committed or not, makes other keys."""
    core = Path(code_digests.__file__).parents[1]
    assert {path for path in code_digests.core().stamps if path.suffix == ".py"} == set(core.rglob("*.py"))
    copy = shutil.copytree(core, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_digests, "CORE", copy)
    find = code_digests.core.__wrapped__
    first = find()
    assert first.files == code_digests.core().files
    for name in ("pipeline/grouping.py", "data/sessions.py", "cli/run.py"):
        text = (copy / name).read_text()
        (copy / name).write_text(text + "#\n")
        assert find().files != first.files, name
        (copy / name).write_text(text)
    assert find().files == first.files


def test_code_edited_after_it_was_loaded_is_not_known(site: Path) -> None:
    module = importlib.import_module("single_plugin")
    plugin = Plugin("own", "dist-own", "1", lambda: module)
    Registry([plugin])
    found = code_digests.code_of(module, "dist-own")
    assert found is not None and not found.edited
    stat = (site / "far/away/inner.py").stat()
    (site / "far/away/inner.py").write_text(FILES["far/away/inner.py"].replace("by_name", "by_nome"))
    os.utime(site / "far/away/inner.py", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert code_digests.code_of(module, "dist-own") is found and found.edited, "the digest stays that of what runs"


def test_code_edited_before_its_digest_was_taken_is_not_known(site: Path) -> None:
    module = importlib.import_module("single_plugin")
    code_digests.loaded(module, 0)  # long before its files were written
    found = code_digests.code_of(module)
    assert found is not None and found.edited


def test_what_another_process_found_is_taken_where_it_holds_here(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_digests, "_TOLD", {})
    code_digests.code_of(importlib.import_module("single_plugin"))
    (asked,) = (one for one in code_digests.known() if one[1] == str(site / "single_plugin.py"))

    def tell(found: code_digests.Code, **said: bool) -> None:
        code_digests.learn({asked: replace(found, files="told", **said)})

    tell(code_digests.known()[asked])
    assert code("single_plugin").files == "told" and not code("single_plugin").edited
    (site / "beside_it.py").write_text("X = 2\n")
    after = code("single_plugin")
    assert after.files != "told", "a file was edited after the other looked"
    tell(after)
    monkeypatch.setattr(code_digests, "time", Namespace(time_ns=lambda: 0))
    assert code("single_plugin").files == after.files, "it was loaded here before the file was edited"
    assert code("single_plugin").edited
    tell(after, settled=False, stale=True)
    assert code("single_plugin").edited, "nobody else can see an outdated compiled file that was removed"


def test_a_run_whose_plugin_was_edited_meanwhile_says_so_and_claims_no_code(site: Path, tmp_path: Path) -> None:
    module = importlib.import_module("single_plugin")

    def registry() -> Registry:
        return Registry(
            [*(plugin for plugin in Registry().plugins), Plugin("own", "dist-own", "1", lambda: module)]
        )

    small = {"settings": {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}}
    (first,) = run("own", dataset="hdfs-sim", registry=registry(), out=tmp_path / "a", **small)
    assert first.plugins["own"]["code"] and not any("edited" in note for note in first.notes)
    assert identity.of_run(first.as_dict()).known  # type: ignore[union-attr]
    (site / "single_plugin.py").write_text(FILES["single_plugin.py"] + "#\n")
    (second,) = run("own", dataset="hdfs-sim", registry=registry(), out=tmp_path / "b", **small)
    assert second.plugins["own"]["code"] is None
    assert [note for note in second.notes if "own (dist-own 1)" in note and "edited after loading" in note]
    assert not identity.of_run(second.as_dict()).known  # type: ignore[union-attr]


def test_plugins_of_one_name_in_two_distributions_both_stand_in_the_record(site: Path) -> None:
    modules = [importlib.import_module(name) for name in ("single_plugin", "company.one")]

    def load(at: int) -> Callable[[], ModuleType]:
        return lambda: modules[at]

    plugins = [Plugin("plugin", f"dist-{at}", "1", load(at)) for at in range(2)]
    from logbench.components.configured import ConfiguredComponent
    from logbench.components.entry import RegisteredComponent

    parts = [ConfiguredComponent(RegisteredComponent(None, plugin), None) for plugin in plugins]
    assert list(identity.plugins(parts)) == ["dist-0:plugin", "dist-1:plugin"]
    assert list(identity.plugins(parts[:1])) == ["plugin"]


def test_compiled_files_are_removed_where_they_are_of_other_text_and_no_others(tmp_path: Path) -> None:
    sources = [tmp_path / f"{name}.py" for name in ("edited", "touched", "newer", "as_it_was", "broken", "never")]
    for source in sources:
        source.write_text("A = 1\n")
        if source.stem != "never":
            py_compile.compile(str(source))
    times = sources[0].stat()
    sources[0].write_text("A = 2\n")
    sources[4].write_text("A = (\n")
    sources[2].write_text("A = 2\n")
    for source in (sources[0], sources[1], sources[4]):
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.utime(sources[2], ns=(0, 10**18))
    assert compiled_files.remove_stale(sources)
    left = {Path(importlib.util.source_from_cache(str(path))).stem for path in tmp_path.glob("*/*.pyc")}
    assert left == {"touched", "newer", "as_it_was"}
    assert not compiled_files.remove_stale(sources)
