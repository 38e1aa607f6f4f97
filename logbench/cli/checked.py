"""How `logbench datasets check` shows how a log is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, DataError, UnfitError
from .common import note, print_table, shorten
from .realised import count_rows, print_splits

if TYPE_CHECKING:
    from . import State

SHOWN = 10
COLUMNS = ("line", "time", "level", "component", "node", "id", "label", "message")


def show(state: State, name: str, data: Path | None) -> None:
    """Print ten lines, what does not match, what a run would get, and the next command.

    Raises:
        ConfigError: `name` is no definition of own logs.
        DataError: the logs cannot be read, or hold nothing.
    """
    from ..describe import describe
    from ..ownlogs import OwnLogs
    from ..progress import Bars

    item = state.registry.get("dataset", name).item
    if item.build is not OwnLogs:
        raise ConfigError(f"{name} is no definition of own logs; try: logbench datasets info {name}")
    own = item.build(item.config())
    path = data or own.home
    opened = own.read(path)
    _parsed(opened, path)
    _unmatched(opened, own.config.line_format)
    try:
        with Bars() as bars:
            found = describe(name, state.registry, bars, data=path, cache=False)
    except (DataError, UnfitError) as error:
        note(f"a run would end here: {error}")
        return
    print()
    print_table(count_rows(found), tablefmt="plain", maxcolwidths=[None, 78], disable_numparse=True)
    _times(opened)
    print()
    print_splits(found)
    where = f" --data {data}" if data else ""
    first = f"logbench datasets add {name}, or " if name.endswith(".toml") else ""
    note(f"next: {first}logbench run deeplog --dataset {name}{where}")


def _parsed(opened: Any, path: Path) -> None:
    head = opened.frame.head(SHOWN).collect()
    if not len(head):
        raise DataError(f"{path}: holds no line; is the file empty?")
    kept = [name for name in COLUMNS if name in head.columns]
    cells = [{name: _cell(row[name]) for name in kept} for row in head.iter_rows(named=True)]
    print_table([{**row, "line": str(int(row["line"]) + 1)} for row in cells], disable_numparse=True)


def _cell(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else "–" if value is None else str(value)
    return shorten(text, 40)


def _unmatched(opened: Any, form: Any) -> None:
    """The first events that do not match, by number, and how many there are."""
    import polars as pl

    from ..lineformat import SEPARATORS
    from ..linereader import WHOLE, splitter

    if form.format in SEPARATORS:
        return
    whole = splitter(form).fields.struct.field(WHOLE)
    missed = opened.frame.filter(whole.is_null()).select("line", "raw")
    count = missed.select(pl.len()).collect().item()
    if not count:
        return
    print(f"\n{count:,} {'line does' if count == 1 else 'lines do'} not match; the whole line is the message:")
    for line, raw in missed.head(SHOWN).collect().iter_rows():
        print(f"  {line + 1:,}: {shorten(raw, 85)}")


def _times(opened: Any) -> None:
    import polars as pl

    if "time" in opened.frame.collect_schema():
        time = pl.col("time")
        row = (
            opened.frame.select(time.min().alias("a"), time.max().alias("b"), c=time.null_count()).collect().row(0)
        )
        print(f"times: {row[0]} to {row[1]}" + (f"; {row[2]:,} lines without" if row[2] else ""))
