"""A stored run's units again, and its model where one was saved: for commands of plugins that inspect a run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.plan import Plan
from ..api.protocol import EvaluationProtocol
from ..base.errors import DataError
from ..base.progress_bars import Bars
from ..components.registry import Registry
from .bundle import Bundle
from .prepare import prepare
from .resolve import SINGLE, resolve
from .run_names import find
from .runtime import Runtime
from .stages import Stages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..api.record_sections import Record
    from ..data.sessions import Sessions


@dataclass(frozen=True)
class SavedRun:
    """A stored run, prepared again.

    Attributes:
        record: JSON values.
        sessions: all units with their ids and labels, in order of first line.
        train, test: int64 [units], places of the training and test units in `sessions`.
        model: the saved one, loaded; None where the run saved none.
    """

    record: Record
    sessions: Sessions
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    model: Any = field(repr=False)


def saved_run(
    run: str, out: Path = Plan.out, *, registry: Registry | None = None, bars: Bars | None = None
) -> SavedRun:
    """Read a stored run's data again, split and parsed as then, and load its model.

    Args:
        run: an id, its beginning, or `last`. out: folder of the records.
        registry, bars: by default all installed plugins, and no progress bars.

    Raises:
        DataError: there is no such run, its data are gone or have changed, or its model is damaged.
        ConfigError: a component of the run is not installed.

    Example:

        stored = saved_run("last")
        stored.model.score(stored.sessions[stored.test].unlabelled(), Context())
    """
    registry = registry or Registry()
    record = find(run, out)
    if record["status"] != "ok":
        raise DataError(f"run {record['run_id']} did not finish: its status is {record['status']}")
    runtime, config, data = Runtime.here(registry, bars), record["config"], record["dataset"]
    protocol = EvaluationProtocol.of(record["protocol"])
    settings: dict[str, Any] = {kind: values for kind, values in config.items() if kind in (*SINGLE, "embedding")}
    if registry.get("model", record["model"]).members:  # a combination's options go by member
        settings |= settings.pop("model")
    parts: dict[str, Any] = dict(record["components"])
    plan = Plan(
        model=record["model"],
        dataset=data["name"],
        data=_place(record),
        parser=parts["parser"]["name"],
        windower=parts["windower"]["name"],
        embedding=parts["embedding"]["name"] if "embedding" in parts else None,
        settings={**settings, "protocol": dataclasses.asdict(protocol)},
    )
    resolved = resolve(plan, registry)
    prepared = prepare(resolved, runtime, Stages(runtime), runtime.bars.note)
    if prepared.digest != data["digest"]:
        raise DataError(f"{data['path']}: has changed since run {record['run_id']}; run it again")
    bundle = record["artifacts"].get("bundle")
    split = prepared.split
    code = [Path(part.entry.plugin.home) for part in resolved.parts if part.entry.plugin.place]
    model = Bundle(Path(bundle), registry, code).model if bundle else None
    return SavedRun(record, prepared.sessions, split.train, split.test, model)


def _place(record: Record) -> Path | None:
    """Where the data of a run are; None where they were generated or fetched, and can be again."""
    path, located = Path(record["dataset"]["path"]), record["stages"].get("locate", {})
    again = located.get("generated") or located.get("digest")
    return None if again and not path.exists() else path
