"""A model under doses of one disturbance after the other: how far a metric falls, and where a rule is as good."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from ..api.protocol import DISTURBED, LABELS
from ..api.record_sections import Record
from ..base.errors import ConfigError
from ..components.registry import Registry
from ..running.resolve import resolve
from .asked_metric import check_metric
from .leaderboard import Leaderboard
from .mean_row import mean_row
from .plans import ModelsRequest, plans_of
from .single_run import command_of
from .workbench import Workbench

# `--on` → fields of the protocol that say how many labels are wrong.
LABEL_FIELDS: Mapping[str, tuple[str, ...]] = {
    "test": ("test_label_noise",), "train": ("label_noise",), "both": ("label_noise", "test_label_noise"),
}  # fmt: skip
_DOSE = re.compile(r"\d{1,3}(\.\d{1,9})?|\.\d{1,9}")


@dataclass(frozen=True)
class Disturbance:
    """One kind of disturbance.

    Attributes:
        name: a choice of `protocol.unstable`, or `LABELS`. on: `test`, `both`, of labels also `train`.
    """

    name: str
    on: str

    def settings(self, dose: float) -> dict[str, Any]:
        """Fields of the protocol; none for dose 0, which is the run as it is."""
        if not dose:
            return {}
        if self.name == LABELS:
            return dict.fromkeys(LABEL_FIELDS[self.on], dose)
        return {"unstable": self.name, "unstable_dose": dose, "unstable_in": self.on}


def doses_of(text: str) -> list[float]:
    """Doses as shares, ascending, 0 among them.

    Raises:
        ConfigError: not numbers, or no shares.

    Examples:
        >>> doses_of("1,5,20%")
        [0.0, 0.01, 0.05, 0.2]
        >>> doses_of("0.1,.5")
        [0.0, 0.1, 0.5]
    """
    words = [word.strip().removesuffix("%") for word in text.split(",")]
    wrong = next((word for word in words if not _DOSE.fullmatch(word)), None)
    if wrong is not None:
        raise ConfigError(
            f"--dose {text}: {wrong or 'an empty word'} is no dose; give shares such as 0,1,5,10,20%"
        )
    doses = sorted({0.0, *(float(word) / (100 if "%" in text else 1) for word in words)})
    if doses[-1] > 1:
        raise ConfigError(f"--dose {text}: a dose is a share of at most 1; for percent write {text}%")
    return doses


def disturbances(kinds: Sequence[str], on: str) -> list[Disturbance]:
    """What `--kind` and `--on` ask for, each once.

    Args:
        kinds: keys of `DISTURBED`, or names in it.

    Raises:
        ConfigError: one cannot be in training alone.
    """
    names = list(dict.fromkeys(name for kind in kinds for name in DISTURBED.get(kind, (kind,))))
    if on == "train" and names != [LABELS]:
        raise ConfigError("--on train: only labels are disturbed in training alone; give --on test or both")
    return [Disturbance(name, on) for name in names]


def robust(
    request: ModelsRequest, disturbed: Sequence[Disturbance], doses: Sequence[float], metric: str, bench: Workbench
) -> Iterator[dict[str, Any]]:
    """A row for each disturbance and dose; the run without any is shared by all.

    Args:
        request: of one model; its split seeds draw what is disturbed, too. doses: see `doses_of`.
        metric: one that ranks. bench: does the runs, and says whether earlier ones are taken over.

    Yields:
        `kind` (of disturbance), `on`, `dose`, `runs` (ids), `value` (mean of the metric over runs), `low` and
        `high` (95% interval, None of one run), `rule` (the best without a model, under the same dose) and its
        `rule_value`, `under` (the model is worse than it), `changed` (events or labels, the mean over runs),
        `way` (which is better, higher or lower), `command` of the first run; or `skipped`, why a run gave nothing.

    Raises:
        ConfigError: an unknown option, value or metric. DataError: the data are not there.
    """
    asked = [Disturbance("none", "test"), *disturbed]
    cells = [(one, dose) for one in asked for dose in doses if (dose > 0) != (one.name == "none")]
    plans = [plans_of(_dosed(request, one.settings(dose)), bench.registry) for one, dose in cells]
    check_metric(plans[0][0], metric, bench, ranks=True)
    flat = [(at, plan) for at, some in enumerate(plans) for plan in some]
    found: dict[int, list[Record]] = {}
    board = Leaderboard([plan for _, plan in flat], bench)
    board.say_taken_over()
    results = dict(board.results())
    for number, (at, _) in enumerate(flat):
        found.setdefault(at, []).append(results[number])
    rows = {
        cell: {"command": command_of(resolve(plans[at][0], bench.registry), {}), **_row(found[at], metric)}
        for at, cell in enumerate(cells)
    }
    for one in disturbed:
        for dose in doses:
            row = rows[(one, dose) if dose else cells[0]]
            yield {"kind": one.name, "on": one.on, "dose": dose, **row}


def falls_from(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """The least dose from which on a model is worse than the best rule at each dose; None: not at the largest.

    Args:
        rows: of one disturbance, the least dose first.
    """
    least = None
    for row in reversed([row for row in rows if "skipped" not in row]):
        if not row["under"]:
            break
        least = row["dose"]
    return least


def _dosed(request: ModelsRequest, protocol: Mapping[str, Any]) -> ModelsRequest:
    settings = dict(request.fields.get("settings", {}))
    settings["protocol"] = {**settings.get("protocol", {}), **protocol}
    return replace(request, fields={**request.fields, "settings": settings})


def check_undisturbed(request: ModelsRequest, registry: Registry) -> None:
    """Refuse a protocol that disturbs already: dose 0 would not be the run as it is.

    Raises:
        ConfigError: it does.
    """
    protocol = resolve(plans_of(request, registry)[0], registry).protocol
    for name in ("label_noise", "test_label_noise"):
        if getattr(protocol, name):
            raise ConfigError(f"protocol.{name}={getattr(protocol, name):g}: --dose says how much; leave it out")
    if protocol.unstable != "none":
        raise ConfigError(f"protocol.unstable={protocol.unstable}: --kind says what is disturbed; leave it out")


def _row(runs: Sequence[Record], metric: str) -> dict[str, Any]:
    row = mean_row(runs, metric)
    return row if "skipped" in row else {**row, "changed": fmean(map(_changed, runs))}


def _changed(run: Record) -> int:
    """Events or labels that were changed."""
    split = run["split"]
    labels = [split["flipped"], split["flipped_test"]]
    return sum(one["normal"] + one["anomaly"] for one in labels) + (split["unstable"] or {"events": 0})["events"]
