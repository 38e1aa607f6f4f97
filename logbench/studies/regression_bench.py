"""Regression benchmarks: a suite of runs, its figures as reviewable JSON Lines, and which of them got worse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..api.components import Direction
from ..api.plan import Plan
from ..base.errors import ConfigError, DataError
from ..base.files import written
from ..base.jsonable import to_jsonable
from ..base.options import suggest, toml_values
from ..components.registry import Registry
from ..evaluation.metrics import direction, figure, loss
from ..evaluation.metrics import figures as named_figures
from ..running.identity import digest, material
from ..running.resolve import ResolvedPlan, resolve
from ..running.run_plans import run_plans
from ..running.workers import DoesTasks, Running

FORMAT = 1
TABLES = ("models", "datasets", "protocols")
KEYS = ("benchmark_version", "seeds", "gates", "evaluators", *TABLES)
# Metrics kept beside those that are gated.
SHOWN = ("f1", "precision", "recall", "auroc", "auprc")
HARDWARE = ("processor", "cores", "memory_mb")
# A run that took less than this longer is not slower, whatever the factor.
NOISE_S = 0.5
HEAD = {"gates", "versions", "hardware", "contended"}
LABELS = ("model", "dataset", "protocol", "seed")
FIGURES = {"identity", "metrics", "fit_s", "score_s", "peak_rss_mb"}

Row = dict[str, Any]
# Metric → largest loss that passes, and which way it is better.
Gates = Mapping[str, tuple[float, Direction]]


@dataclass(frozen=True)
class Suite:
    """What `bench run` runs: every model on every data set under every protocol with every seed.

    Attributes:
        gates: metric → largest loss that passes, in the direction in which the metric is worse. A metric of
            another evaluator is called `evaluator.metric`.
        models, datasets, protocols: label → table. `model`, `dataset` and `preset` say what is meant where that is
            not the label; `benchmark_version` of a model, `data`, `parser` and `windower` of a data set; the rest
            are options.
        version: `benchmark_version`; raise it when old figures should no longer be compared.
    """

    name: str
    folder: Path
    gates: Mapping[str, float]
    seeds: tuple[int, ...]
    evaluators: tuple[str, ...]
    models: Mapping[str, Mapping[str, Any]]
    datasets: Mapping[str, Mapping[str, Any]]
    protocols: Mapping[str, Mapping[str, Any]]
    version: int


@dataclass(frozen=True)
class Cell:
    """One run of a suite: its labels, and the job."""

    model: str
    dataset: str
    protocol: str
    version: int
    resolved: ResolvedPlan


def read_suite(path: Path) -> Suite:
    """A suite from a TOML file.

    Raises:
        ConfigError: the file is missing, not TOML, or says something that no suite knows.
    """
    values = toml_values(path, str(path))
    for name in values:
        if name not in KEYS:
            raise ConfigError(f"{path}: {name}: no such key{suggest(name, KEYS)}")
    tables = {name: _tables(path, name, values.get(name)) for name in TABLES}
    gates, seeds = values.get("gates", {"f1": 0.02}), values.get("seeds", [0])
    if not (isinstance(gates, dict) and gates and all(_positive(v) for v in gates.values())):
        raise ConfigError(f"{path}: gates: expected metric = largest loss that passes, such as f1 = 0.02")
    if not (isinstance(seeds, list) and seeds and all(type(s) is int and s >= 0 for s in seeds)):
        raise ConfigError(f"{path}: seeds: expected a list of numbers, such as [0, 1]")
    evaluators = values.get("evaluators", [])
    if not (isinstance(evaluators, list) and all(isinstance(one, str) for one in evaluators)):
        raise ConfigError(f'{path}: evaluators: expected a list of names, such as ["classification"]')
    version = _version(path, values.get("benchmark_version", 1))
    return Suite(path.stem, path.parent, gates, tuple(seeds), tuple(evaluators), **tables, version=version)


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _version(path: Path, value: Any) -> int:
    if type(value) is not int:
        raise ConfigError(f"{path}: benchmark_version: expected a whole number, got {value!r}")
    return value


def _tables(path: Path, name: str, found: Any) -> dict[str, dict[str, Any]]:
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        found = {one: {} for one in found}
    if not found or not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
        raise ConfigError(f"{path}: {name}: expected a table each, such as [{name}.mine], or a list of names")
    return found


def cells(suite: Suite, registry: Registry) -> list[Cell]:
    """Every run of a suite, all names and options checked.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    names = tuple(dict.fromkeys(str(table.get("model", label)) for label, table in suite.models.items()))
    return [
        _cell(suite, registry, names, model, dataset, protocol, seed)
        for dataset in suite.datasets
        for protocol in suite.protocols
        for model in suite.models
        for seed in suite.seeds
    ]


