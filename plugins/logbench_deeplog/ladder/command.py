"""`logbench ladder`: what each step of the optimisation report, and each of ours, is worth on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from logbench import Bars, Material

    from .measurement import Row, Slices
    from .naive_evaluation import Evaluation

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("ladder", epilog="Example: logbench ladder --dataset hdfs-sim --set deeplog.g=9 --out ladder.json")
@click.option("--dataset", default="hdfs-sim", show_default=True, metavar="NAME", help="Data set.")
@click.option("--data", type=click.Path(path_type=Path), help="File or folder with the raw data.")
@click.option("--preset", metavar="PRESET", help="Take protocol and configuration of a preset.")
@click.option("--set", "settings", multiple=True, metavar="COMPONENT.KEY=VALUE", help="Set an option.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the model and the slices."
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True,
              help="Where the rungs run.")  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(min=0.01), default=2.0, show_default=True, help="For each slow rung; it is "
    "timed on a slice that takes so long."
)  # fmt: skip
@click.option(
    "--windows", type=click.IntRange(min=1), help="For each slow rung: a slice of so many windows instead."
)
@click.option("--training/--no-training", default=True, show_default=True, help="Show the ladder of training too.")
@click.option("--compile", "compiled", is_flag=True, help="Show torch.compile too.")
@click.option(
    "--compress",
    is_flag=True,
    help="Show instead ways to make the model smaller, each with its F1 and verdicts.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Compare verdicts on all sessions, with a loop over each distinct window singly.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
@click.option("--out", type=FILE, metavar="FILE", help="Write the JSON object to this file too.")
@click.option("--profile", type=FILE, metavar="FILE", help="Write a trace of torch's profiler (Chrome format).")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, out: Path | None, **options: Any) -> None:
    """Time DeepLog's evaluation and training rung by rung.

    First the points of the optimisation report, each upon the ones below, then what goes beyond it. A rung too
    slow for all windows is timed on a random slice of the sessions, and the table says so. A rung that does
    not pay here is shown, but not built upon. Verdicts are compared on all sessions that two rungs share. Last
    comes a table of the device, with the same fields on every device, which anyone can send in.

    With --compress the rungs are ways to make the trained model smaller or faster, each with its size, memory,
    windows a second, F1 with its 95% interval, and the verdicts that change.
    """
    from logbench import Bars, parse_settings, prepare_sessions

    for file in (out, options["profile"]):
        if file is not None and not file.absolute().parent.is_dir():
            raise click.UsageError(f"{file}: there is no folder {file.parent}")

    # Torch's profiler else writes lines of its own over the progress.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    with Bars() as bars:
        named = {name: options[name] for name in ("data", "preset", "seed", "device")}
        material = prepare_sessions(
            "deeplog", options["dataset"], registry=getattr(ctx.obj, "registry", None), bars=bars,
            settings=parse_settings(options["settings"]), **named,
        )  # fmt: skip
        found = (compressed if options["compress"] else ladder)(material, bars, options)
    text = json.dumps(found, indent=None if as_json else 1, allow_nan=False)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    click.echo(text if as_json else (shown_compressed if options["compress"] else shown)(found))


def _of_all_keys(material: Material) -> Any:
    """The options of DeepLog, whose network tells all keys apart here, since rungs feed it keys as they are."""
    return replace(material.config, max_keys=max(material.config.max_keys, material.train.vocabulary))


def ladder(material: Material, bars: Bars, options: Mapping[str, Any]) -> dict[str, Any]:
    """Train once, then time every rung: the JSON object of the command.

    Args:
        options: `seconds`, `windows`, `training`, `compiled`, `verify`, `profile` as the command has them.

    Raises:
        IncompatibleError: no unit has a window to score.
    """
    from logbench import IncompatibleError

    from ..model import DeepLog
    from .device_table import device_table
    from .evaluation_steps import reference, time_evaluation
    from .measurement import Clock, Slices
    from .naive_evaluation import Evaluation
    from .training_steps import time_training

    config, context = _of_all_keys(material), material.context
    slices = Slices.of(material.test, 0 if config.pad else config.h, context.seed)
    if not slices.windows:
        raise IncompatibleError(
            f"ladder: no test unit has more than {config.h} events, so there is no window to score"
        )
    model = DeepLog(config)
    with bars.stage("fit") as progress:
        model.fit(material.train, replace(context, progress=progress))
    assert model.network is not None
    evaluation = Evaluation(model.network.eval(), replace(config, eval_amp="off"), context)
    clock = Clock(options["seconds"], options["windows"] or 0, context.device)
    with bars.stage("evaluate") as progress:
        rows = time_evaluation(evaluation, slices, clock, options["compiled"], progress)
        criterion = reference(evaluation, slices, clock, rows, options["verify"])
    trained: list[Row] = []
    if options["training"]:
        with bars.stage("train") as progress:
            trained = time_training(material.train, model, context, options["seconds"], progress)
    with bars.stage("device") as progress:
        table = device_table(evaluation, slices, clock, progress)
    table["device"]["name"] = table["device"]["name"] or material.facts["environment"]["processor"]
    if options["profile"] is not None:
        _profile(evaluation, slices, options["profile"])
    return {
        "ladder_version": 1,
        "model": {"h": config.h, "g": config.g, "keys": model.network.keys, "input": config.input},
        "device": context.device,
        "sessions": len(slices.order),
        "windows": slices.windows,
        "evaluation": [row.as_dict() for row in rows],
        "training": [row.as_dict() for row in trained],
        "criterion": criterion,
        "table": table,
        **material.facts,
    }


def compressed(material: Material, bars: Bars, options: Mapping[str, Any]) -> dict[str, Any]:
    """Train once, then every rung of compression: the JSON object of the command with `--compress`.

    Args:
        options: `seconds`, for each measurement of speed.

    Raises:
        IncompatibleError: no test unit has a window, or a label.
    """
    from logbench import IncompatibleError

    from ..model import DeepLog
    from .compression import compress

    config, context = _of_all_keys(material), material.context
    without = 0 if config.pad else config.h
    judged = material.test.take(material.test.lengths > without)
    if not len(judged) or judged.labels is None or not (judged.labels >= 0).any():
        raise IncompatibleError(f"ladder: no labelled test unit has more than {without} events")
    model = DeepLog(replace(config, eval_amp="off"))
    with bars.stage("fit") as progress:
        model.fit(material.train, replace(context, progress=progress))
    with bars.stage("compress") as progress:
        rows = compress(model, material.train, judged, context, options["seconds"] / 4, progress)
    return {
        "ladder_version": 1,
        "model": {"h": config.h, "g": config.g, "keys": model.keys, "hidden": config.hidden},
        "device": context.device,
        "sessions": len(judged),
        "compression": rows,
        **material.facts,
    }


def shown_compressed(found: Mapping[str, Any]) -> str:
    """The table of compression as text, in the columns of the terminal."""
    from logbench import folded, screen_width, text_table

    width, data, machine = screen_width(), found["dataset"], found["environment"]
    rows = found["compression"]
    columns = {
        "rung": [row["name"] for row in rows],
        "kB": [f"{row['size_bytes'] / 1e3:,.0f}" if "size_bytes" in row else "" for row in rows],
        "+MB": ["–" if row.get("memory_mb") is None else f"{row['memory_mb']:,.0f}" for row in rows],
        "1/s": [f"{row['per_s_1']:,.0f}" if "per_s_1" in row else "" for row in rows],
        "512/s": [f"{row['per_s_512']:,.0f}" if "per_s_512" in row else "" for row in rows],
        "F1": [f"{row['f1']:.3f}" if "f1" in row else "" for row in rows],
        "95%": ["" if row.get("f1_low") is None else f"{row['f1_low']:.3f}–{row['f1_high']:.3f}" for row in rows],
        "changed": [f"{row['verdicts_changed']:,}" if "verdicts_changed" in row else "" for row in rows],
        "note": [f"skipped: {row['skipped']}" if row["skipped"] else row["note"] for row in rows],
    }
    numbers = ("kB", "+MB", "1/s", "512/s", "F1", "95%", "changed")
    table = text_table(columns, width, fold=("rung", "note"), drop=("+MB",), right=numbers)
    parts = [
        *(["SIMULATED data: never set against published figures"] if data["simulated"] else []),
        f"deeplog on {data['name']}, {found['sessions']:,} labelled test units with a window, device "
        f"{found['device']}, {machine['cores']} cores ({machine['processor']})",
        "\n".join(filter(None, (table.text, table.said("--json")))),
        "1/s, 512/s: windows a second, one at a time and in batches, by a plain forward without sharing. changed: "
        "verdicts of units that differ from the first row's. kB: of weights, or of the graph's file; +MB: memory "
        "added while all windows were scored. F1 is that of ranks alone, without the protocol's rules.",
    ]
    return "\n\n".join(folded(part, width) for part in parts)


def _profile(evaluation: Evaluation, slices: Slices, file: Path) -> None:
    """Trace the report's best way on a small slice, then ours on all sessions."""
    from torch.profiler import profile, record_function

    from .naive_evaluation import EvaluationSettings

    with profile() as trace:
        with record_function("report: batch 512, one pass, one forward"):
            evaluation.by(
                EvaluationSettings(batch=512, passes=1, maps=True, tensors=True, forwards=1), slices.first(8192)[0]
            )
        with record_function("ours: distinct prefixes"):
            evaluation.prefix(slices.sessions)
    trace.export_chrome_trace(str(file))


