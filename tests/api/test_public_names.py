"""The public surface: names and signatures as reviewed in `public_api.txt`; what goes away warns first."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import docs_reference
import pytest

import logbench
from logbench.base import deprecation
from logbench.base.deprecation import Renamed, current, deprecated

HELD = Path(__file__).with_name("public_api.txt")


def test_names_and_signatures_are_those_that_were_reviewed() -> None:
    held, now = HELD.read_text(encoding="utf-8"), docs_reference.surface()
    gone = sorted(set(held.splitlines()) - set(now.splitlines()))
    new = sorted(set(now.splitlines()) - set(held.splitlines()))
    assert held == now, (
        "the public surface differs from tests/api/public_api.txt. What goes away must warn for a release "
        f"(logbench/base/deprecation.py); what is new is reviewed; {docs_reference.AGAIN}\n"
        + "\n".join([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)])
    )


def test_hooks_only_grow() -> None:
    assert not docs_reference.broken_hooks(HELD.read_text(encoding="utf-8"), docs_reference.surface())


OLD = (
    "hook logbench_a(plan: Plan) -> None\n\nhook logbench_b(\n    one: dict[str, Any],\n    two: int,\n) -> None\n"
)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("plan: Plan", "plans: Plan", "hook logbench_a: argument 'plan: Plan' is gone or changed"),
        ("plan: Plan", "plan: Job", "hook logbench_a: argument 'plan: Plan' is gone or changed"),
        ("    two: int,\n", "", "hook logbench_b: argument 'two: int' is gone or changed"),
        ("dict[str, Any]", "dict[str, int]", "hook logbench_b: argument 'one: dict[str, Any]' is gone or changed"),
        ("logbench_a", "logbench_c", "hook logbench_a is gone"),
    ],
)
def test_a_hook_that_lost_or_changed_an_argument_is_named(before: str, after: str, said: str) -> None:
    (found,) = docs_reference.broken_hooks(OLD, OLD.replace(before, after))
    assert found.startswith(said)


def test_a_hook_may_gain_arguments_and_new_hooks_may_come() -> None:
    grown = OLD.replace("plan: Plan", "plan: Plan, more: int") + "\nhook logbench_new() -> None\n"
    assert not docs_reference.broken_hooks(OLD, grown)


def test_the_script_writes_nothing_where_a_hook_would_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tests" / "api").mkdir(parents=True)
    held = tmp_path / "tests" / "api" / "public_api.txt"
    held.write_text("hook logbench_run_started(plan: Plan, clock: float) -> None\n")
    monkeypatch.setattr(docs_reference, "ROOT", tmp_path)
    assert docs_reference.main() == 1
    assert "argument 'clock: float' is gone or changed" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["public_api.txt"]


def test_every_name_is_exported_once_and_exists() -> None:
    assert len(set(logbench.__all__)) == len(logbench.__all__)
    assert sorted(logbench.__all__) == logbench.__all__
    assert set(logbench._LAZY) <= set(logbench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Lime'"):
        logbench.Lime  # noqa: B018


def test_importing_costs_no_heavy_package() -> None:
    code = "import sys, logbench; print(*{'polars', 'torch', 'numpy', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_renamed_name_still_works_and_says_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deprecation, "RENAMED", {"Rows": Renamed("Lines", "0.3")})
    with pytest.warns(DeprecationWarning) as caught:
        assert logbench.Rows is logbench.Lines
    (warning,) = caught
    assert str(warning.message) == "logbench.Rows is deprecated, use Lines; it goes away in logbench 0.3"
    assert warning.filename == __file__  # the line that uses the old name, not logbench's own


def test_names_that_were_not_renamed_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert current("Lines") is None


def test_what_was_renamed_leads_to_names_that_exist_and_hides_none() -> None:
    assert not set(deprecation.RENAMED) & set(logbench.__all__)
    assert {renamed.instead for renamed in deprecation.RENAMED.values()} <= set(logbench.__all__)


def test_a_deprecated_function_warns_its_caller_and_works_as_before() -> None:
    @deprecated("add(…)", gone="0.3")
    def plus(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    with pytest.warns(
        DeprecationWarning, match=r"plus is deprecated, use add\(…\); it goes away in logbench 0.3"
    ) as caught:
        assert plus(1, b=3) == 4
    assert caught[0].filename == __file__
    assert (plus.__name__, plus.__doc__) == ("plus", "Add.")
