"""`drift-sim`: jobs of a made-up service, whose log changes at known jobs while most of it stays normal.

Three changes, each at a share of the jobs: an update that adds messages and words others anew (templates), steps
in another order (workflow), and a kind of job that slowly comes more often (rates). Anomalies of five kinds are
spread over the whole log. It is simulated: nothing measured on it may be set against published figures.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from logbench import Progress

if TYPE_CHECKING:
    from .drift_sim_config import DriftSimConfig

START = dt.datetime(2026, 3, 2, 8)
# Seconds between the beginnings of two jobs, and longest between two events of one.
EVERY, PAUSE = 10.0, 4.0
# Steps of each kind of job before any change, between `accepted` and `finished`.
STEPS = {
    "copy": ("opened", "read", "wrote", "verified", "stored", "closed"),
    "query": ("parsed", "planned", "ran", "fetched", "closed"),
    "index": ("opened", "scanned", "sorted", "wrote", "stored", "merged", "closed"),
}
# Share of each kind at the beginning and, where rates change, at the end of the log.
SHARES, LATER = (0.6, 0.35, 0.05), (0.15, 0.2, 0.65)
FAULTS = ("lost", "unfinished", "loop", "swapped", "doubled")


def generate(config: DriftSimConfig, folder: Path, progress: Progress) -> None:
    """Write `service.log`, in order of time, and `labels.csv` (header `unit,label`) under `folder`.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(config.data_seed)
    anomalous = np.zeros(config.jobs, dtype=bool)
    anomalous[rng.permutation(config.jobs)[: max(1, round(config.anomalies * config.jobs))]] = True
    lines: list[tuple[float, int, str]] = []
    for number in range(config.jobs):
        messages = _job(config, number, bool(anomalous[number]), rng)
        times = EVERY * (number + rng.random()) + np.cumsum(PAUSE * rng.random(len(messages)))
        lines += [(float(time), number, text) for time, text in zip(times, messages, strict=True)]
        progress(number + 1, config.jobs, "jobs simulated")
    text = [f"{START + dt.timedelta(seconds=at):%Y-%m-%dT%H:%M:%S.%f} {what}\n" for at, _, what in sorted(lines)]
    (folder / "service.log").write_text("".join(text), encoding="utf-8")
    labels = [f"{_name(number)},{int(label)}\n" for number, label in enumerate(anomalous)]
    (folder / "labels.csv").write_text("unit,label\n" + "".join(labels), encoding="utf-8")


def _name(number: int) -> str:
    return f"job_{number:06}"


def _job(config: DriftSimConfig, number: int, anomalous: bool, rng: np.random.Generator) -> list[str]:
    """Messages of one job."""
    share = number / config.jobs
    progress = min(max((share - config.rates_from) / max(1 - config.rates_from, 1e-9), 0.0), 1.0)
    rates = np.array(SHARES) + progress * (np.array(LATER) - SHARES)
    kind = tuple(STEPS)[int(rng.choice(len(STEPS), p=rates / rates.sum()))]
    steps = list(STEPS[kind])
    if share >= config.workflow_at:  # what was last but one comes first
        steps = [steps[-2], *steps[:-2], steps[-1]]
    if rng.random() < 0.2:
        steps.insert(int(rng.integers(1, len(steps))), "waited")
    words = [_words(step, kind, share >= config.templates_at, rng) for step in steps]
    if share >= config.templates_at:
        words.insert(1, f"cache of {kind} warmed in {rng.integers(1, 99)} ms")
    name, end = _name(number), f"finished {kind} after {rng.integers(100, 9999)} ms"
    texts = [f"accepted {kind} from client {rng.integers(1, 99)}", *words, end]
    if anomalous:
        texts = _faulty(texts, str(rng.choice(FAULTS)), rng)
    return [f"{name} {text}" for text in texts]


def _words(step: str, kind: str, updated: bool, rng: np.random.Generator) -> str:
    """The message of a step; an update words those of two kinds of steps anew."""
    number = int(rng.integers(1, 9999))
    if updated and step in ("stored", "ran", "closed"):
        return f"step {step} of {kind} completed, {number} bytes so far"
    return f"{step} {number} items of {kind}"


def _faulty(texts: list[str], fault: str, rng: np.random.Generator) -> list[str]:
    """The messages of a job that goes wrong."""
    at = int(rng.integers(2, len(texts) - 2))
    match fault:
        case "lost":
            return [*texts[:at], f"lost worker {rng.integers(1, 99)}: no route to host"]
        case "unfinished":
            return texts[: at + 1]
        case "loop":
            return [*texts[:at], *[texts[at]] * 5, *texts[at:]]
        case "swapped":
            return [texts[0], texts[-2], *texts[1:-2], texts[-1]]
        case _:
            return [*texts, *texts[-2:]]