def _cell(
    suite: Suite, registry: Registry, names: tuple[str, ...], model: str, dataset: str, protocol: str, seed: int
) -> Cell:
    learner, data, rules = (
        dict(suite.models[model]),
        dict(suite.datasets[dataset]),
        dict(suite.protocols[protocol]),
    )
    version = _version(suite.folder / suite.name, learner.pop("benchmark_version", suite.version))
    named = {"model": learner.pop("model", model), "dataset": data.pop("dataset", dataset)}
    named |= {name: data.pop(name, None) for name in ("parser", "windower")}
    path, preset = data.pop("data", None), rules.pop("preset", None)
    tables = {"model": learner, "dataset": data, "protocol": rules}
    plan = Plan(
        **named,
        data=None if path is None else suite.folder / path,
        evaluators=suite.evaluators,
        preset=preset,
        config={kind: options for kind, options in tables.items() if options},
        seed=seed,
        companions=names,
        command=f"logbench bench run {suite.name}",
    )
    return Cell(model, dataset, protocol, version, resolve(plan, registry))


def run_suite(
    suite: Suite, registry: Registry, crew: DoesTasks, out: Path, watch: Callable[[Mapping[int, Running]], None]
) -> Iterator[tuple[Row, Row]]:
    """Run every cell; what the runs of one data set and protocol have in common is done once.

    Args:
        crew: does the runs. out: folder of the records. watch: is told often what runs.

    Yields:
        The figures of a cell, and its record.
    """
    from dataclasses import replace

    asked = cells(suite, registry)
    plans = [replace(cell.resolved.plan, out=out) for cell in asked]
    for number, record in run_plans(plans, registry, crew, watch):
        yield figures(asked[number], record, suite), dict(record)


def figures(cell: Cell, record: Mapping[str, Any], suite: Suite) -> Row:
    """What of a run is kept to be compared with.

    Raises:
        ConfigError: a gate's metric is not in the record, is undefined, or has no direction.
    """
    row = {"model": cell.model, "dataset": cell.dataset, "protocol": cell.protocol, "seed": record["seed"]}
    if record["status"] != "ok":
        return {**row, "status": record["status"], "error": record["error"]["message"]}
    known = named_figures(record)
    kept = {name: known.get(name) for name in SHOWN} | {name: _gating(record, name, suite) for name in suite.gates}
    stages = record["stages"]
    return {
        **row,
        "status": "ok",
        "identity": identity(record, cell),
        "metrics": {name: round(value, 4) for name, value in kept.items() if value is not None},
        "fit_s": stages["fit"]["wall_s"],
        "score_s": stages["score"]["wall_s"],
        "peak_rss_mb": stages["score"]["peak_rss_mb"],
    }


def _gating(record: Mapping[str, Any], name: str, suite: Suite) -> float:
    """The metric of a gate."""
    try:
        value = figure(record, name)
        direction(record, name)
    except ConfigError as error:
        raise ConfigError(f"{suite.name}: gates.{name}: {error}") from None
    if value is None:
        raise ConfigError(f"{suite.name}: gates.{name}: it is undefined in {record['run_id']}")
    return value


def identity(record: Mapping[str, Any], cell: Cell) -> Row:
    """What must be the same for two figures to be compared, each in 12 hexadecimal digits.

    Code is not among it: what edited code does to a figure is what a gate is for. Edits that change the data
    themselves show in the digests of raw files and of names and labels of the units on each side.
    """
    resolved = cell.resolved
    parts: dict[str, Any] = {"data": material(record), "split": record["split"]["digest"]}
    parts["protocol"] = record["protocol"]["hash"]
    chosen = {
        "dataset": resolved.dataset,
        "parser": resolved.parser,
        "windower": resolved.windower,
        "model": resolved.model,
    }
    parts |= {f"{kind} options": [part.name, part.as_dict()] for kind, part in chosen.items()}
    parts["evaluators"] = [[part.name, part.as_dict()] for part in resolved.evaluators]
    named = {name: digest(to_jsonable(value))[:12] for name, value in parts.items()}
    return {**named, "benchmark_version": cell.version}


def header(suite: Suite, records: Sequence[Row]) -> Row:
    """The first line of a file of figures: what they were made with, and what they are gated by."""
    first = records[0]
    versions = {plugin["distribution"]: plugin["version"] for r in records for plugin in r["plugins"].values()}
    return {
        "bench_format": FORMAT,
        "suite": suite.name,
        "gates": dict(suite.gates),
        "directions": {
            name: direction(record, name) for name in suite.gates for record in records if record["status"] == "ok"
        },
        "versions": dict(sorted(versions.items())),
        "revision": first["source"].get("revision"),
        "hardware": {name: first["environment"].get(name) for name in HARDWARE},
        "contended": any(record["environment"].get("contended") for record in records),
    }


