"""`logbench export`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import ConfigError, DataError, IncompatibleError
from ..base.files import check_free
from ..base.progress_bars import Bars
from ..running.run_names import find
from . import State, pass_state, run_completion
from .apart import apart
from .shared_options import json_option, local, note, out_option, overwrite_option, print_json, say

if TYPE_CHECKING:
    from ..data.sessions import Sessions
    from ..running.bundle import Bundle

# What makes a graph, by format.
NEEDS = {"onnx": ("onnx", "onnx_ir", "onnxruntime", "onnxscript", "torch"), "torch-export": ("torch",)}


@click.command("export", epilog="Example: logbench export mymodel --to onnx")
@click.argument("run", metavar="RUN|BUNDLE", shell_complete=run_completion.run)
@click.option("--to", "kind", type=click.Choice(["onnx", "torch-export"]), default="onnx", show_default=True,
              help="Format of the graph.")  # fmt: skip
@click.option("-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the graph there; without it, ONNX goes into the bundle.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), help="File or folder with logs to check the graph on; by "
              "default, the run's own.")  # fmt: skip
@click.option("--code", type=click.Path(path_type=Path, exists=True, dir_okay=False), multiple=True,
              help="File with code that the bundle was saved with; it is run (repeatable).")  # fmt: skip
@out_option
@overwrite_option
@json_option
@pass_state
@apart
def command(
    state: State, run: str, kind: Any, file: Path | None, data: Path | None, out: Path, overwrite: bool,
    code: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Export a deep model as a graph that runs without torch.

    RUN is an id, its beginning, or `last`, of a run that was saved by --save; BUNDLE is the folder that it wrote.
    The graph gives scores and verdicts, takes batches of any size, and holds vocabulary and protocol as metadata.
    It is written only if it gives the verdicts of the model on real units, and its scores to 1e-4. `logbench score
    BUNDLE --engine onnxruntime` then needs no torch.
    """
    from ..deploy.export import export_bundle, place_in, sum_up
    from ..running.bundle import Bundle

    if lacking := [name for name in NEEDS[kind] if find_spec(name) is None]:
        raise IncompatibleError(
            f"--to {kind} needs {', '.join(lacking)}, not installed: pip install 'logbench-harness[export]'"
        )
    if file is None and kind != "onnx":
        raise click.UsageError(f"--to {kind}: say where to write it: -o FILE")
    folder = _folder(run, out)
    target = place_in(folder) if file is None else file
    check_free("-o" if file else "the bundle's graph", target, overwrite)
    bundle = Bundle(folder, state.registry, code)
    with Bars() as bars:
        units = _units_of(bundle, data, out, state, bars)
        with bars.stage("export"):
            made = export_bundle(bundle, units, kind, target)
    if file is None:
        sum_up(folder)
    if as_json:
        print_json([{"file": str(target), "bytes": target.stat().st_size, **made}])
        return
    parity, graph = made["parity"], made["graph"]
    say(f"{target}: {made['model']} as {kind}, {target.stat().st_size / 1e6:.2f} MB, {graph['input']} in, "
        f"{', '.join(made['outputs'])} out")  # fmt: skip
    say(f"checked against torch on {parity['units']:,} units, {parity['alarms']:,} of which alarm: verdicts "
        f"identical, scores to {parity['largest_difference']:.1g}")  # fmt: skip
    if file is None:
        note(f"score new logs by it: logbench score {folder} --data PATH --engine onnxruntime")


def _folder(run: str, out: Path) -> Path:
    """The bundle that is meant: a folder, or that of a run."""
    from ..running.bundle_checks import FILE

    if (Path(run) / FILE).is_file():
        return Path(run)
    record = find(run, out)
    saved = record["artifacts"].get("bundle")
    if saved is None:
        raise DataError(f"run {record['run_id']} saved no model; run it again with --save FOLDER")
    return Path(saved)


def _units_of(bundle: Bundle, data: Path | None, out: Path, state: State, bars: Bars) -> Sessions:
    """Real units to hold the graph against: of `--data`, else those of the run that did not train."""
    import numpy as np

    from ..deploy.score_files import sessions_of
    from ..running.saved_runs import saved_run

    if data is not None:
        with bars.stage("read") as progress:
            return sessions_of(bundle, local(data), progress)
    name = bundle.facts["run_id"]
    try:
        stored = saved_run(name, out, registry=state.registry, bars=bars)
    except (ConfigError, DataError) as error:
        raise DataError(f"no units to check the graph on ({error}); give some: --data PATH") from None
    others = np.setdiff1d(np.arange(len(stored.sessions)), stored.train)
    return stored.sessions.take(others)
