"""Suites of benchmarks: what they run, what invalidates a figure, and what makes one worse."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from logbench import ConfigError, DataError
from logbench.cli import cli
from logbench.components.registry import Registry
from logbench.studies.regression_bench.cells import cells
from logbench.studies.regression_bench.figures_file import read
from logbench.studies.regression_bench.gate import compare
from logbench.studies.regression_bench.run_suite import run_suite
from logbench.studies.regression_bench.suite import read_suite
from logbench.studies.workbench import Workbench

SUITE = """
seeds = [0, 1]
[gates]
f1 = 0.05
recall = 0.1
[models.length]
[models.events]
model = "new-event"
[datasets.small]
dataset = "hdfs-sim"
blocks = 300
[protocols.first]
train_units = 100
[protocols.random]
train = "random"
train_units = 100
"""


@pytest.fixture
def suite(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def rows(path: Path, out: Path) -> list[dict[str, Any]]:
    return [row for row, _ in run_suite(read_suite(path), Workbench.here(), out)]


def test_a_suite_runs_every_combination_and_labels_them(suite: Any, tmp_path: Path) -> None:
    found = rows(suite(SUITE), tmp_path / "out")
    labels = [(row["dataset"], row["protocol"], row["model"], row["seed"]) for row in found]
    assert len(set(labels)) == len(labels) == 2 * 2 * 2
    assert {row["status"] for row in found} == {"ok"}
    first, random = ([row for row in found if row["protocol"] == name] for name in ("first", "random"))
    assert {row["identity"]["data"] for row in first} == {row["identity"]["data"] for row in random}
    assert {row["identity"]["split"] for row in first}.isdisjoint({row["identity"]["split"] for row in random})


def identities(path: Path, out: Path) -> list[dict[str, Any]]:
    return [row["identity"] for row in rows(path, out)]


ONE = 'seeds = [0]\nmodels = ["n-gram"]\n[datasets.hdfs-sim]\nblocks = 300\n[protocols.p]\ntrain_units = 100\n'


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (("blocks = 300", "blocks = 301"), {"data", "split", "dataset options"}),
        (("blocks = 300", 'blocks = 300\nparser = "hdfs"'), {"parser options"}),
        (("train_units = 100", "train_units = 101"), {"split", "protocol"}),
        (("train_units = 100", 'train_units = 100\nshort = "drop"'), {"protocol"}),
        (('models = ["n-gram"]', "models.n-gram.n = 7"), {"model options"}),
        (('models = ["n-gram"]', "models.n-gram.benchmark_version = 2"), {"benchmark_version"}),
        (("seeds = [0]", "seeds = [0]\nbenchmark_version = 5"), {"benchmark_version"}),
        (("seeds = [0]", "seeds = [0]\ngates = {auroc = 0.1}"), set()),
    ],
)
def test_what_invalidates_a_figure_is_named(
    suite: Any, tmp_path: Path, change: tuple[str, str], names: set[str]
) -> None:
    (before,), (after,) = (identities(suite(text), tmp_path / "out") for text in (ONE, ONE.replace(*change)))
    assert {name for name in before if before[name] != after[name]} == names


def test_the_identity_does_not_hang_on_the_run_or_the_version(suite: Any, tmp_path: Path) -> None:
    first, second = (rows(suite(ONE), tmp_path / name) for name in ("a", "b"))
    assert [row["identity"] for row in first] == [row["identity"] for row in second]
    assert [row["metrics"] for row in first] == [row["metrics"] for row in second]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modles = []", "modles: no such key; did you mean 'models'"),
        (SUITE.replace("[0, 1]", '"many"'), "seeds: expected a list"),
        (SUITE.replace("f1 = 0.05", "f1 = -1"), "gates: expected metric"),
        (f"evaluators = 'classification'\n{SUITE}", "evaluators: expected a list"),
        (SUITE.replace('model = "new-event"', 'model = "new-evnt"'), "did you mean 'new-event'"),
        (SUITE.replace("blocks = 300", "block = 300"), "block: no such option"),
        (SUITE.replace('train = "random"', 'train = "drawn"'), "protocol.train=drawn"),
        (SUITE.replace("[models.length]", "[models.length]\nbenchmark_version = 'x'"), "expected a whole number"),
        ("models = []\n", "models: expected a table each"),
        (
            SUITE.replace("[models.length]", "[models.length]\nmodel = 3"),
            "models.length.model: expected a text, got 3",
        ),
        (SUITE.replace("f1 = 0.05", "f1 = true"), "gates: expected metric"),
        (SUITE.replace("[0, 1]", "[0, -1]"), "seeds: expected a list"),
        ("[models.a\n", "not TOML"),
    ],
)
def test_a_mistake_in_a_suite_is_one_line_before_anything_runs(suite: Any, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        cells(read_suite(suite(text)), Registry())
    assert said in str(error.value) and "\n" not in str(error.value)


def test_data_are_found_beside_the_suite(suite: Any, tiny_hdfs: Path, tmp_path: Path) -> None:
    text = 'models = ["length"]\nprotocols = ["p"]\n[datasets.hdfs]\ndata = "tiny"\n'
    (cell,) = cells(read_suite(suite(text)), Registry())
    assert cell.resolved.plan.data == tiny_hdfs == tmp_path / "tiny"


HEAD = {
    "gates": {"f1": 0.02},
    "directions": {"f1": "higher", "mcc": "higher", "cost": "lower"},
    "hardware": {"processor": "a", "cores": 2, "memory_mb": 1},
    "contended": False,
}


def figure(**change: Any) -> dict[str, Any]:
    row = {"model": "m", "dataset": "d", "protocol": "p", "seed": 0, "status": "ok", "metrics": {"f1": 0.5}}
    row |= {"identity": {"data": "x", "split": "y"}, "fit_s": 1.0, "score_s": 1.0, "peak_rss_mb": 9.0}
    return {**row, **change}


def costs(value: float) -> dict[str, Any]:
    return figure(metrics={"cost": value})


def state(old: list[dict[str, Any]], new: list[dict[str, Any]], slower: float | None = None, **head: Any) -> str:
    (row,) = compare((HEAD, old), ({**HEAD, **head}, new), slower)
    return f"{row['state']} {row['why']}".strip()


OTHER = {**HEAD["hardware"], "cores": 64}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("old", "new", "options", "expected"),
    [
        (figure(), figure(), {}, "ok"),
        (figure(), figure(metrics={"f1": 0.48}), {}, "ok"),
        (figure(), figure(metrics={"f1": 0.4799}), {}, "WORSE f1 0.4799, was 0.5000, gate 0.02"),
        (figure(), figure(metrics={"f1": 0.4799}), {"gates": {"f1": 0.03}}, "ok"),
        (figure(), figure(metrics={"f1": 0.53}), {}, "better"),
        (costs(50.0), costs(290.0), {"gates": {"cost": 5}}, "WORSE cost 290.0000, was 50.0000, gate 5"),
        (costs(290.0), costs(50.0), {"gates": {"cost": 5}}, "better"),
        (costs(50.0), costs(55.0), {"gates": {"cost": 5}}, "ok"),
        (figure(), figure(metrics={"f1": 0.1}, identity={"data": "x", "split": "z"}), {}, "changed split"),
        (figure(), figure(identity={"data": "x", "split": "y", "more": 1}), {}, "changed more"),
        (figure(), figure(metrics={"f1": 0.5, "mcc": 0.1}), {"gates": {"mcc": 0.1}}, "new no mcc in BASELINE"),
        (figure(), figure(status="error", error="it broke"), {}, "failed it broke"),
        (figure(), figure(status="skipped", error="no times"), {}, "failed no times"),
        (figure(status="skipped", error="no"), figure(status="skipped", error="no"), {}, "ok"),
        (figure(status="error", error="no"), figure(), {}, "new no figure in BASELINE"),
        (None, figure(), {}, "new no figure in BASELINE"),
        (figure(), None, {}, "gone not in NEW"),
        (figure(), figure(fit_s=9.0), {}, "ok"),
        (figure(), figure(fit_s=9.0), {"slower": 2.0}, "SLOWER 10.00 s, was 2.00 s, gate 2x"),
        (figure(), figure(fit_s=2.9), {"slower": 2.0}, "ok"),
        (figure(fit_s=0.0, score_s=0.01), figure(fit_s=0.0, score_s=0.4), {"slower": 2.0}, "ok"),
        (
            figure(fit_s=0.0, score_s=0.01),
            figure(fit_s=0.0, score_s=0.6),
            {"slower": 2.0},
            "SLOWER 0.60 s, was 0.01 s, gate 2x",
        ),
        (figure(), figure(fit_s=9.0), {"slower": 2.0, "hardware": OTHER}, "ok"),
        (figure(), figure(fit_s=9.0), {"slower": 2.0, "contended": True}, "ok"),
    ],
)
def test_what_a_comparison_finds(old: Any, new: Any, options: dict[str, Any], expected: str) -> None:
    assert state([old] if old else [], [new] if new else [], **options) == expected


def test_a_gate_needs_a_direction_of_one_of_the_files_and_no_two() -> None:
    bare = {name: value for name, value in HEAD.items() if name != "directions"}
    lost = [figure(metrics={"f1": 0.1})]
    for old, new in ((bare, HEAD), (HEAD, bare)):
        assert compare((old, [figure()]), (new, lost))[0]["state"] == "WORSE", "an old file has no directions"
    with pytest.raises(DataError, match="neither file says which way f1 is better"):
        compare((bare, [figure()]), (bare, lost))
    with pytest.raises(DataError, match="f1 is better higher in BASELINE, lower in NEW"):
        compare((HEAD, [figure()]), ({**HEAD, "directions": {"f1": "lower"}}, lost))
    (row,) = compare((bare, [figure()]), (bare, [figure(status="error", error="it broke")]))
    assert row["state"] == "failed", "nothing is gated, so nothing is asked"


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("tp = 1", "mine: gates.tp: tp has no direction, so none is better or worse; precision"),
        ("cost = 1", "mine: gates.cost: no evaluator gives 'cost'; there is auprc"),
    ],
)
def test_a_metric_that_cannot_gate_is_one_line(suite: Any, tmp_path: Path, gate: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        rows(suite(f"gates = {{{gate}}}\n{ONE}"), tmp_path / "out")


def test_the_command_writes_figures_and_gates_them(suite: Any, tmp_path: Path, run_logbench: Any) -> None:
    path = suite(SUITE)
    done = run_logbench("bench", "run", str(path), "--out", "base.jsonl", "--runs", "kept")
    assert done.code == 0, done.err
    head, found = read(tmp_path / "base.jsonl")
    assert head["versions"]["logbench-harness"] and len(found) == 8
    assert len((tmp_path / "kept" / "records.jsonl").read_text().splitlines()) == 8
    same = run_logbench("bench", "compare", "base.jsonl", "base.jsonl")
    assert same.code == 0 and "WORSE" not in same.out and "(1.00x)" in same.out
    for row, line in zip(found, same.out.splitlines()[2:], strict=True):
        assert all(
            f" {row['metrics'][name]:.4f} → {row['metrics'][name]:.4f} " in line for name in ("f1", "recall")
        )

    def changed(name: str, change: Callable[[dict[str, Any]], Any]) -> Any:
        new = copy.deepcopy(found)
        change(new[3])
        lines = [json.dumps(row) for row in (head, *new)]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        return run_logbench("bench", "compare", "base.jsonl", name)

    worse = changed("worse.jsonl", lambda row: row["metrics"].update(f1=-1.0))
    assert worse.code == 1 and worse.out.count("WORSE") == 1
    assert f"WORSE: {found[3]['model']} on small, protocol first, seed 1: f1 -1.0000, was " in worse.err
    other = changed("other.jsonl", lambda row: (row["metrics"].update(f1=-1.0), row["identity"].update(data="z")))
    assert other.code == 3 and "WORSE" not in other.out and "changed: " in other.err
    assert run_logbench("bench", "compare", "none.jsonl", "base.jsonl").code == 2
    assert "gates" not in same.err
    loose = "\n".join(json.dumps(row) for row in ({**head, "gates": {"f1": 0.9}}, *found))
    (tmp_path / "loose.jsonl").write_text(loose, encoding="utf-8")
    moved = run_logbench("bench", "compare", "base.jsonl", "loose.jsonl").err
    assert "gates.f1: 0.05 in BASELINE, 0.9 in NEW" in moved and "gates.recall: 0.1 in BASELINE, none" in moved
    head["versions"] = {"logbench-harness": "0.0.1", "mine": "3"}
    (tmp_path / "old.jsonl").write_text("\n".join(json.dumps(row) for row in (head, *found)), encoding="utf-8")
    older = run_logbench("bench", "compare", "old.jsonl", "base.jsonl")
    assert older.code == 0, "the version is what is gated, not what must be the same"
    assert "logbench-harness: 0.0.1 in BASELINE, " in older.err and "mine: 3 in BASELINE, none in NEW" in older.err


def test_a_file_that_holds_no_figures_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"run_id": 1}\n')
    (tmp_path / "y").write_text("[1]\n")
    (tmp_path / "z").write_text("")
    whole = {**HEAD, "bench_format": 1, "versions": {}}
    (tmp_path / "head").write_text('{"bench_format": 1}')
    (tmp_path / "row").write_text("\n".join(map(json.dumps, (whole, figure(), {"model": "m", "status": "ok"}))))
    (tmp_path / "good").write_text("\n".join(map(json.dumps, (whole, figure()))))
    assert read(tmp_path / "good") == (whole, [figure()])
    for name, said in {
        **dict.fromkeys(("x", "y", "z", "head", "row"), "no figures"),
        "gone": "No such file",
    }.items():
        with pytest.raises(DataError, match=said):
            read(tmp_path / name)


def test_the_baseline_of_this_repository_belongs_to_its_suite() -> None:
    folder = Path(__file__).parents[1]
    asked = read_suite(folder / "bench.toml")
    head, found = read(folder / "baselines" / "bench.jsonl")
    assert head["gates"] == asked.gates and head["directions"].keys() == asked.gates.keys()
    assert len(found) == len(asked.models) * len(asked.datasets) * len(asked.protocols) * len(asked.seeds)


SUITE_HEAD: dict[str, Any] = {
    **HEAD,
    "bench_format": 1,
    "suite": "s.toml",
    "versions": {"numpy": "1", "a|b": "2"},
    "revision": None,
}


def wrote(path: Path, rows: list[dict[str, Any]], **head: Any) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(map(json.dumps, ({**SUITE_HEAD, **head}, *rows))), encoding="utf-8")
    return str(path)


def gated(*words: str) -> Any:
    return CliRunner().invoke(cli, ["bench", "compare", *words, "--format", "github"], standalone_mode=False)


HOSTILE = "m`|<b>::error::x\n::stop-commands::y\x1b[31m%0A"


def test_a_pull_request_is_told_what_got_worse_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("earlier\n")
    old = [figure(), figure(model="n"), figure(model="gone"), figure(model=HOSTILE)]
    new = [figure(), figure(model="n", metrics={"f1": 0.4}), figure(model=HOSTILE, metrics={"f1": 0.1})]
    base, now = (
        wrote(tmp_path / "baselines" / "a.jsonl", old),
        wrote(tmp_path / "new" / "b.jsonl", new, versions={"numpy": "2"}),
    )
    done = gated(base, now)
    assert done.return_value == 1 and not done.stderr
    first, second, third = done.stdout.splitlines()
    where = "title=bench%3A WORSE,file=baselines/a.jsonl,line="
    assert first == f"::error {where}3::n on d, protocol p, seed 0: f1 0.4000, was 0.5000, gate 0.02"
    assert (
        second.startswith(f"::error {where}5::m`|<b>::error::x%0A::stop-commands::y�[31m%250A on d")
        and "\x1b" not in second
    )
    assert third == (
        "::warning title=bench%3A gone,file=baselines/a.jsonl,line=4::gone on d, protocol p, seed 0: not in NEW"
    )
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("earlier\n### logbench bench: 2 of 4 cells worse or failed\n\n| model ")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1 and "<b>" not in text
    assert [row.split("|")[-2].strip() for row in rows[2:]] == ["WORSE", "WORSE", "gone", "ok"]
    assert "- numpy: 1 in BASELINE, 2 in NEW" in text and "- a&#124;b: 2 in BASELINE, none in NEW" in text


def test_a_summary_that_cannot_be_written_changes_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = wrote(tmp_path / "a.jsonl", [figure()])
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    refused = gated(base, base)
    assert refused.return_value == 0 and "warning: GITHUB_STEP_SUMMARY" in refused.stderr
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    printed = gated(base, base)
    assert printed.return_value == 0 and not printed.stderr
    assert printed.stdout.startswith("### logbench bench: 1 cell within the gates") and refused.stdout
    assert gated(base, base, "--json").exception is not None


def test_github_shows_ten_annotations_of_a_level_so_the_tenth_counts_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    rows = [figure(seed=seed) for seed in range(12)]
    base = wrote(tmp_path / "a.jsonl", rows)
    done = gated(base, wrote(tmp_path / "b.jsonl", [{**row, "metrics": {"f1": 0.0}} for row in rows]))
    lines = done.stdout.splitlines()
    assert len(lines) == 10 and lines[-1].endswith("::and 3 more: see the summary")
    fewer = gated(base, wrote(tmp_path / "c.jsonl", rows[2:]))
    assert fewer.return_value == 3 and [line[:9] for line in fewer.stdout.splitlines()] == ["::warning"] * 2


def test_gate_runs_a_suite_and_compares_it(suite: Any, tmp_path: Path, run_logbench: Callable[..., Any]) -> None:
    path = suite(ONE.replace("seeds = [0]", "seeds = [0]\ngates = {f1 = 0.02}"))
    early = run_logbench("bench", "gate", str(path), "absent.jsonl")
    assert early.code == 2 and "absent.jsonl: No such file" in early.err
    assert run_logbench("bench", "run", str(path), "--out", "base.jsonl").code == 0
    same = run_logbench("bench", "gate", str(path), "base.jsonl", "--out", "new.jsonl")
    assert same.code == 0 and "n-gram" in same.out, same.err
    head, rows = read(tmp_path / "new.jsonl")
    rows[0]["metrics"]["f1"] += 1
    worse = run_logbench("bench", "gate", str(path), wrote(tmp_path / "better.jsonl", rows, **head))
    assert worse.code == 1 and "WORSE: n-gram" in worse.err
