"""Nothing public lacks its place in the docs: hooks, names, commands, options, protocol fields, record keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import docs_reference
import pytest
import record_tables
from labelled_log import Row, registry, run_one, write

import logbench
import logbench.torch
from logbench.api import record_sections
from logbench.api.protocol import EvaluationProtocol
from logbench.api.record import RunRecord

DOCS = docs_reference.ROOT / "docs"
NOTIFICATIONS = ("logbench_run_started", "logbench_stage_finished", "logbench_run_finished")


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """What stands below the heading `heading` of a page, or an error that says what to do."""
    found = re.search(rf"^#+ `{re.escape(heading)}`\n(.*?)(?=^#+ `|\Z)", page(name), re.M | re.S)
    assert found, f"docs/{name} has no heading `{heading}`"
    assert found[1].strip(), f"docs/{name}: nothing is said below `{heading}`"
    return found[1]


@pytest.mark.parametrize("path", docs_reference.files(), ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_up_to_date(path: Path) -> None:
    made = docs_reference.files()[path]()
    assert path.read_text(encoding="utf-8") == made, f"{path.name} differs from the code; {docs_reference.AGAIN}"


@pytest.mark.parametrize("hook", docs_reference.hooks())
def test_every_hook_has_its_page_with_a_plugin_that_is_run(hook: str) -> None:
    name = "hooks/notifications.md" if hook in NOTIFICATIONS else f"hooks/{hook.removeprefix('logbench_')}.md"
    section(name, hook)
    assert re.search(rf"^def {hook}\(", page(name), re.M), f"docs/{name} has no example that implements {hook}"
    assert "<!-- file: pyproject.toml -->" in page(name) and "\npip install .\nlogbench " in page(name)
    assert f"`{hook}`]({Path(name).name}" in page("hooks/index.md"), f"docs/hooks/index.md does not lead to {hook}"


@pytest.mark.parametrize(("name", "thing"), list(docs_reference.public().items()))
def test_every_public_name_is_described(name: str, thing: Any) -> None:
    assert f"::: logbench.{name}\n" in section("reference/api.md", name)
    text = docs_reference.documented(name) or docs_reference.summary(thing)
    assert text, f"{name} has no docstring of its own"


@pytest.mark.parametrize("name", logbench.torch.__all__)
def test_every_name_for_deep_models_is_in_the_table_by_task(name: str) -> None:
    anchor = f"torch{name.lower()}"
    assert f"[`{name}`](../reference/api.md#{anchor})" in page("torch/index.md")


@pytest.mark.parametrize(("name", "found"), list(docs_reference.fixtures().items()))
def test_every_fixture_is_described(name: str, found: tuple[str, str]) -> None:
    assert f"::: logbench.testing.pytest_plugin.{name}\n" in section("reference/api.md", name)
    assert found[1], f"{name} has no docstring"


def commands() -> Iterator[Any]:
    for name, command in docs_reference.commands():
        yield pytest.param(name, command, id=name.replace(" ", "-"))


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_and_option_is_described(name: str, command: Any) -> None:
    text = section("reference/commands.md", f"logbench {name}")
    assert command.help, f"logbench {name} has no help"
    assert command.epilog, f"logbench {name} has no example"
    for option in docs_reference.options(command):
        assert option.help, f"logbench {name} {option.opts[0]} has no help"
        assert re.search(rf"^\| `{option.opts[0]}\b", text, re.M), (
            f"{option.opts[0]} of logbench {name} is missing"
        )


@pytest.mark.parametrize("field", fields(EvaluationProtocol), ids=lambda field: field.name)
def test_every_protocol_field_and_choice_is_explained(field: Any) -> None:
    text = section("reference/protocol.md", field.name)
    hint = get_type_hints(EvaluationProtocol)[field.name]
    for choice in (one for one in get_args(hint) if isinstance(one, str)):
        assert f"`{choice}`" in text, f"docs/reference/protocol.md: `{choice}` is missing under `{field.name}`"


def test_every_preset_of_ours_is_named_where_it_says_who_trains_what() -> None:
    presets = our_presets()
    missing = [name for name in presets if f"`{name}`" not in page("reference/protocol.md")]
    assert not missing, f"docs/reference/protocol.md does not name the presets {missing}"


def our_presets() -> list[str]:
    from logbench.components.entry import installed
    from logbench.components.registry import Registry

    registry = Registry([plugin for plugin in installed() if plugin.distribution == docs_reference.OWN])
    return sorted(registry.presets)


@pytest.mark.parametrize("field", fields(RunRecord), ids=lambda field: field.name)
def test_every_key_of_a_record_is_explained(field: Any) -> None:
    section("reference/record.md", field.name)


# Keys below which names of the user's choosing stand first; in `FLAT` only what stands first is explained.
NAMED = {"plugins", "stages", "metrics"}
FLAT = {"config", "environment", "artifacts", "trivial"}


def written(record: dict[str, Any]) -> set[tuple[str, str]]:
    """Every key that stands below a key of `record` and is to be explained there."""
    found = set()
    for name, value in record.items():
        if name == "protocol":
            found.add((name, "hash"))  # its fields have a page of their own
        elif isinstance(value, dict) and name not in ("directions", "columns"):  # keyed as metrics are
            tops = list(value.values()) if name in NAMED else [value]
            found |= {(name, key) for top in tops for key in _keys(top, deep=name not in FLAT)}
    return found


def _keys(value: Any, deep: bool) -> set[str]:
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(_keys(inner, deep) for inner in value.values() if deep))


def small_run(folder: Path) -> RunRecord:
    settings: dict[str, Any] = {"dataset": {"blocks": 600}, "protocol": {"train_units": 300}}
    (record,) = logbench.run("new-event", dataset="hdfs-sim", settings=settings, out=folder)
    return record


def run_on_labelled_lines(folder: Path) -> RunRecord:
    rows: list[Row] = [
        (f"step {at % 3}" if at % 50 else "odd", int(at > 400 and not at % 50), at, "n") for at in range(800)
    ]
    split = {"train": "ratio", "train_ratio": 0.5}
    return run_one(
        write(folder / "log", rows), registry(), "new-event", settings={"protocol": split, "count": {"size": 10}}
    )


@pytest.mark.parametrize("made", [small_run, run_on_labelled_lines])
def test_every_key_that_a_run_writes_is_explained(made: Callable[[Path], RunRecord], tmp_path: Path) -> None:
    record = made(tmp_path)
    assert record.status == "ok", record.error
    missing = [f"{name}.{key}" for name, key in sorted(written(record.as_dict()))
               if f"`{key}`" not in section("reference/record.md", name)]  # fmt: skip
    assert not missing, f"docs/reference/record.md does not explain {missing}"


def test_what_a_failed_run_writes_is_explained(tmp_path: Path) -> None:
    (found,) = logbench.run("length", dataset="hdfs-sim", data=tmp_path / "absent", out=tmp_path / "runs")
    assert found.error and set(found.error) <= {"stage", "type", "message"}
    assert all(f"`{key}`" in section("reference/record.md", "error") for key in [*found.error, "traceback"])


def test_a_record_as_json_has_the_fields_of_a_run_record() -> None:
    assert {*record_tables.keys(record_sections.Record)} == {field.name for field in fields(RunRecord)}


def test_a_hand_edited_table_of_keys_is_found() -> None:
    edited = page("reference/record.md").replace(
        "| `straddling` | integer or null |", "| `straddling` | integer |"
    )
    assert record_tables.filled(edited) == page("reference/record.md") != edited