def write(path: Path, head: Row, rows: Sequence[Row]) -> None:
    """Write figures, one JSON object a line.

    Raises:
        DataError: it cannot be written.
    """
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (head, *rows))
    with written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(path: Path) -> tuple[Row, list[Row]]:
    """The header and the rows of a file of figures.

    Raises:
        DataError: it is missing, or not what `bench run --out` writes.
    """
    try:
        head, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        known = head.get("bench_format") if head.keys() >= HEAD and all(map(_whole, rows)) else None
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; write it: logbench bench run SUITE.toml --out {path}"
        ) from None
    except (ValueError, AttributeError):
        known = None
    if known != FORMAT:
        raise DataError(f"{path}: no figures to read; write them anew: logbench bench run SUITE.toml --out {path}")
    return head, rows


def _whole(row: Row) -> bool:
    """Whether a row has what is compared."""
    needed = FIGURES if row.get("status") == "ok" else {"status", "error"}
    return row.keys() >= {*LABELS, *needed}


def compare(baseline: tuple[Row, list[Row]], new: tuple[Row, list[Row]], slower: float | None = None) -> list[Row]:
    """One row a cell: `state`, and `was` and `now` of every metric that NEW gates.

    Args:
        slower: on the same hardware, how many times longer fit and score may take; None: times do not gate.

    Returns:
        `state` is `ok`, `better`, `WORSE` or `SLOWER`; `failed` where the new run did; `changed`, `new` or `gone`
        where there is no old or no new figure to compare.

    Raises:
        DataError: neither file says which way a gate's metric is better, or they contradict each other.
    """
    (old_head, old_rows), (head, rows) = baseline, new
    timed = same_hardware(old_head, head)
    known = {_key(row): row for row in old_rows}
    gates = _gates(old_head, head) if any(row["status"] == "ok" for row in rows) else {}
    found = [_compared(known.pop(_key(row), None), row, gates, slower if timed else None) for row in rows]
    return [*found, *({**_labels(row), "state": "gone", "why": "not in NEW"} for row in known.values())]


def _gates(old: Row, new: Row) -> Gates:
    """The gates of NEW, each with its direction; a BASELINE of before metrics declared one has none."""
    was, now = old.get("directions", {}), new.get("directions", {})
    if lacking := [name for name in new["gates"] if name not in {**was, **now}]:
        raise DataError(f"neither file says which way {', '.join(lacking)} is better; write NEW anew: "
                        "logbench bench run SUITE.toml --out NEW")  # fmt: skip
    if other := [name for name in new["gates"] if {was.get(name), now.get(name)} == {"higher", "lower"}]:
        raise DataError(f"{other[0]} is better {was[other[0]]} in BASELINE, {now[other[0]]} in NEW")
    return {name: (most, {**was, **now}[name]) for name, most in new["gates"].items()}


def same_hardware(first: Row, second: Row) -> bool:
    """Whether times of two files may be compared."""
    alone = not (first["contended"] or second["contended"])
    return bool(first["hardware"] == second["hardware"]) and alone


def _labels(row: Row) -> Row:
    return {name: row[name] for name in LABELS}


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(_labels(row).values())


def _compared(old: Row | None, row: Row, gates: Gates, slower: float | None) -> Row:
    state, why = _comparable(old, row, gates)
    if state == "ok" and old is not None and row["status"] == "ok":
        state, why = _gated(old, row, gates, slower)
    return {**_labels(row), "state": state, "why": why, "old": old, "new": row}


def _comparable(old: Row | None, row: Row, gates: Gates) -> tuple[str, str]:
    """`ok`, or what stands in the way."""
    if row["status"] != "ok":
        alike = old is not None and old["status"] == row["status"] == "skipped"
        return ("ok", "") if alike else ("failed", row["error"])
    if old is None or old["status"] != "ok":
        return "new", "no figure in BASELINE"
    names = {*old["identity"], *row["identity"]}
    changed = sorted(name for name in names if old["identity"].get(name) != row["identity"].get(name))
    missing = [name for name in gates if name not in old["metrics"]]
    if changed:
        return "changed", ", ".join(changed)
    return ("new", f"no {', '.join(missing)} in BASELINE") if missing else ("ok", "")


def _gated(old: Row, row: Row, gates: Gates, slower: float | None) -> tuple[str, str]:
    losses = {name: loss(way, old["metrics"][name], row["metrics"][name]) for name, (_, way) in gates.items()}
    if worse := [name for name, lost in losses.items() if lost > gates[name][0] + 1e-9]:
        said = (f"{n} {row['metrics'][n]:.4f}, was {old['metrics'][n]:.4f}, gate {gates[n][0]:g}" for n in worse)
        return "WORSE", "; ".join(said)
    took, before = (one["fit_s"] + one["score_s"] for one in (row, old))
    if slower is not None and took > max(slower * before, before + NOISE_S):
        return "SLOWER", f"{took:.2f} s, was {before:.2f} s, gate {slower:g}x"
    return ("better" if any(lost < -gates[name][0] - 1e-9 for name, lost in losses.items()) else "ok"), ""
