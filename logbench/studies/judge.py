"""Run a submission on the sealed part of a data set, apart from network and labels, and sign the record."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..api.plan import Plan
from ..api.record import RunRecord
from ..api.record_sections import Record
from ..base.errors import ConfigError, DataError
from ..base.file_names import path_below
from ..base.files import root
from ..base.jail import VARIABLE
from ..base.maintainer_key import MaintainerKey
from ..components.submissions import FACTS, unpack
from ..reading.data_parts import facts_of
from ..running import records, stored
from ..running.signed_records import signed
from .seal import SEALED

# Folders of the cache that hold data, perhaps those that were sealed, with their labels.
DATA = ("fetched", "generated", "grouped", "looks", "received", "remote")


class RefusedError(DataError):
    """A submission that did what it may not, so that no record of it is signed."""


def judged_plan(plan: Plan, folder: Path, key: MaintainerKey) -> tuple[Plan, Mapping[str, Any]]:
    """The plan on a sealed folder, and its facts: open units train, sealed ones are tested, nothing is cached.

    Args:
        plan: with the model's address, options of the protocol and evaluators.

    Raises:
        DataError: the folder is no sealed part, or one of another key. ConfigError: an option that may not change.
    """
    facts = facts_of(folder)
    if facts["side"] != SEALED:
        raise DataError(f"{folder}: the {facts['side']} part; give the sealed one")
    if facts["key"] != key.public:
        raise DataError(f"{folder}: sealed by key {facts['fingerprint']}, and not by this one")
    if wrong := sorted(set(plan.settings) - {"protocol", *plan.evaluators, "evaluator"}):
        raise ConfigError(
            f"--set {wrong[0]}.…: only protocol and evaluators can change; options come with the model"
        )
    windower = facts["windower"]
    settings = {
        **plan.settings,
        facts["dataset"]: facts["config"],
        windower["name"]: windower["config"],
        "protocol": {**plan.settings.get("protocol", {}), "train": "given"},
    }
    made = replace(
        plan, dataset=facts["dataset"], data=folder, windower=windower["name"], settings=settings, cache=False
    )
    return made, facts


def hidden_from_models(sealed: Path, key: Path, out: Path) -> list[Path]:
    """What no model may read: the sealed part, key and records, and where else the data or their labels may be.

    Raises:
        DataError: `sealed` is no part of a data set.
    """
    known = [root() / name for name in DATA]
    known += [Path(name) for name in (facts_of(sealed).get("raw"), os.environ.get("LOGBENCH_DATA")) if name]
    needed = [Path(name).resolve() for name in (sys.prefix, sys.base_prefix, tempfile.gettempdir())]
    free = [one for one in known if not any(place.is_relative_to(one.resolve()) for place in needed)]
    return [sealed, key, out, *free]


@contextmanager
def cell(submission: Path | None, digest: str, hidden: Sequence[Path]) -> Iterator[str | None]:
    """Address of an unpacked submission, None for an installed model; and walls around every process of models.

    Args:
        digest: of the submission that may run. hidden: folders and files that no model may read.
    """
    paths = json.dumps([str(path.resolve()) for path in hidden])
    with tempfile.TemporaryDirectory(prefix="logbench-judged-") as folder:
        if submission is not None:
            unpack(submission, Path(folder), digest)
        os.environ[VARIABLE] = paths
        try:
            yield None if submission is None else str(Path(folder) / FACTS)
        finally:
            os.environ.pop(VARIABLE, None)


def walls(hidden: Sequence[Path]) -> str:
    """What keeps a model from network and hidden folders here: `namespaces`, or `python` alone."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from logbench.base.jail import enter; print(enter())"
    env = {**os.environ, VARIABLE: json.dumps([str(path.resolve()) for path in hidden])}
    asked = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "python"


def kept(
    record: Record,
    out: Path,
    key: MaintainerKey,
    facts: Mapping[str, Any],
    own: Mapping[str, Any],
    *,
    judging: Path,
    address: str | None,
) -> Record:
    """Sign the record of a run, and add it to `out`.

    Args:
        facts: of the sealed part. own: further facts of the judgement, such as the submission's digest.
        judging: where the run's tables are. address: see `cell`; what lies beside it is the model's own.

    Raises:
        RefusedError: the run failed, or the model opened files that are not its own.
    """
    if record["status"] != "ok" or not record["metrics"]:
        why = record["error"]["message"] if record["error"] else "its data have no labels"
        raise RefusedError(f"{record['model']} is not judged: {why}")
    code = f"{Path(address).resolve().parent}{os.sep}" if address else ""
    if opened := [file for file in record["audit"].get("files", ()) if not (code and file.startswith(code))]:
        raise RefusedError(f"{record['model']} is not judged: it opened {opened[0]}, which is not its own")
    names = ("share", "units", "sealed_units", "shared_lines", "digest")
    sealed = {**{name: facts[name] for name in names if name in facts}, **own}
    artifacts = {name: path for name, path in record["artifacts"].items() if path.startswith(record["run_id"])}
    for path in artifacts.values():
        target = path_below(out, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path_below(judging, path), target)
    known = {**record, "sealed": sealed, "artifacts": artifacts}
    known["checksums"] = stored.checksums(record["run_id"], artifacts, out)
    made = RunRecord(**signed(json.loads(json.dumps(known)), key))
    records.append(made, out)
    return made.as_dict()
