"""Output of `logbench datasets check`: how a log is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ..api.optional_data_sets import HasHome
from ..base.errors import ConfigError, DataError, IncompatibleError
from ..base.jsonable import several, shorten
from ..base.progress_bars import Bars
from ..components.configured import configured
from ..data.lines import Lines
from ..running.resolve import dataset_called
from .datasets_info import count_rows, print_facts, print_splits
from .shared_options import local, note, print_json, print_table, say

if TYPE_CHECKING:
    from ..cli import State
    from ..components.registry import Registry

SHOWN = 10
COLUMNS = ("time", "level", "component", "node", "id", "label", "message")


def show(state: State, name: str, data: Path | None, as_json: bool) -> None:
    """Print ten lines, unmatched lines, facts about sessions and splits, and the next command.

    Args:
        as_json: print them as one JSON object instead.

    Raises:
        ConfigError: `name` is no definition of own logs.
        DataError: the logs cannot be read or are empty.
    """
    from ..studies.dataset_facts import describe

    opened, path = _opened(state, name, data)
    head, missed = _head(opened, path), _missed(opened)
    if not as_json:
        _print_head(head)
        _print_missed(missed, opened)
    found, end = None, None
    try:
        with Bars() as bars:
            found = describe(name, state.registry, bars, data=path, cache=False)
    except (DataError, IncompatibleError) as error:
        end = str(error)
    if as_json:
        first = [dict(zip(("file", "line", "raw"), row, strict=True)) for row in missed.head(SHOWN).iter_rows()]
        unmatched = {"lines": len(missed), "first": first}
        print_json(
            [{"name": name, "path": path, "first": head, "unmatched": unmatched, "realised": found, "error": end}]
        )
    elif found is None:
        note(f"a run would end here: {end}")
    else:
        _print_facts(found, opened)
        where = f" --data {data}" if data else ""
        first_words = f"logbench datasets add {name}, or " if name.endswith(".toml") else ""
        note(f"next: {first_words}logbench run {_model(state.registry, found)} --dataset {name}{where}")


def _opened(state: State, name: str, data: Path | None) -> tuple[Lines, Path]:
    """The lines that a definition reads, and where they are."""
    own = configured(dataset_called(name, state.registry)).build()
    home = own.home if isinstance(own, HasHome) else None
    if home is None:
        raise ConfigError(f"{name} is no definition of own logs; try: logbench datasets info {name}")
    path = local(data) if data else Path(home)
    opened = own.read(path)
    if not isinstance(opened, Lines):
        raise ConfigError(f"{name} holds no lines; try: logbench datasets info {name}")
    return opened, path


def _print_facts(found: Mapping[str, Any], opened: Lines) -> None:
    print()
    print_facts(count_rows(found))
    _times(opened)
    print()
    _frequent(found["templates"])
    for text in found["judgement"]:
        say(text)
    print()
    print_splits(found)
    for text in _what_a_run_does(found):
        say(text)


def _head(opened: Lines, path: Path) -> list[dict[str, Any]]:
    """The first lines, with the number of each from 1 and its fields."""
    head = opened.frame.head(SHOWN).collect()
    if not len(head):
        raise DataError(f"{path}: holds no line; is the file empty?")
    kept = [name for name in COLUMNS if name in head.columns]
    return [{"line": row["at"], **{name: row[name] for name in kept}} for row in head.iter_rows(named=True)]


def _print_head(head: Sequence[Mapping[str, Any]]) -> None:
    rows = [{name: f"{of:,}" if name == "line" else _cell(of) for name, of in row.items()} for row in head]
    print_table(rows, fold=("message", "raw"), right=("line",))


def _cell(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else "–" if value is None else str(value)
    return shorten(text, 40)


def _missed(opened: Lines) -> pl.DataFrame:
    """Unmatched events: `file`, `at` (line number from 1) and `raw`."""
    return opened.frame.filter(~pl.col("matched")).select("file", "at", "raw").collect(engine="streaming")


def _print_missed(missed: pl.DataFrame, opened: Lines) -> None:
    """Print the number of unmatched events, and the first of them with their line numbers."""
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
    half = min(lengths["median"] for lengths in found["lengths"].values() if lengths)
    fitting: dict[str, int] = {}
    for name, entry in registry.components["model"].items():
        traits = entry.item.traits
        if traits.supervision == "semi-supervised" and not traits.needs:
            needed = configured(entry).min_events
            if needed <= half:
                fitting[name] = needed
    return max(fitting, key=lambda name: fitting[name]) if fitting else "MODEL"