# Columns that a narrow terminal does without, the first one first.
SPARE = ("MB", "GPU MB", "× below", "timed")


def shown(found: Mapping[str, Any]) -> str:
    """The tables as text, in the columns of the terminal."""
    from logbench import folded, screen_width

    width = screen_width()
    data, parts = found["dataset"], []
    if data["simulated"]:
        parts.append("SIMULATED data: never set against published figures")
    machine = found["environment"]
    parts.append(
        f"deeplog on {data['name']}: {found['windows']:,} test windows of {found['sessions']:,} sessions, "
        f"device {found['device']}, {machine['cores']} cores ({machine['processor']})"
    )
    parts.append(
        "EVALUATION, from flat keys to verdicts and counts\n" + _table(found["evaluation"], _verdicts, width)
    )
    if found["training"]:
        parts.append("TRAINING\n" + _table(found["training"], _steps, width))
    parts.append(_device(found["table"], width))
    parts.append(_criterion(found["criterion"]))
    if busy := _busy(found):
        parts.append(busy)
    parts.append(
        "MB: highest resident memory while the rung ran, and how much of it was added; workers not counted, and a "
        "slice's memory is not the whole's. × below: against the nearest rung below that is built upon."
    )
    return "\n\n".join(folded(part, width) for part in parts)


