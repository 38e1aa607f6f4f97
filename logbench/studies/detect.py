"""One log, without labels or a split: its most surprising units, with their lines and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.plan import Plan
from ..base.errors import DataError, IncompatibleError
from ..base.jsonable import several
from ..data.lines import Lines
from ..pipeline.coding import read_lines
from ..pipeline.grouping import GroupedLines, group_lines
from ..pipeline.parsing import learn, sessions_of
from ..running.data_warnings import warnings_of
from ..running.judgement import keys_judged
from ..running.locate import locate
from ..running.looks import Look, Source
from ..running.resolve import ResolvedPlan, resolve
from .surprise import Ranking, Reason, rank

if TYPE_CHECKING:
    from ..base.progress import Progress
    from ..components.registry import Registry
    from ..data.sessions import Sessions

# Lines of a unit that are shown.
LINES = 2
# Units of which a look knows why they are surprising.
LOOKED = 1000


@dataclass(frozen=True)
class Detection:
    """The most surprising units of a log.

    Attributes:
        unit: what a unit is called. units: how many there are.
        facts: counts of lines and events.
        rows: `unit`, `score`, `events`, `why` (sentences) and `lines` (`file`, `line`, `raw`, `text`), best first.
        notes: what is to be said of the data.
        look: what `logbench show` prints whole units from.
    """

    unit: str
    units: int
    facts: Mapping[str, int]
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    look: Look


def detect(
    dataset: str, registry: Registry, progress: Progress, top: int = 10, data: Path | None = None, **options: Any
) -> Detection:
    """Rank the units of a data set by surprise, see `surprise`.

    Args:
        dataset: a name, or a definition's file.
        options: fields of `Plan`.

    Raises:
        DataError: the log cannot be read. IncompatibleError: it holds key sequences, or a single unit.
    """
    model = next(name for name, entry in registry.components["model"].items() if not entry.item.traits.needs)
    resolved = resolve(Plan(model=model, dataset=dataset, data=data, **options), registry)
    found = locate(resolved.dataset, data, registry, progress)
    assert found is not None
    opened = resolved.dataset.build().read(found.path)
    if not isinstance(opened, Lines):
        raise IncompatibleError(f"{dataset} holds key sequences; detect looks at lines: logbench run MODEL")
    grouped, sessions = _sessions(resolved, opened, progress)
    if len(sessions) < 3:
        raise DataError(
            f"the log makes {several(len(sessions), resolved.unit)}, too few to compare; set a smaller window, "
            "such as --set time.size=1s, or give more lines"
        )
    ranking = rank(sessions, order=not resolved.windower.entry.item.traits.line_windows)
    best = np.argsort(-ranking.scores, kind="stable")
    best = best[ranking.scores[best] > 0]
    rows = _rows(best[:top], sessions, ranking, opened)
    source = Source.of(resolved.dataset, resolved.windower, found.path, opened.files)
    look = Look("detect", source, _facts(best[: max(top, LOOKED)], sessions, ranking))
    counted = {**grouped.facts, **(opened.counted() if opened.counted else {})}
    notes = [*warnings_of(counted, resolved.unit), *keys_judged(sessions, len(grouped.messages), resolved)]
    return Detection(resolved.unit, len(sessions), counted, rows, notes, look)


def _sessions(resolved: ResolvedPlan, opened: Lines, progress: Progress) -> tuple[GroupedLines, Sessions]:
    """All units, with keys that were learnt of all of them."""
    parser = resolved.parser.build()
    read = read_lines(opened, resolved.windower.build(), parser, progress, times=True)
    grouped = group_lines(read, parser)
    vocabulary = learn(grouped, np.arange(len(grouped)), resolved.parser.build())
    return grouped, sessions_of(grouped, vocabulary, np.ones(len(grouped)))


def _rows(best: Any, sessions: Sessions, ranking: Ranking, opened: Lines) -> list[dict[str, Any]]:
    names = sessions.templates
    events = {int(unit): _telling(int(unit), sessions, ranking.reasons[unit]) for unit in best}
    assert sessions.lines is not None
    wanted = {int(sessions.lines[event]) for some in events.values() for event in some}
    places = _places(opened, sorted(wanted))
    return [
        {
            "unit": sessions.ids[unit],
            "score": float(ranking.scores[unit]),
            "events": int(sessions.lengths[unit]),
            "why": [_said(reason, names) for reason in ranking.reasons[unit]],
            "lines": [places[int(sessions.lines[event])] for event in events[unit]],
        }
        for unit in map(int, best)
    ]


def _facts(best: Any, sessions: Sessions, ranking: Ranking) -> dict[str, dict[str, Any]]:
    """What a look keeps of the first units."""
    assert sessions.lines is not None
    return {
        sessions.ids[unit]: {
            "score": float(ranking.scores[unit]),
            "events": int(sessions.lengths[unit]),
            "telling": [int(sessions.lines[at]) for at in _telling(unit, sessions, ranking.reasons[unit])],
            "why": "\n".join(_said(reason, sessions.templates) for reason in ranking.reasons[unit]),
        }
        for unit in map(int, best)
    }


def _places(opened: Lines, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Of lines by number: `file`, `line` (from 1 in it), `raw`, and `text`, without what all lines begin with."""
    found = opened.located().filter(pl.col("number").is_in(numbers)).collect(engine="streaming")
    return {row.pop("number"): row for row in found.iter_rows(named=True)}


def _telling(unit: int, sessions: Sessions, reasons: Sequence[Reason]) -> list[int]:
    """The events that show a unit's first reasons, in order; its last one where nothing is there to be shown."""
    begin, end = int(sessions.offsets[unit]), int(sessions.offsets[unit + 1])
    keys = sessions.keys[begin:end]
    found: list[int] = []
    for reason in reasons:
        if reason.what == "count":
            found += np.flatnonzero(keys == reason.keys[0])[:LINES].tolist()
        elif reason.what == "order":
            before, after = reason.keys
            if before < 0:
                found.append(0)
            elif after > int(sessions.keys.max()):
                found.append(end - begin - 1)
            else:
                found += np.flatnonzero((keys[:-1] == before) & (keys[1:] == after))[:1].tolist()
    chosen = sorted(dict.fromkeys(found[:LINES])) or [end - begin - 1]
    return [begin + place for place in chosen]


def _said(reason: Reason, names: Sequence[str]) -> str:
    """A reason in words."""
    text = [names[key] if 0 <= key < len(names) else "" for key in reason.keys]
    if reason.what in ("count", "absent"):
        here = f"{reason.here:.0f}" if reason.here else "none"
        usual = f" against usually {reason.usual:.2g}" if reason.usual else ", never elsewhere"
        return f"{here}{usual}: {text[0]}"
    if reason.what == "pace":
        return f"{reason.here:.3g} s without a line, usually {reason.usual:.2g} s"
    before, after = text
    if not after:
        return f"ends after: {before}"
    return f"begins with: {after}" if not before else f"{before} → {after}"
