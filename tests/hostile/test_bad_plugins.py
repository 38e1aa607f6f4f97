"""Plugins, caches and options that are damaged or mean harm: each costs one line and itself."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from logbench import (
    ConfigError,
    DataError,
    Definition,
    LineFormat,
    ModelComponent,
    checked_format,
    hookimpl,
    open_lines,
)
from logbench.base import cache_folder, checksums, file_digests
from logbench.components.entry import Plugin, installed
from logbench.components.lone_modules import module_of_file
from logbench.components.registry import Registry
from logbench.pipeline import grouped_cache
from logbench.running.bundle import Bundle
from logbench.studies.regression_bench import figures_file


class OddError(BaseException):
    """None of Exception's."""


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raises(error: BaseException) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


def exits() -> Any:
    os._exit(0)


def aborts() -> Any:
    os.abort()


def kills_itself() -> Any:
    os.kill(os.getpid(), 9)


def kills_its_group() -> Any:
    os.kill(0, 9)


def signals_itself() -> Any:
    signal.raise_signal(9)


def exits_by_another_name() -> Any:
    importlib.import_module(os.name)._exit(3)


def becomes_another() -> Any:
    os.execvp("true", ["true"])


def good() -> Any:
    module = ModuleType("good")
    vars(module)["logbench_models"] = hookimpl(
        lambda: [ModelComponent("fine", object)], specname="logbench_models"
    )
    return module


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (raises(OddError("a\nb")), "OddError: a b"),
        (raises(GeneratorExit()), "GeneratorExit"),
        (raises(asyncio.CancelledError()), "CancelledError"),
        (raises(RecursionError("deep")), "RecursionError: deep"),
        (raises(SpeechlessError()), "SpeechlessError"),
        (raises(ValueError("x" * 10_000)), "ValueError: xxx"),
        (exits, "SystemExit: 0"),
        (aborts, "SystemExit: 1"),
        (kills_itself, "SystemExit: 137"),
        (kills_its_group, "SystemExit: 137"),
        (signals_itself, "SystemExit: 9"),
        (exits_by_another_name, "SystemExit: 3"),
        (becomes_another, "SystemExit: 1"),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)[:12]),
)
def test_a_plugin_that_raises_anything_is_set_aside(load: Callable[[], Any], said: str) -> None:
    registry = Registry(plugins=[Plugin("bad", "bad", "1", load), Plugin("good", "good", "1", good)])
    assert set(registry.components["model"]) == {"fine"}
    (bad,) = registry.broken
    assert bad.error.startswith(said) and len(bad.error) <= 500 and "\n" not in bad.error


