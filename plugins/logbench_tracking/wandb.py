"""Weights & Biases: each run becomes a run of a project.

W&B's own variables say where and how: WANDB_PROJECT (`logbench`), WANDB_ENTITY, WANDB_MODE (`offline` writes files
that `wandb sync` sends later), WANDB_DIR.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import ConfigError, hookimpl

from .asked import asked, failed, package, tell
from .facts import facts_of, files_of

if TYPE_CHECKING:
    from logbench import RunRecord

# W&B's own: signs of a tag.
LONGEST = 64


@hookimpl
def logbench_run_finished(record: RunRecord, out: Path | None) -> None:
    """Hand a run to W&B, if `--track wandb` asked for it."""
    if asked("wandb"):
        try:
            tell(track(record, out))
        except Exception as error:
            raise failed("wandb", record, out, error) from error


def track(record: RunRecord, out: Path | None) -> str:
    """Hand a run over; a sentence that says where it is.

    Raises:
        ConfigError: wandb is not installed, or nobody is logged in and the mode is online.
    """
    wandb, facts = package("wandb"), facts_of(record, out)
    _check_login(wandb)
    project = os.environ.get("WANDB_PROJECT") or "logbench"
    tags = [record.model, facts.tags["status"], *([facts.tags["dataset"]] if "dataset" in facts.tags else [])]
    run = wandb.init(
        project=project,
        name=facts.name,
        group=facts.tags.get("dataset"),
        job_type=record.model[:LONGEST],
        tags=[tag[:LONGEST] for tag in dict.fromkeys(tags)],
        notes=facts.tags.get("notes"),
        config={**facts.params, "logbench": dict(facts.tags)},
        reinit="create_new",  # a run of the user's own stays as it is
        settings=wandb.Settings(console="off", silent=True, disable_git=True, save_code=False),
    )
    code = 1
    try:
        for name, values in facts.curves.items():
            run.define_metric(name, step_metric="pass")
            for at, value in enumerate(values, 1):
                run.log({"pass": at, name: value})
        run.summary.update(dict(facts.metrics))
        _log_files(wandb, run, record, out)
        code = 0 if record.status == "ok" else 1
    finally:
        run.finish(exit_code=code)
    kept = Path(run.dir).parent
    where = run.url if run.settings.mode == "online" else f"{kept} (send it: wandb sync {kept})"
    return f"wandb: {facts.name} is in project {project}: {where}"


def _log_files(wandb: Any, run: Any, record: RunRecord, out: Path | None) -> None:
    artifact = wandb.Artifact(f"run-{record.run_id}"[:128], type="logbench-run")
    with files_of(record, out) as files:
        for file in files:
            artifact.add_file(str(file), name=file.name)
        run.log_artifact(artifact)


def _check_login(wandb: Any) -> None:
    """Ask no question at a terminal, which would stop the runs to come."""
    if wandb.setup().settings.mode == "online" and not wandb.login(prompt=False):
        raise ConfigError("W&B: nobody is logged in; wandb login, or WANDB_MODE=offline")
