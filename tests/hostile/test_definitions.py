"""Definitions of own logs that are odd, damaged or huge: copied without a loss, or refused in one line."""

from __future__ import annotations

import os
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from counted import calls
from hostile_tries import tries

from logbench import DataError, LogbenchError
from logbench.components.registry import Registry
from logbench_ownlogs.dataset import component
from logbench_ownlogs.definition import OwnLog
from logbench_ownlogs.library import Library

ODD = {
    "a line in a string": 'files = ["a.log"]\ntitle = """\nfolder = "x"\nend"""\nfolder = "logs"\n',
    "a quoted key": 'files = ["a.log"]\n"folder" = "logs"\n',
    "a literal quoted key": "'folder'='logs'\nfiles = ['a.log']",
    "several lines": 'folder = """\nlogs"""\nfiles = [\n  "a.log", # first\n  "b.log",\n]\n',
    "comments": '# folder = "c"\nfiles = "a.log" # folder = 3\n   # end',
    "line ends of Windows": 'files = ["a.log"]\r\ntitle = "t"\r\nfolder = "x"\r\n',
    "a byte order mark": '\ufefffiles = ["a.log"]\n',
    "escapes": 'files = ["a\\u00e9\\t.log"]\ntitle = "\\"folder = 1\\n"\n',
    "blank lines": "files = ['a.log']\n" + "\n" * 40_000 + "title = 'x'\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_a_copy_is_toml_and_loses_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes(text.encode())
    before = tomllib.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    copy = Library().add(path, "my", ()).read_text(encoding="utf-8")
    folder = str((tmp_path / before.get("folder", "")).resolve())
    assert tomllib.loads(copy) == {**before, "folder": folder}
    assert copy.count("#") == text.count("#")
    path.write_text(copy, encoding="utf-8")
    assert Library().add(path, "again", ()).read_text(encoding="utf-8") == copy


def test_blank_lines_and_names_of_files_cost_the_same_each(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"

    def work(count: int) -> int:
        path.write_text("files = [" + "'a.log',\n" * count + "]\n" + "\n# c\n" * count)
        return calls(lambda: Library().add(path, "my", ()))

    assert work(800) < 2.5 * work(400)


VALUES = [
    "1", "-1", "1e400", "nan", "true", '""', "[]", "{}", "{x = 1}", "[[1]]", "1979-05-27", "07:32:00", '"\\u0000"',
    '"\\u001b[2J"', '"a\\nb"', "'['", "'('", "'<a><b>'", "'(?P<x>'", "'%'", "'%Q'", "['.']", "['/']", "['**']",
    "9223372036854775808", "'..'", "'~'", "'/dev/zero'", "'none'", "['a', 1]", '"\\ud800"', "'.*.*.*.*x'",
    "'a{1000}{1000}'", "'session'", "'time'", "'json'", "'regex'", "'csv'", "'file'", "'message'", "'raw'",
    "'Content'", "'epoch'", "'auto'", "'lnav:x'", "['auto']", f"'{'x' * 3000}'",
]  # fmt: skip
SIGNS = ["'", '"', "[", "\x00", "\x1b", "=", "\r", "é", "{", "#"]


@pytest.mark.parametrize("count", [60, pytest.param(3000, marks=pytest.mark.slow)])
def test_made_up_definitions_are_read_or_refused_in_one_line(count: int, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2024-01-01 INFO x: job 1\n" * 5)
    path, known = tmp_path / "my.toml", [field.name for field in fields(OwnLog)]
    tried = refused = 0
    for rng in tries(count):
        tried += 1
        keys = rng.sample(known, rng.randint(1, 4))
        lines = {"files": '["*.log"]', **{key: rng.choice(VALUES) for key in keys}}
        text = "\n".join(f"{key} = {value}" for key, value in lines.items())
        if rng.random() < 0.2:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(SIGNS) + text[at + 1 :]
        path.write_text(text, encoding="utf-8", newline="")
        try:
            item = component(path, "my")
            assert item.config is not None
            data = item.build(item.config())
            data.read(tmp_path).frame.collect()
        except LogbenchError as error:
            refused += 1
            assert "\n" not in str(error), text
        except BaseException as error:
            error.add_note(text)
            raise
    assert refused > tried // 4


DEEP = {
    "arrays": "files = " + "[" * 20_000 + "]" * 20_000,
    "tables": "a" + ".a" * 20_000 + " = 1",
    "quoted parts": "'a'" + ".'a'" * 20_000 + " = 1",
    "an inline table": "files = " + "{a=" * 20_000 + "1" + "}" * 20_000,
    "a long number": "year = " + "9" * 5000,
    "no TOML": "= = =",
    "no text": "\0\xff",
    "year 0": "files = ['a']\nyear = 0",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_a_definition_in_the_users_folder_costs_itself_alone(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "own-config" / "datasets"
    folder.mkdir(parents=True)
    (folder / "good.toml").write_text("files = ['*.log']")
    (folder / "bad.toml").write_text(text)
    os.mkfifo(folder / "pipe.toml")
    (folder / "zero.toml").symlink_to("/dev/zero")
    (folder / "folder.toml").mkdir()
    (folder / "gone.toml").symlink_to(folder / "nowhere")
    registry = Registry(block=["nextkey", "deeplog", "reconstruction", "supervised", "classic"])
    assert {"good", "hdfs"} <= set(registry.components["dataset"])
    aside = {plugin.name: plugin.error for plugin in registry.broken}
    assert set(aside) - {"bad"} == {"pipe", "zero", "folder", "gone"}
    assert text == DEEP["year 0"] or "bad" in aside
    assert all("\n" not in said and len(said) < 1000 for said in aside.values()), aside


def test_a_message_that_no_line_has_is_named_where_formats_stand_within_it(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2024-01-01 INFO x: job 1\n" * 5)
    (tmp_path / "my.toml").write_text('files = ["*.log"]\nmessage = "absent"\ninner = {}\n')
    item = component(tmp_path / "my.toml", "my")
    assert item.config is not None
    with pytest.raises(DataError, match="its lines have no field 'absent'"):
        item.build(item.config()).read(tmp_path).frame.collect()
