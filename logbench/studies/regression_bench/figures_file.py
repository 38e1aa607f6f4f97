"""The file of figures: a header and one row a run, as JSON Lines that a reviewer can read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...base.errors import DataError
from ...base.files import written
from ...base.regular_files import read_text
from .cells import CellId

Row = dict[str, Any]
FORMAT = 1
# Keys that a header must have, a row, and a row of a run that went well.
HEAD = {"gates", "versions", "hardware", "contended"}
LABELS = tuple(field.name for field in fields(CellId))
FIGURES = {"identity", "metrics", "fit_s", "score_s", "peak_rss_mb"}


def write(path: Path, head: Row, rows: Sequence[Row]) -> None:
    """Write figures, one JSON object a line.

    Raises:
        DataError: it cannot be written.
    """
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (head, *rows))
    with written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(path: Path) -> tuple[Row, list[Row]]:
    """The header and the rows of a file of figures.

    Raises:
        DataError: it is missing, or not what `bench run --out` writes.
    """
    try:
        head, *rows = map(json.loads, read_text(path).splitlines())
        known = head.get("bench_format") if head.keys() >= HEAD and all(map(_whole, rows)) else None
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; write it: logbench bench run SUITE.toml --out {path}"
        ) from None
    except (ValueError, AttributeError, RecursionError):
        known = None
    if known != FORMAT:
        raise DataError(f"{path}: no figures to read; write them anew: logbench bench run SUITE.toml --out {path}")
    return head, rows


def _whole(row: Row) -> bool:
    """Whether a row has what is compared."""
    needed = FIGURES if row.get("status") == "ok" else {"status", "error"}
    return row.keys() >= {*LABELS, *needed}