def test_a_definition_that_raises_anything_is_set_aside() -> None:
    module = good()
    offers = [Definition("x", raises(KeyError("x"))), Definition("y", raises(RecursionError()))]
    vars(module)["logbench_datasets"] = hookimpl(lambda: offers, specname="logbench_datasets")
    registry = Registry(plugins=[Plugin("bad", "bad", "1", lambda: module)])
    assert [(plugin.name, plugin.error) for plugin in registry.broken] == [
        ("x", "KeyError: 'x'"), ("y", "RecursionError")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [b"[logbench]\nx = \xff\xfe", b"[logbench]\nno equals sign\n", b"[logbench]\nx = ???\n", b"[logbench\nx = y"],
)
def test_entry_points_that_are_damaged_cost_their_distribution_alone(
    text: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [plugin.key for plugin in installed()]
    folder = tmp_path / "hostile-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_bytes(text)
    (tmp_path / "nameless.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    found = installed()
    assert [
        plugin.key for plugin in found if "hostile" not in plugin.key and "unknown" not in plugin.key
    ] == before
    for plugin in Registry(plugins=[one for one in found if one.key not in before]).plugins:
        assert plugin.error and "\n" not in plugin.error


def test_a_file_of_a_model_that_is_a_pipe_or_raises_anything_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        make(path)
        with pytest.raises(ConfigError, match="a pipe or a device"):
            module_of_file(path, "model.py")
        path.unlink()
    path.write_text("import os\nclass Odd(BaseException): pass\ndef f(): raise Odd('x')\nf()\n")
    with pytest.raises(ConfigError, match=r"model\.py: line 3: Odd: x"):
        module_of_file(path, "model.py")
    path.write_text("import sys\ndel sys.modules[__name__]\nraise GeneratorExit\n")
    with pytest.raises(ConfigError, match="GeneratorExit"):
        module_of_file(path, "model.py")


def test_a_damaged_memo_or_cache_entry_is_made_anew(own_cache: Path, tmp_path: Path) -> None:
    own_cache.mkdir()
    file, memo = tmp_path / "x", own_cache / "digests.json"
    file.write_bytes(b"x")
    for spoil in (lambda: memo.write_text("[" * 200_000), lambda: os.mkfifo(memo), memo.mkdir):
        spoil()
        assert file_digests.digest(file, memo) == file_digests.digest(file, None)
        notes: list[str] = []
        file_digests.mend(memo, notes.append)
        assert len(notes) == 1 and "\n" not in notes[0]
        if memo.is_file():
            memo.unlink()
    for text in (b"PAR1" * 9, b"", b"{}"):
        with cache_folder.entry(cache_folder.folder_of("grouped", "a-b")) as folder:
            (folder / "units.parquet").write_bytes(text)
            (folder / "facts.json").write_text("[" * 100_000)
        notes = []
        assert grouped_cache.load("a-b", notes.append) is None
        assert len(notes) == 1 and "is made anew" in notes[0] and not grouped_cache.has("a-b")
    folder.mkdir()
    (folder / checksums.FILE).write_text("[" * 200_000)
    assert checksums.fault(folder, "a-b").endswith("damaged")
    (folder / checksums.FILE).unlink()
    os.mkfifo(folder / checksums.FILE)
    assert "a pipe or a device" in checksums.fault(folder, "a-b")


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "deep", "no text", "a long number"])
def test_a_bundle_that_cannot_be_read_is_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    texts = {"deep": b"[" * 200_000, "no text": b"\xff\xfe", "a long number": b"9" * 5000}
    if kind in texts:
        path.write_bytes(texts[kind])
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kind)
    with pytest.raises(DataError, match="no bundle to read") as error:
        Bundle(tmp_path, Registry(plugins=[]))
    assert "\n" not in str(error.value) and len(str(error.value)) < 1000


def test_figures_that_are_no_file_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bench.jsonl"
    os.mkfifo(path)
    with pytest.raises(DataError, match="a pipe or a device"):
        figures_file.read(path)
    path.unlink()
    path.write_text("[" * 200_000)
    with pytest.raises(DataError, match="no figures to read"):
        figures_file.read(path)


@pytest.mark.parametrize(
    "encoding", ["idna", "undefined", "a\0b", "punycode", "unicode_escape", "hex", "", "../x", "é" * 99]
)
def test_an_encoding_of_no_text_is_one_line(encoding: str) -> None:
    with pytest.raises(ConfigError) as error:
        checked_format(LineFormat(encoding=encoding))
    assert "encoding=" in str(error.value) and len(str(error.value)) < 300 and "\0" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "cp1252", "shift_jis", "utf-7", "cp949"])
def test_an_encoding_of_text_is_taken(encoding: str) -> None:
    assert checked_format(LineFormat(encoding=encoding)).encoding == encoding


@pytest.mark.parametrize(
    "pattern", [".", "/", "./", "..", "", " ", "\0", "[", "x" * 5000, "a/../..", "//", "**/.."]
)
def test_a_pattern_that_names_no_file_is_one_line(pattern: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    with pytest.raises(DataError) as error:
        open_lines(tmp_path, [pattern], LineFormat())
    assert "\n" not in str(error.value) and len(str(error.value)) < 1000


def test_a_time_that_no_calendar_knows_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("0000-01-01 x\n-005-01-01 x\n2024-01-01 x\n99999-01-01 x\n")
    form = LineFormat(pattern="<Date> <Content>", time=("Date",), time_format=("%Y-%m-%d",))
    lines = open_lines(path, ["*"], form)
    times = lines.frame.collect()["time"].to_list()
    assert [time is not None for time in times] == [False, False, True, False]
    assert lines.counted is not None and lines.counted() == {"lines_with_unread_time": 3}
    path.write_text("1e30 x\n-1e14 x\n1700000000 x\n")
    epoch = LineFormat(pattern="<Date> <Content>", time=("Date",), time_format=("epoch",))
    assert open_lines(path, ["*"], epoch).frame.collect()["time"].to_list()[:2] == [None, None]
