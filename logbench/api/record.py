"""The record of a run, as it is printed and stored."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from ..base.jsonable import to_jsonable

# 2: `protocol.min_events` is what was asked, `counts.short_limit` the limit in force.
RECORD_VERSION = 2


@dataclass
class RunRecord:
    """Everything about one run; `logbench run --json` prints exactly this.

    Attributes:
        record_version: raised when the meaning of a key changes.
        run_id: unique, sorts by start. started: UTC, ISO 8601.
        status: `ok`, `error` or `skipped`. error: `stage`, `type`, `message`, and for a bug `traceback`.
        isolation: `worker`: models ran in processes without labels, apart from each other; or `in-process`.
        command: what was typed. model: name. plugins: entry point → `distribution`, `version`, `code` (digest),
            `libraries` (digest). components: kind → `name` and `plugins` that it is made of.
        dataset: `name`, `path`, `digest` of the raw files, `simulated`, `unit`, realised `lines`, `sessions`,
            `anomalies`, `distinct`, and other counts.
        protocol: every field and its `hash`, as asked for. preset: name.
        config: resolved: `dataset`, `parser`, `windower`, `model`, and `evaluators` by name. seed: the model's.
        stochastic: the seed changes what the model scores. baseline: nobody asked for the run by name: it stands
            beside those that were asked for.
        split: `seed`, `digest`, and units: `train`, `held_out`, `test`, `straddling`, `left_out`, and more
            (see `split_facts`); `shared_lines`: of units on both sides.
        audit: what was checked against leaks: see `leak_audit.audit`; `labels` that the model saw, what the
            `threshold` is of, `files` that the model opened though they are not its own, and `alone`: of how many
            `units`, scored again without the others, the score or verdict `differ`s, or `declared`.
        training: what the model says of it (`windows`, `distinct`, `passes`, `optimiser_steps`, `stop_reason`).
        threshold: `value` (None where infinite), `exact` (text), `own` (the model's), `rule`, `uses_alpha`,
            `holds_rules`, `source`, `held_out`, `achieved`, `reliable`, `repeats`; under `event` the same
            of events.
        bound: `f1` that no verdict by key sequence alone can pass on the tested units, `ambiguous` (sequences with
            both labels), `units` (anomalous ones of these).
        counts: `labelled`, `scored`, `excluded` (by class), `short` (decided by the rule for short units),
            `unseen`, `repeats` (a training sequence), `unlabelled`; `short_limit` (units with fewer events are
            short), `needed` (events of the shortest unit that the model can score; None if not known);
            `unjudged` (`events` `of` all in units that are not short, and `units` without a judged event), where
            the model cannot judge every event; and under `event`.
        metrics: unit → `all` | `distinct` → metric; under `event` those of single lines, where they carry labels.
        directions: unit → metric → `higher` or `lower`, which way it is better; counts have none.
        trivial: rule → the shape of `metrics`.
        stages: name → `wall_s`, `cpu_s`, `peak_rss_mb`, `peak_gpu_mb`, `items`, `items_per_s`.
        environment: machine, versions, `device` as asked; `contended`: so many runs went side by side, so that
            their times mislead.
        notes: lines for the user. artifacts: name → path, relative to the records' folder.
        checksums: SHA-256 of these files by name.
    """

    run_id: str
    started: str
    model: str
    command: str = ""
    record_version: int = RECORD_VERSION
    isolation: Literal["worker", "in-process"] = "in-process"
    status: Literal["ok", "error", "skipped"] = "ok"
    error: dict[str, Any] | None = None
    plugins: dict[str, Any] = field(default_factory=dict)
    components: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)
    preset: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    stochastic: bool = True
    baseline: bool = False
    split: dict[str, Any] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    threshold: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    bound: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    directions: dict[str, Any] = field(default_factory=dict)
    trivial: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON values; a number that is not finite becomes None."""
        return {name: to_jsonable(value) for name, value in dataclasses.asdict(self).items()}

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False, allow_nan=False)