def _table(
    rows: Sequence[Mapping[str, Any]], more: Callable[[Mapping[str, Any]], dict[str, Any]], width: int | None
) -> str:
    from logbench import text_table

    lines = [_line(row) | ({} if row["skipped"] else more(row)) for row in rows]
    headers = list(dict.fromkeys(name for line in lines for name in line if name != "note"))
    columns = {name: [line.get(name, "") for line in lines] for name in (*headers, "note")}
    table = text_table(columns, width, fold=("rung", "note"), drop=SPARE, right=headers[1:])
    return "\n".join(filter(None, (table.text, table.said("--json"))))


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["skipped"]:
        return {"rung": row["name"], "note": f"skipped: {row['skipped']}"}
    return {
        "rung": row["name"],
        "windows/s": f"{row['per_s']:,.0f}",
        "× below": _ratio(row["below"]),
        "× batch 1": _ratio(row["first"]),
        **({"GPU MB": f"{row['gpu_mb']:,.0f}"} if row["gpu_mb"] is not None else {}),
        "MB": "–" if row["peak_mb"] is None else f"{row['peak_mb']:,.0f} (+{row['memory_mb']:,.0f})",
        "note": "; ".join(filter(None, (row["detail"], "" if row["kept"] else "not built upon"))),
    }


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _verdicts(row: Mapping[str, Any]) -> dict[str, Any]:
    timed = f"slice of {row['windows']:,}" if row["extrapolated"] else f"all in {row['seconds']:.3g} s"
    if row["equal_others"] is None:
        return {"verdicts equal": "–", "timed": timed}
    equal = f"no: {row['different']:,} differ" if row["different"] else "yes"
    return {"verdicts equal": f"{equal} ({row['equal_first']:,}; {row['equal_others']:,})", "timed": timed}


