"""Names that lead out of a folder: of definitions, components, runs' tables and archives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from broken import CARD
from click.testing import CliRunner

from logbench import ConfigError, DataError, ModelComponent, PluginError
from logbench.cli import State
from logbench.cli.datasets import command
from logbench.components.entry import Plugin
from logbench.components.refusals import check_at_hand
from logbench.reading.fetch import target_of
from logbench.running import run_names, runner, stored
from logbench_ownlogs.library import Library

OUTSIDE = ("../x", "../../x", "a/b", "..", ".", "", "a\\b", "c:x", "nul", "CON.b", "-x", ".x", "x ", "x\0y",
           "x\ny", "x\u202ey", "é" * 101, "~/x?")  # fmt: skip
DEFINITION = 'files = ["*.log"]\n'


@pytest.mark.parametrize("name", [*OUTSIDE, "ABSOLUTE"])
def test_nothing_outside_the_folder_is_removed_or_written(name: str, tmp_path: Path) -> None:
    victim = tmp_path / "x.toml"
    victim.write_text(DEFINITION)
    name = str(victim.with_suffix("")) if name == "ABSOLUTE" else name
    (tmp_path / "own-config" / "datasets").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    for act in (Library().remove, lambda name: Library().add(victim, name, ())):
        with pytest.raises(ConfigError) as error:
            act(name)
        assert "\n" not in str(error.value)
    assert victim.read_text() == DEFINITION
    assert sorted(tmp_path.rglob("*")) == before


def test_the_command_refuses_such_names_and_takes_good_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(DEFINITION)
    state = State(())
    for words in (["remove", "../../x"], ["add", str(path), "--name="]):
        result = CliRunner().invoke(command, words, obj=state)
        assert isinstance(result.exception, ConfigError) and path.exists()
    for words in (["add", str(path), "--name", "größe-2.1"], ["remove", "größe-2.1"]):
        assert CliRunner().invoke(command, words, obj=state).exception is None


@pytest.mark.parametrize(
    "path", ["../scores.parquet", "/etc/passwd", "a/../../b", "a//../b", "", None, 3, ".", "a\\..\\b"]
)
def test_a_record_names_tables_of_its_folder_alone(path: object, tmp_path: Path) -> None:
    (tmp_path / "scores.parquet").write_bytes(b"mine")
    folder = tmp_path / "runs"
    folder.mkdir()
    record = {"run_id": "r", "status": "ok", "artifacts": {"scores": path, "events": path}}
    with pytest.raises(DataError) as error:
        stored.table(record, folder, "scores")  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_result_from_elsewhere_is_kept_in_the_folder_alone(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        runner._write(tmp_path / "runs", {}, "../../out", {"scores": pl.DataFrame({"a": [1]})})
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%5cx", "a%00b", "con.zip"])
def test_an_archive_is_kept_in_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no name for a file"):
        target_of(replace(CARD, url=f"https://example.org/{name}"), tmp_path)


@pytest.mark.parametrize("name", ["..", "c:x", "nul", "x\x1b[2J", "a\\b"])
def test_a_component_is_called_as_a_file_can_be(name: str) -> None:
    with pytest.raises(PluginError, match="no name for a file") as error:
        check_at_hand("model", ModelComponent(name, object), Plugin("p", "p", "", lambda: None))
    assert "\x1b" not in str(error.value)


def test_the_id_of_a_run_of_many_models_names_a_folder(tmp_path: Path) -> None:
    run_id = run_names.new_run("+".join(["isolation-forest"] * 40))["run_id"]
    (tmp_path / run_id).mkdir()
    assert "isolation-forest" in run_id
