"""Write a site: pages, records, scores, feed; what an earlier build wrote and this one does not is removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from logbench import ConfigError, DataError, StoredRuns

from .board import Board, Record
from .feed import feed
from .names import slug
from .pages import pages

# File that lists what a build wrote.
MARKER = ".logbench-site"


def write(board: Board, out: Path, title: str, url: str = "", scores: bool = True) -> list[str]:
    """Write the site into a folder.

    Args:
        url: address of the site, for the feed. scores: copy the scores of each run, too.

    Returns:
        Runs whose scores are gone, in words.

    Raises:
        ConfigError: the folder has an index.html that no build wrote.
    """
    before = _before(out)
    copied, gone = _scores(board, out) if scores else ({}, [])
    texts = dict(pages(board, title, copied))
    records = {record["run_id"]: record for table in board.tables for record in table.records}
    records |= {record["run_id"]: record for record in board.homeless}
    texts |= {f"records/{slug(run)}.json": _json(record, 1) for run, record in records.items()}
    texts["records.jsonl"] = "".join(_json(record) + "\n" for record in records.values())
    texts["feed.xml"] = feed(board, title, url)
    texts[".nojekyll"] = ""
    for name, text in texts.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    names = {*texts, *copied.values()}
    for name in before - names:
        (out / name).unlink(missing_ok=True)
    (out / MARKER).write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
    return gone


def _before(out: Path) -> set[str]:
    """What the last build wrote.

    Raises:
        ConfigError: the folder is not one of a site, but has a page that would be overwritten.
    """
    if not (out / MARKER).is_file():
        if (out / "index.html").exists():
            raise ConfigError(f"{out}: its index.html was not written by logbench site; give another --out")
        return set()
    names = (out / MARKER).read_text(encoding="utf-8").splitlines()
    return {
        name for name in names if name and not PurePosixPath(name).is_absolute() and ".." not in name.split("/")
    }


def _json(record: Record, indent: int | None = None) -> str:
    return json.dumps(record, indent=indent, ensure_ascii=True, default=str)


def _scores(board: Board, out: Path) -> tuple[Mapping[str, str], list[str]]:
    """Run → path of its copied scores, and those that are gone or changed."""
    copied, gone = {}, []
    for table in board.tables:
        for record in table.records:
            run = record["run_id"]
            if "scores" not in record["artifacts"]:
                continue
            try:
                path = _artifact(board.folders[run], record)
            except DataError as error:
                gone.append(str(error))
                continue
            copied[run] = f"scores/{slug(run)}.parquet"
            (out / "scores").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, out / copied[run])
    return copied, gone


def _artifact(runs: StoredRuns, record: Record) -> Path:
    return runs.artifact(record, "scores")
