"""Output of `logbench datasets check`: how a log is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ..api.optional import HasHome
from ..base.errors import ConfigError, DataError, IncompatibleError
from ..base.jsonable import several, shorten
from ..base.progress_bars import Bars
from ..data.lines import Lines
from .datasets_info import count_rows, print_facts, print_splits
from .shared_options import local, note, print_table

if TYPE_CHECKING:
    from ..cli import State
    from ..components.registry import Registry

SHOWN = 10
COLUMNS = ("time", "level", "component", "node", "id", "label", "message")


def show(state: State, name: str, data: Path | None) -> None:
    """Print ten lines, unmatched lines, facts about sessions and splits, and the next command.

    Raises:
        ConfigError: `name` is no definition of own logs.
        DataError: the logs cannot be read or are empty.
    """
    from ..components.configured import configured
    from ..running.resolve import dataset_called
    from ..studies.dataset_facts import describe

    own = configured(dataset_called(name, state.registry)).build()
    home = own.home if isinstance(own, HasHome) else None
    if home is None:
        raise ConfigError(f"{name} is no definition of own logs; try: logbench datasets info {name}")
    path = local(data) if data else Path(home)
    opened = own.read(path)
    if not isinstance(opened, Lines):
        raise ConfigError(f"{name} holds no lines; try: logbench datasets info {name}")
    _parsed(opened, path)
    _unmatched(opened)
    try:
        with Bars() as bars:
            found = describe(name, state.registry, bars, data=path, cache=False)
    except (DataError, IncompatibleError) as error:
        note(f"a run would end here: {error}")
        return
    print()
    print_facts(count_rows(found))
    _times(opened)
    print()
    _frequent(found["templates"])
    for text in found["judgement"]:
        print(text)
    print()
    print_splits(found)
    for text in _what_a_run_does(found):
        print(text)
    where = f" --data {data}" if data else ""
    first = f"logbench datasets add {name}, or " if name.endswith(".toml") else ""
    note(f"next: {first}logbench run {_model(state.registry, found)} --dataset {name}{where}")


def _parsed(opened: Lines, path: Path) -> None:
    head = opened.frame.head(SHOWN).collect()
    if not len(head):
        raise DataError(f"{path}: holds no line; is the file empty?")
    kept = [name for name in COLUMNS if name in head.columns]
    cells = [{name: _cell(row[name]) for name in kept} for row in head.iter_rows(named=True)]
    places = (f"{at:,}" for at in head["at"])
    print_table([{"line": next(places), **row} for row in cells], fold=("message", "raw"), right=("line",))


def _cell(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else "–" if value is None else str(value)
    return shorten(text, 40)


def _unmatched(opened: Lines) -> None:
    """Print the number of unmatched events, and the first of them with their line numbers."""
    missed = opened.frame.filter(~pl.col("matched")).select("file", "at", "raw").collect(engine="streaming")
    if not len(missed):
        return
    one, several = len(missed) == 1, opened.frame.select(pl.col("file").n_unique()).collect().item() > 1
    hidden = opened.form is not None and opened.form.label
    message = "as it would hold the label, it is no message" if hidden else "the whole line is the message"
    print(f"\n{len(missed):,} {'line does' if one else 'lines do'} not match; {message}:")
    for file, line, raw in missed.head(SHOWN).iter_rows():
        print(f"  {f'{file}:' if several else ''}{line:,}: {shorten(raw, 85)}")
    joins = opened.form is not None and opened.form.multiline
    if not joins and missed["raw"].str.contains(r"^\s+\S|^Caused by").any():
        print("are they the rest of a stack trace? multiline = true joins such lines to the event before")


def _times(opened: Lines) -> None:
    if "time" in opened.frame.collect_schema():
        time = pl.col("time")
        row = (
            opened.frame.select(time.min().alias("a"), time.max().alias("b"), c=time.null_count()).collect().row(0)
        )
        print(f"times: {row[0]} to {row[1]}" + (f"; {several(row[2], 'line')} without" if row[2] else ""))


def _frequent(templates: Sequence[Mapping[str, Any]]) -> None:
    rows = [{"events": f"{row['events']:,}", "template": shorten(row["template"], 85)} for row in templates]
    print_table(rows, fold=("template",), right=("events",))


def _what_a_run_does(found: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about missing labels and lines without unit."""
    labels, unit = found["labels"], found["unit"]
    if not labels["normal"] + labels["anomaly"]:
        yield f"no labels: a run trains and scores, has no metrics, and ends in its most anomalous {unit}s"
    elif labels["unlabelled"]:
        yield f"{unit}s without label train as presumed normal ones and are in no metric"
    if without := found["facts"].get("lines_without_unit"):
        lines = several(without, "line belongs", "lines belong")
        yield f"{lines} to no {unit}: a run reads and leaves out what has none"


def _model(registry: Registry, found: Mapping[str, Any]) -> str:
    """Suggest the model that looks furthest back, of those that fit the units' length and need no labels."""
    from ..components.configured import configured

    half = min(lengths["median"] for lengths in found["lengths"].values() if lengths)
    fitting: dict[str, int] = {}
    for name, entry in registry.components["model"].items():
        traits = entry.item.traits
        if traits.supervision == "semi-supervised" and not traits.needs:
            needed = configured(entry).min_events
            if needed <= half:
                fitting[name] = needed
    return max(fitting, key=lambda name: fitting[name]) if fitting else "MODEL"
