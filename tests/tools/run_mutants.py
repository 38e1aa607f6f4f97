"""Runs the tests of core rules on mutants of them: `python tests/tools/run_mutants.py [-j N] [MODULE …]`.

A mutant that no test notices is a survivor. Survivors that are the same program in other words, or that a reviewer
lets live for a reason, stand in `tests/tools/mutants_survivors.txt`; any other ends the command with 1, and so
does one that stands there and is killed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations import Mutant, mutants

ROOT = Path(__file__).parents[2]
SURVIVORS = Path(__file__).with_name("mutants_survivors.txt")
# Tests of each module of the core, the quickest first.
TESTS: dict[str, Sequence[str]] = {
    "pipeline.straddling": ("pipeline/test_split.py",),
    "pipeline.contamination": ("pipeline/test_split.py",),
    "pipeline.split": ("pipeline/test_split_facts.py", "pipeline/test_split.py", "running/test_test_reserve.py"),
    "pipeline.shares": (
        "pipeline/test_split_facts.py",
        "pipeline/test_split.py",
        "running/test_test_reserve.py",
        "pipeline/test_groups.py",
    ),
    "pipeline.label_noise": ("pipeline/test_label_noise.py",),
    "pipeline.label_budget": ("pipeline/test_label_budget.py",),
    "pipeline.unstable": ("pipeline/test_unstable.py",),
    "pipeline.edited_texts": ("pipeline/test_unstable.py",),
    "pipeline.drawn_events": ("pipeline/test_unstable.py", "pipeline/test_misparsed.py"),
    "pipeline.transfer": ("studies/test_transfer.py",),
    "pipeline.near_templates": ("studies/test_transfer.py",),
    "pipeline.misparsed": ("pipeline/test_misparsed.py",),
    "pipeline.groups": ("pipeline/test_groups.py",),
    "pipeline.line_split": ("running/test_test_reserve.py", "pipeline/test_leak_audit.py"),
    "data.histories": ("data/test_histories.py", "data/test_sessions.py"),
    "evaluation.protocol_rules": ("evaluation/test_verdicts.py", "evaluation/test_line_metrics.py"),
    "evaluation.verdicts": ("evaluation/test_verdicts.py", "evaluation/test_line_metrics.py"),
    "evaluation.unit_counts": ("evaluation/test_verdicts.py", "pipeline/test_repeats.py"),
    "evaluation.unit_metrics": ("evaluation/test_verdicts.py", "pipeline/test_repeats.py"),
    "evaluation.distinct_units": ("evaluation/test_verdicts.py",),
    "evaluation.rule_baselines": ("evaluation/test_verdicts.py", "evaluation/test_line_metrics.py"),
    "evaluation.thresholds": ("evaluation/test_verdicts.py", "evaluation/test_thresholds.py"),
}
# Tests but those of whole runs, which are in workers: these know nothing of the mutant.
CHOSEN = "not a_run and not record and not rules_keep and not combination_says and not table_judges"
# A mutant counts as killed that runs for more than so many seconds, and than so many times the unchanged code.
LIMIT, TIMES = 60.0, 10


def source_of(module: str) -> Path:
    """The file of a module of the core."""
    return (ROOT / "logbench").joinpath(*module.split(".")).with_suffix(".py")


def survives(module: str, source: str, limit: float | None = None) -> bool:
    """Whether every test passes on a changed module, within so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{module}.py"
        path.write_text(source, encoding="utf-8")
        tools = str(Path(__file__).parent)
        environment = {
            **os.environ,
            "MUTANT": f"logbench.{module}:{path}",
            "PYTHONPATH": os.pathsep.join([tools, os.environ.get("PYTHONPATH", "")]),
            "HYPOTHESIS_PROFILE": "few",
            "OMP_NUM_THREADS": "1",
            "POLARS_MAX_THREADS": "1",
        }
        words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "mutating", "-p", "no:cacheprovider"]
        words += ["--assert=plain", "--tb=no"]  # nobody reads why a mutant is killed
        words += ["-k", CHOSEN]
        words += [str(ROOT / "tests" / name) for name in TESTS[module]]
        try:
            done = subprocess.run(
                words, cwd=ROOT, env=environment, capture_output=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def listed() -> dict[str, str]:
    """Reviewed survivors and why each lives."""
    lines = [line for line in SURVIVORS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    pairs = [line.split(" | ", 1) for line in lines]
    if wrong := next((pair for pair in pairs if len(pair) != 2 or not pair[1].strip()), None):
        raise SystemExit(f"{SURVIVORS}: {wrong[0]}: has no reason")
    return {pair[0]: pair[1] for pair in pairs}


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=list(TESTS), metavar="MODULE", help=", ".join(TESTS))
    parser.add_argument("-j", type=int, default=2, help="mutants tried side by side (default: 2)")
    asked = parser.parse_args()
    known, fresh, killed = listed(), [], []
    for module in asked.modules:
        source = source_of(module).read_text(encoding="utf-8")
        begun = time.monotonic()
        if not survives(module, source):
            raise SystemExit(f"{module}: its tests fail before anything is changed")
        limit = max(LIMIT, TIMES * (time.monotonic() - begun))
        found = list(mutants(source))

        def one(mutant: Mutant, module: str = module, limit: float = limit) -> tuple[str, int, bool]:
            return f"{module}.{mutant.name}", mutant.line, survives(module, mutant.source, limit)

        with ThreadPoolExecutor(asked.j) as pool:
            for name, line, alive in pool.map(one, found):
                if alive:
                    print(f"survives: {source_of(module).relative_to(ROOT)}:{line}: {name}", flush=True)
                (fresh if alive else killed).append(name)
        print(f"{module}: {len(found)} mutants", flush=True)
    new, stale = [name for name in fresh if name not in known], [name for name in killed if name in known]
    for name in new:
        print(f"not reviewed: {name}")
    for name in stale:
        print(f"killed, so it need not stand in {SURVIVORS.name}: {name}")
    return 1 if new or stale else 0


if __name__ == "__main__":
    sys.exit(main())
