"""One log, without labels or a split: its most unusual units, with their lines and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.plan import Plan
from ..base.errors import DataError, IncompatibleError
from ..base.jsonable import several
from ..data.lines import Lines
from ..evaluation.alarm_rates import AlarmRate, AlarmThreshold, threshold_by
from ..pipeline.coding import read_lines
from ..pipeline.grouping import GroupedLines, group_lines
from ..pipeline.parsing import Vocabulary, learn, sessions_of
from ..reading.data_parts import open_data
from ..running.data_warnings import warnings_of
from ..running.explain import names_of, templates_frame
from ..running.held_out import units_a_day
from ..running.judgement import keys_judged
from ..running.locate import locate
from ..running.looks import Look, Source
from ..running.resolve import ResolvedPlan, resolve
from .cross_scores import check_model, cross_scores
from .durations import durations_of
from .ranked import Ranked, by_model, by_surprise

if TYPE_CHECKING:
    from ..base.progress import Progress
    from ..components.registry import Registry
    from ..data.sessions import Sessions

# What is told of a line that is shown.
PLACE = ("file", "line", "raw", "text")
# Units of which a look knows why they are surprising.
LOOKED = 1000


@dataclass(frozen=True)
class Detection:
    """The most surprising units of a log.

    Attributes:
        unit: what a unit is called. units: how many there are.
        facts: counts of lines and events.
        rows: `unit`, `score`, `events`, `time`, `node` and `template` of the first line that shows why, `why`
            (sentences) and `lines` (`file`, `line`, `raw`, `text`), best first.
        notes: what is to be said of the data.
        look: what `logbench show` prints whole units from.
        threshold: above which the rows score; None where none was asked for.
    """

    unit: str
    units: int
    facts: Mapping[str, int]
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    look: Look
    threshold: AlarmThreshold | None = None


def detect(
    dataset: str,
    registry: Registry,
    progress: Progress,
    top: int = 10,
    data: Path | None = None,
    asked: AlarmRate | None = None,
    model: str | None = None,
    **options: Any,
) -> Detection:
    """Rank the units of a data set by surprise, see `surprise`, or by a model that was fitted on the other units.

    Args:
        dataset: a name, or a definition's file.
        top: how many units to give, where no threshold is asked for.
        asked: a threshold, or the share of the units or the number a day that it lets alarm.
        model: see `cross_scores`; None: surprise.
        options: fields of `Plan`.

    Raises:
        DataError: the log cannot be read, or makes too few units.
        IncompatibleError: it holds key sequences, or the model does not suit.
    """
    any_model = next(name for name, entry in registry.components["model"].items() if not entry.item.traits.needs)
    resolved = resolve(Plan(model=model or any_model, dataset=dataset, data=data, **options), registry)
    noted: list[str] = []
    if model is not None:
        check_model(resolved)
    found = locate(resolved.dataset, data, registry, progress)
    assert found is not None
    opened = open_data(resolved.dataset.build(), resolved.dataset.name, found.path)
    if not isinstance(opened, Lines):
        raise IncompatibleError(f"{dataset} holds key sequences; detect looks at lines: logbench run MODEL")
    grouped, vocabulary, sessions = _sessions(resolved, opened, progress)
    if len(sessions) < 3:
        raise DataError(
            f"the log makes {several(len(sessions), resolved.unit)}, too few to compare; set a smaller window, "
            "such as --set time.size=1s, or give more lines"
        )
    ranked = _ranked(resolved, model, opened, grouped, vocabulary, sessions, noted)
    scores, chosen = ranked.scores, None
    best, least = np.argsort(-scores, kind="stable"), 0.0 if model is None else -np.inf
    if asked is not None:
        known = pl.DataFrame({"score": scores[scores > -np.inf]}).with_columns(weight=1.0, units=1)
        chosen = threshold_by(asked, known, units_a_day(len(sessions), sessions.times), resolved.unit)
        least = chosen.value
    best = best[scores[best] > least]
    rows = _rows(best if chosen else best[:top], sessions, ranked, opened)
    source = Source.of(resolved.dataset, resolved.windower, found.path, opened.files)
    look = Look("detect", source, _facts(best[: max(top, LOOKED)], sessions, ranked))
    counted = {**grouped.facts, **(opened.counted() if opened.counted else {})}
    notes = [
        *warnings_of(counted, resolved.unit),
        *keys_judged(sessions, len(grouped.messages), resolved),
        *dict.fromkeys(noted),
    ]
    return Detection(resolved.unit, len(sessions), counted, rows, notes, look, chosen)


def _sessions(
    resolved: ResolvedPlan, opened: Lines, progress: Progress
) -> tuple[GroupedLines, Vocabulary, Sessions]:
    """All units, with keys that were learnt of all of them."""
    parser = resolved.parser.build()
    read = read_lines(opened, resolved.windower.build(), parser, progress, times=True)
    grouped = group_lines(read, parser)
    vocabulary = learn(grouped, np.arange(len(grouped)), resolved.parser.build())
    return grouped, vocabulary, sessions_of(grouped, vocabulary, np.ones(len(grouped)))


def _ranked(
    resolved: ResolvedPlan,
    model: str | None,
    opened: Lines,
    grouped: GroupedLines,
    vocabulary: Vocabulary,
    sessions: Sessions,
    noted: list[str],
) -> Ranked:
    """Units by surprise, or by a model fitted on the others, which adds its notes to `noted`."""
    if model is None:
        order = not resolved.windower.entry.item.traits.line_windows
        return by_surprise(sessions, order, durations_of(opened))
    names = names_of(templates_frame(grouped, vocabulary))
    return by_model(cross_scores(resolved, sessions, names, noted.append), sessions)


def _rows(best: Any, sessions: Sessions, ranked: Ranked, opened: Lines) -> list[dict[str, Any]]:
    shown = {int(unit): ranked.lines(int(unit)) for unit in best}
    places = _places(opened, sorted({line for lines in shown.values() for line in lines}))
    rows = []
    for unit, lines in shown.items():
        first = places[lines[0]]
        rows.append(
            {
                "unit": sessions.ids[unit],
                "score": float(ranked.scores[unit]),
                "events": int(sessions.lengths[unit]),
                "time": first["time"],
                "node": first["node"],
                "template": ranked.template(unit),
                "why": ranked.why(unit),
                "lines": [{name: places[line][name] for name in PLACE} for line in lines],
            }
        )
    return rows


def _facts(best: Any, sessions: Sessions, ranked: Ranked) -> dict[str, dict[str, Any]]:
    """What a look keeps of the first units."""
    return {
        sessions.ids[unit]: {
            "score": float(ranked.scores[unit]),
            "events": int(sessions.lengths[unit]),
            "telling": ranked.lines(unit),
            "why": "\n".join(ranked.why(unit)),
        }
        for unit in map(int, best)
    }


def _places(opened: Lines, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Of lines by number: `file`, `line` (from 1 in it), `raw`, and `text`, without what all lines begin with."""
    chosen = replace(opened, frame=opened.frame.filter(pl.col("line").is_in(numbers)))
    found = chosen.located().collect(engine="streaming")
    return {row.pop("number"): row for row in found.iter_rows(named=True)}
