"""MLflow: each run becomes a run of an experiment.

MLflow's own variables say where: MLFLOW_TRACKING_URI (by default what MLflow takes) and MLFLOW_EXPERIMENT_NAME
(`logbench`). The client is used without an active run, so that one of the user's own stays as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from logbench import hookimpl

from .asked import asked, failed, package, tell
from .facts import Facts, facts_of, files_of

if TYPE_CHECKING:
    from logbench import RunRecord

T = TypeVar("T")
# What MLflow takes of a batch at most, and signs of a value.
PARAMS, METRICS, TAGS, LONGEST = 100, 1000, 100, 500
# A server that is gone shall not hold up the runs to come for minutes, which is MLflow's default.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
STATUS = {"ok": "FINISHED", "skipped": "KILLED", "error": "FAILED"}


@hookimpl
def logbench_run_finished(record: RunRecord, out: Path | None) -> None:
    """Hand a run to MLflow, if `--track mlflow` asked for it."""
    if asked("mlflow"):
        try:
            tell(track(record, out))
        except Exception as error:
            raise failed("mlflow", record, out, error) from error


def track(record: RunRecord, out: Path | None) -> str:
    """Hand a run over; a sentence that says where it is.

    Raises:
        ConfigError: MLflow is not installed.
    """
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    mlflow = package("mlflow")
    client = mlflow.MlflowClient()
    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "logbench"
    begun = int(datetime.fromisoformat(record.started).timestamp() * 1000)
    facts = facts_of(record, out)
    tags = {f"logbench.{name}": value for name, value in facts.tags.items()}
    made = client.create_run(_experiment(client, experiment), start_time=begun, tags=tags, run_name=facts.name)
    run, ended = made.info.run_id, "FAILED"
    try:
        _log(client, mlflow.entities, run, facts, begun)
        with files_of(record, out) as files:
            for file in files:
                client.log_artifact(run, str(file))
        ended = STATUS[record.status]
    finally:
        client.set_terminated(run, ended, begun + int(1000 * _seconds(record)))
    return f"mlflow: {facts.name} is run {run} of experiment {experiment} in {mlflow.get_tracking_uri()}"


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def _seconds(record: RunRecord) -> float:
    return sum(stage.get("wall_s", 0.0) for stage in record.stages.values())


def _log(client: Any, entities: Any, run: str, facts: Facts, now: int) -> None:
    params = [entities.Param(_key(name), str(value)[:LONGEST]) for name, value in facts.params.items()]
    metrics = [entities.Metric(_key(name), value, now, 0) for name, value in facts.metrics.items()]
    for name, values in facts.curves.items():
        metrics += [entities.Metric(_key(name), value, now, step) for step, value in enumerate(values, 1)]
    for some in _pieces(params, PARAMS):
        client.log_batch(run, params=some)
    for batch in _pieces(metrics, METRICS):
        client.log_batch(run, metrics=batch)


def _key(name: str) -> str:
    """A name of the signs that MLflow takes."""
    return re.sub(r"[^\w\-. :/]", "_", name)[:250]


def _pieces(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), most):
        yield items[at : at + most]
