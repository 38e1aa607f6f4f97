"""Alarms and incidents on the terminal, and the desk that they go to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.colours import styled
from ..base.jsonable import four_digits, part_of, several, shorten
from ..deploy.score_state import opened
from ..deploy.webhook import Webhook
from .shared_options import NARROW, fitted, note, placed, print_json, print_table

if TYPE_CHECKING:
    from ..deploy.alarm_desk import AlarmDesk
    from ..deploy.incidents import Incidents
    from ..evaluation.alarm_rates import AlarmRate
    from ..running.bundle import Bundle


@contextmanager
def opened_desk(saved: Bundle, asked: AlarmRate, model: str, options: Mapping[str, Any]) -> Iterator[AlarmDesk]:
    """The desk that the options of `alarm_options` ask for; the state is locked meanwhile.

    Raises:
        UsageError: options do not go together. DataError: the state cannot be read.
    """
    from ..deploy.alarm_desk import AlarmDesk
    from ..deploy.alarms import AlarmBook
    from ..deploy.bundle_threshold import threshold_of
    from ..evaluation.alarm_rates import AlarmThreshold

    file: Path | None = options["state_file"]
    for name in ("only_new", "close"):
        if options[name] and file is None:
            raise click.UsageError(f"--{name.replace('_', '-')} needs --state FILE, which knows what came before")
    if options["prometheus"] is not None and options["prometheus"].suffix != ".prom":
        raise click.UsageError(f"--prometheus {options['prometheus']}: the collector reads files called NAME.prom")
    with ExitStack() as stack:
        state = None if file is None else stack.enter_context(opened(file, saved.facts["run_id"]))
        before = None if state is None or state.threshold is None else float(state.threshold)
        chosen = threshold_of(saved, asked) if asked.asked or before is None else AlarmThreshold(before)
        for text in chosen.said:
            note(text)
        if before is not None and before != chosen.value:
            note(f"the threshold is {four_digits(chosen.value)} from now on; it was {four_digits(before)}")
        if state is not None:
            state.threshold = repr(chosen.value)
        known = () if state is None else (state.alarmed, state.incidents)
        waiting = [] if state is None else list(state.waiting)
        url = options["webhook"]
        if waiting and url is None:
            note(f"{several(len(waiting), 'alarm waits', 'alarms wait')} in {file} for a call with --webhook")
        yield AlarmDesk(
            AlarmBook(options["incident_gap"], *known),
            chosen.value,
            model,
            state,
            only_new=options["only_new"],
            only_first=options["incidents"],
            file=options["alarms_file"],
            webhook=None if url is None else Webhook(url, waiting, note),
            prometheus=options["prometheus"],
        )


def said_at_end(desk: AlarmDesk) -> Iterator[str]:
    """Sentences about a call: how many units alarmed, how many of them anew, and what was just not above."""
    counts, limit = desk.counts, four_digits(desk.threshold)
    text = f"{part_of(counts['alarms'], counts['units'], 'unit', 'alarms', 'alarm')} (score > {limit})"
    if desk.state is not None and counts["alarms"]:
        text += f", {counts['new']:,} of them new"
    if counts["alarms"] > 1:
        text += f"; {several(counts['incidents'], 'incident begins', 'incidents begin')}"
    yield text
    if counts["ties"]:
        yield f"{several(counts['ties'], 'unit scores', 'units score')} exactly {limit}: ties do not alarm"
    if desk.state is not None and (still := desk.open_sessions):
        yield f"{several(still, 'session stays', 'sessions stay')} open in {desk.state.file} (--close scores them)"


def print_alarm(alarm: Mapping[str, Any], as_json: bool) -> None:
    """Print one alarm."""
    if as_json:
        print_json([alarm])
        return
    score = alarm["score"] if isinstance(alarm["score"], str) else four_digits(alarm["score"])
    facts = [f"score {score.replace('inf', '∞')}", f"events {alarm['events']:,}"]
    if alarm["line"] is not None:
        facts.append(f"line {placed(alarm['file'], alarm['line'])}")
    print(
        f"{styled('ALARM', 'warning')} {alarm['unit']}  {'  '.join(facts)}  {shorten(alarm['text'] or '', 90)}",
        flush=True,
    )
    for why in (alarm["why"] or "").splitlines()[:1]:
        print(f"      {shorten(why, NARROW - 6)}", flush=True)


def print_told(alarms: Sequence[Mapping[str, Any]], as_json: bool, top: int) -> None:
    """Print alarms, the highest score first."""
    ranked = sorted(alarms, key=lambda one: -float(one["score"]))
    if as_json:
        print_json(ranked)
        return
    rows = [
        {
            "unit": shorten(one["unit"], 40),
            "score": four_digits(float(one["score"])),
            "events": f"{one['events']:,}",
            "line": placed(one["file"], one["line"]),
            "what": one["text"] or "",
        }
        for one in ranked[:top]
    ]
    print_table(fitted(rows, "what"), "no new alarm", fold=("what",), drop=("events",))


def print_incidents(alarms: Sequence[Mapping[str, Any]], incidents: Incidents, as_json: bool, top: int) -> None:
    """Print incidents, that with the highest score first."""
    from ..deploy.alarm_desk import incidents_of

    found = incidents_of(alarms, incidents.incident)
    if as_json:
        print_json(found)
        return
    rows = [
        {
            "from": _moment(one["begin"]),
            "to": _moment(one["end"], after=one["begin"]),
            "alarms": f"{one['alarms']:,}",
            "score": four_digits(float(one["score"])),
            "node": _names(one["nodes"]),
            "line": placed(one["file"], one["line"]),
            "what": one["text"] or "",
        }
        for one in found[:top]
    ]
    if not any(row["node"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "node"} for row in rows]
    print_table(fitted(rows, "what"), "no incident", fold=("what", "from", "to"), drop=("to", "node"))


def _moment(time: str | None, after: str | None = None) -> str:
    """A time to the second; on the day of another one, without the day."""
    if time is None:
        return ""
    return time[11:19] if after is not None and after[:10] == time[:10] else time[:19].replace("T", " ")


def _names(names: Sequence[str]) -> str:
    return "" if not names else shorten(names[0], 16) + (f" +{len(names) - 1}" if len(names) > 1 else "")