def _steps(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"steps/s": f"{row['steps_per_s']:,.0f}"}


def _device(table: Mapping[str, Any], width: int | None) -> str:
    """The table of this device, and what was compared and counted."""
    from logbench import text_table

    facts, equal, calls = table["device"], table["equality"], table["launches"]
    named = (f"driver {facts['driver']}", f"CUDA {facts['cuda']}", f"cuDNN {facts['cudnn']}")
    about = ", ".join((facts["name"], *(named if facts["cuda"] else ()), f"torch {facts['torch']}"))
    rows = table["throughput"]
    columns = {
        "way": [row["way"] for row in rows],
        "batch": [f"{row['batch']:,}" if row["batch"] else "own" for row in rows],
        "AMP": [row["amp"] for row in rows],
        "windows/s": ["–" if row["unmeasured"] else f"{row['windows_per_s']:,.0f}" for row in rows],
        "spread": ["–" if row["unmeasured"] else f"{row['spread']:.0%}" for row in rows],
        "note": [f"not measured: {row['unmeasured']}" if row["unmeasured"] else "" for row in rows],
    }
    text = text_table(columns, width, fold=("way", "note"), right=("batch", "windows/s", "spread")).text
    kernels = "not measured" if calls["kernels"] is None else f"{calls['kernels']:,}"
    few = "" if equal["enough"] else " (too few to mean much: take a larger test set)"
    same, there = (_differ(equal[name]) for name in ("different", "different_on_device"))
    return (
        f"THIS DEVICE: {about}\n{text}\n"
        f"Kernels for {calls['windows']:,} windows in one forward: {kernels}. Verdicts {same} to those of "
        f"a CPU that takes each distinct window singly (made distinct on the device: {there}), on "
        f"{equal['sessions']:,} sessions{few}."
    )


def _differ(verdicts: int) -> str:
    return "identical" if not verdicts else f"{verdicts:,} different"


def _busy(found: Mapping[str, Any]) -> str:
    """A warning where other programs had the cores: a rung on a CPU should get at least one of them."""
    rows = [row for row in (*found["evaluation"], *found["training"]) if row["per_s"] and row["name"] != "workers"]
    share = min(row["cpu_s"] / row["seconds"] for row in rows)
    if found["device"] != "cpu" or share > 0.9:
        return ""
    return (
        f"The machine was busy: some rung had {share:.0%} of one core, so figures are too low and ratios uneven; "
        "cpu_s in the JSON is each rung's own time."
    )


def _criterion(facts: Mapping[str, Any]) -> str:
    same = _differ(facts["different"])
    slice_ = f" (extrapolated from {facts['loop_windows']:,})" if facts["extrapolated"] else ""
    return (
        "Verdicts are compared on the sessions shared with batch 1, and with any rung before (in brackets).\n"
        f"All {facts['windows']:,} windows by {facts['rung']}: {facts['seconds']:.3g} s, {facts['ratio']:,.0f} × "
        f"as fast as a plain loop over single windows, one forward each, at {facts['loop_per_s']:,.0f}/s{slice_}; "
        f"verdicts {same} on {facts['sessions_compared']:,} sessions."
    )
