"""Regression gate: quality of the shipped models on the embedded data set, against reviewed baselines.

`--update` writes the baselines. Times are shown beside the old ones and never gate: they belong to a machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tabulate import tabulate

import logbench

BASELINES = Path(__file__).parent / "baselines"
TOLERANCE = 0.02
"""Largest loss of F1 that passes: float sums differ between processors, and training amplifies it."""
SUITE = {
    "hdfs-sim-first": {"models": ("deeplog", "new-event+length"), "dataset": "hdfs-sim"},
    "hdfs-sim-random": {
        "models": ("deeplog",),
        "dataset": "hdfs-sim",
        "settings": {"protocol": {"train": "random"}},
    },
}


def measure(models: tuple[str, ...], **options: Any) -> list[dict[str, Any]]:
    """One small row a run."""
    with tempfile.TemporaryDirectory() as folder:
        records = logbench.run(models, seeds=(0, 1), out=Path(folder), **options)
    rows = []
    for record in (record.as_dict() for record in records):
        if record["status"] != "ok":
            sys.exit(f"{record['model']}: {record['error']}")
        metrics = record["metrics"]["session"]["all"]
        rows.append(
            {
                "model": record["model"],
                "seed": record["seed"],
                "identity": [record["dataset"]["digest"], record["split"]["digest"], record["protocol"]["hash"],
                             record["config"]["model"]],
                "f1": round(metrics["f1"], 4),
                "rule_f1": round(record["trivial"]["unseen_or_short"]["session"]["all"]["f1"], 4),
                "processor": record["environment"]["processor"],
                "fit_s": record["stages"]["fit"]["wall_s"],
                "score_s": record["stages"]["score"]["wall_s"],
            }
        )  # fmt: skip
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true")
    update = parser.parse_args().update
    worse = []
    for name, options in SUITE.items():
        path = BASELINES / f"{name}.jsonl"
        rows = measure(**options)  # type: ignore[arg-type]
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        known = {
            (r["model"], r["seed"]): r for r in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        }
        table = []
        for row in rows:
            old = known.get((row["model"], row["seed"]))
            same = old is not None and old["identity"] == row["identity"]
            lost = same and row["f1"] < old["f1"] - TOLERANCE
            worse += [f"{name}: {row['model']} seed {row['seed']}: F1 {row['f1']} was {old['f1']}"] if lost else []
            state = "WORSE" if lost else "ok" if same else "changed: no baseline to compare, run bench-update"
            if not same:
                worse.append(f"{name}: {row['model']} seed {row['seed']}: {state}")
            shown = {"model": row["model"], "seed": row["seed"], "f1": row["f1"], "baseline": old and old["f1"]}
            times = {"fit s": row["fit_s"], "score s": row["score_s"]}
            table.append({**shown, "rule f1": row["rule_f1"], **times, "state": state})
        print(f"\n{name}\n{tabulate(table, headers='keys')}")
    print("\n".join(["", *worse]), file=sys.stderr)
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())
