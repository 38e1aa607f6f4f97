"""How CPU time grows: every model and parser at several sizes, one axis at a time, a process for each row.

usage: growth.py [--axis units,events,templates,…] [--models NAME,…] [--budget SECONDS] [--largest N]
       [--page FILE] [--kept FILE]

`units` are distinct units of about 20 events, as many to train as to score; `events` are events a unit, 40 units
to train and 40 to score; `templates` are known keys at 2,000 units of 300 events. Parsers have axes of their own:
distinct `messages` of 12 words that mostly make a template each, `words` a message, and templates that are
`parsed` from 5 messages each.

A cell is fit and score in CPU seconds, one thread; above the budget it is stopped, and larger ones are left out.
The exponent is the slope of log seconds over log size, of cells of 0.1 s or more. `--kept` keeps cells of earlier
calls, so that a table can be made in parts; `--page` writes the tables into a page between its marks, where rows
that were not measured stay. With `--axis ""` nothing is measured anew. Deep models are measured where `--models`
names them, or all by `--models deep`; growth_networks.py says how.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import growth_networks
import numpy as np
from growth_networks import OPTIONS

SIZES = {
    "units": (2_000, 10_000, 50_000, 200_000),
    "events": (100, 1_000, 10_000, 100_000),
    "templates": (100, 2_000, 20_000, 200_000),
    "messages": (2_000, 10_000, 50_000, 200_000),
    "words": (10, 100, 1_000, 10_000),
    "parsed": (100, 2_000, 20_000, 200_000),
}
TITLES = {
    "units": "Models: distinct units",
    "events": "Models: events a unit",
    "templates": "Models: templates",
    "messages": "Parsers: distinct messages, each of which makes a template",
    "words": "Parsers: words a message",
    "parsed": "Parsers: templates of 5 messages each",
}
PARSING = ("messages", "words", "parsed")
GIGABYTES = 12
# Seconds below which a cell says nothing of growth.
LEAST = 0.1
# A size that is not shown.
FEWEST = 50
# The marks of the page between which tables are written.
BEGIN, END = "<!-- growth: tox -e growth -->", "<!-- growth: end -->"


def sessions(units: int, events: int, templates: int, seed: int) -> Any:
    """Units that follow one of eight programmes with steps repeated, left out, exchanged or replaced."""
    import polars as pl

    from logbench import Sessions

    fixed, rng = np.random.default_rng(0), np.random.default_rng(seed)
    programmes = fixed.integers(0, min(templates, 30), (8, events))
    programme = rng.integers(0, 8, units)
    repeats = rng.poisson(0.3, (units, events)) + (rng.random((units, events)) > 0.1)
    repeats[:, 0] += 1
    keys = np.repeat(programmes[programme].ravel(), repeats.ravel())
    lengths = repeats.sum(axis=1)
    strange = rng.random(len(keys)) < (0.05 if templates <= 100 else 0.5)
    keys[strange] = rng.integers(0, templates, int(strange.sum()))
    unit = np.repeat(np.arange(units), lengths)
    keys = keys[np.lexsort((np.arange(len(keys)) + rng.normal(0, 1, len(keys)), unit))].astype(np.int32)
    vectors = fixed.standard_normal((templates, 16)).astype(np.float32)
    return Sessions(
        keys=keys,
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        vocabulary=templates,
        ids=pl.Series(np.arange(units)).cast(pl.String),
        labels=((programme == 7) ^ (rng.random(units) < 0.02)).astype(np.int8),
        times=np.cumsum(rng.integers(1, 1_000_000, len(keys))),
        vectors=vectors,
        vector_ids=keys,
    )


def messages(axis: str, size: int, seed: int) -> Any:
    """Messages to learn or to match."""
    import polars as pl

    fixed, rng = np.random.default_rng(0), np.random.default_rng(seed)
    words = np.array(["".join(letters) for letters in fixed.choice(list("abcdefghijklmnopqrst"), (20_000, 7))])
    if axis == "parsed":
        stable = words[fixed.integers(0, len(words), (size, 8))]
        rows = np.repeat(np.arange(size), 5)
        free = words[rng.integers(0, len(words), (len(rows), 4))]
        table = np.concatenate([stable[rows], free], axis=1)
    else:
        count, length = (size, 12) if axis == "messages" else (1_000, size)
        table = words[rng.integers(0, len(words), (count, length))]
        table[:, 0] = "select"
    return pl.Series([" ".join(row) for row in table.tolist()])


def measured(name: str, axis: str, size: int, budget: float) -> dict[str, Any]:
    """CPU seconds of fitting and scoring, and what the model noted; the process ends above the budget."""
    from logbench import Context
    from logbench.components.registry import Registry

    kind = "parser" if axis in PARSING else "model"
    item = Registry(kinds=(kind,)).components[kind][name].item  # type: ignore[literal-required]
    if name in OPTIONS:
        built: Any = item.build(growth_networks.configured(name, item.config))
    else:
        built = item.build(item.config()) if item.config else item.build()
    said: list[str] = []
    if kind == "parser":
        train, test = (messages(axis, size, seed) for seed in (1, 2))
        fit: Callable[[], Any] = lambda: built.fit(train)  # noqa: E731
        score: Callable[[], Any] = lambda: built.match(test)  # noqa: E731
    else:
        if name in OPTIONS:
            import logbench.torch  # noqa: F401  no part of what is measured
        shapes = {"units": (size, 20, 30), "events": (40, size, 30), "templates": (2_000, 300, size)}
        shape = growth_networks.shape(name, axis, size) if name in OPTIONS else shapes[axis]
        train, test = (sessions(*shape, seed) for seed in (1, 2))
        test = test.unlabelled()
        train = train if item.traits.supervision == "supervised" else train.unlabelled()
        context = Context(note=said.append)
        fit, score = lambda: built.fit(train, context), lambda: built.score(test, context)
    begin = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(begin + budget) + 1, resource.RLIM_INFINITY))
    fit()
    middle = time.process_time()
    score()
    end = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {"fit": middle - begin, "score": end - middle, "notes": said, "peak_mb": peak}


def row(name: str, axis: str, largest: int, budget: float) -> None:
    """Measure a row in this process and print a line of JSON a cell; the system ends it above the budget."""
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30, GIGABYTES << 30))
    with contextlib.suppress(Exception):
        measured(name, axis, FEWEST, budget)  # loads libraries, which is no part of growth
    for size in (one for one in SIZES[axis] if one <= largest):
        try:
            cell = measured(name, axis, size, budget)
        except MemoryError:
            cell = {"memory": True}
        except Exception as error:  # a size that a model refuses
            cell = {"refused": f"{type(error).__name__}: {str(error)[:200]}"}
        print(json.dumps({"size": size, **cell}), flush=True)
        if "fit" not in cell:
            break


def cells(name: str, axis: str, largest: int, budget: float) -> dict[str, Any]:
    """A row by a process of its own: size → cell, or why there is none."""
    asked = [sys.executable, __file__, "--row", name, axis, str(largest), str(budget)]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    done = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, **one})
    found = {str(cell.pop("size")): cell for cell in map(json.loads, done.stdout.splitlines())}
    rest = [size for size in SIZES[axis] if size <= largest and str(size) not in found]
    if rest and done.returncode:
        found[str(rest[0])] = {"over": budget}
    return found


def exponent(found: dict[str, Any]) -> float | None:
    """Slope of log seconds over log size."""
    points = [(int(size), cell["fit"] + cell["score"]) for size, cell in found.items() if "fit" in cell]
    points = [(size, seconds) for size, seconds in points if seconds >= LEAST]
    if len(points) < 2:
        return None
    size, seconds = np.log(np.array(points, dtype=float)).T
    return float(np.polyfit(size, seconds, 1)[0])


def shown(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    if "fit" not in cell:
        return f"> {cell['over']:g}" if "over" in cell else "> memory" if "memory" in cell else "refused"
    return f"{cell['fit'] + cell['score']:.2f}"


def rows_of(page: str) -> dict[str, dict[str, list[str]]]:
    """Lines of the tables on a page by title and name: the cells of a row, and its note."""
    found: dict[str, dict[str, list[str]]] = {}
    title = ""
    for line in page.splitlines():
        if line.startswith("### "):
            title = line[4:]
        elif line.startswith("| ") and not line.startswith("| CPU seconds"):
            found.setdefault(title, {})[line.split("|")[1].strip()] = [line]
        elif line.startswith("- ") and (name := line[2:].partition(":")[0]) in found.get(title, {}):
            found[title][name].append(line)
    return found


def tables(kept: dict[str, Any], page: str = "") -> str:
    """Every axis as Markdown; rows that were not measured stay as the page has them."""
    parts, before = [], rows_of(page)
    for axis, title in TITLES.items():
        rows = before.get(title, {})
        for name, found in kept.get(axis, {}).items():
            slope = exponent(found)
            seconds = " | ".join(shown(found.get(str(size))) for size in SIZES[axis])
            noted = [note for cell in found.values() for note in cell.get("notes", ())]
            said = [note.removeprefix(f"{name}: ") for note in noted if "max_" in note]  # it names a bound
            said += [cell["refused"] for cell in found.values() if "refused" in cell]
            row = f"| {name} | {seconds} | {'–' if slope is None else f'{slope:.2f}'} |"
            rows[name] = [row, *(f"- {name}: {note}" for note in said[-1:])]
        if rows:
            sizes = " | ".join(f"{size:,}" for size in SIZES[axis])
            parts += [f"### {title}", "", f"| CPU seconds | {sizes} | exponent |"]
            parts += ["|---|" + "---:|" * (len(SIZES[axis]) + 1), *(lines[0] for lines in rows.values()), ""]
            notes = [line for lines in rows.values() for line in lines[1:]]
            parts += [*notes, ""] if notes else []
    return "\n".join(parts)


def names(axis: str, asked: str) -> Iterator[str]:
    from logbench.components.registry import Registry

    kind = "parser" if axis in PARSING else "model"
    offered = Registry(kinds=(kind,)).components[kind]  # type: ignore[literal-required]
    wanted = OPTIONS if asked == "deep" else asked.split(",") if asked else offered.keys() - OPTIONS.keys()
    yield from (name for name in offered if name in wanted)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--axis", default=",".join(SIZES))
    parser.add_argument("--models", default="")
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--largest", type=int, default=200_000)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--row", nargs=4)
    asked = parser.parse_args()
    if asked.row:
        name, axis, largest, budget = asked.row
        return row(name, axis, int(largest), float(budget))
    kept = json.loads(asked.kept.read_text()) if asked.kept and asked.kept.exists() else {}
    for axis in filter(None, asked.axis.split(",")):
        for name in names(axis, asked.models):
            found = cells(name, axis, asked.largest, asked.budget)
            kept.setdefault(axis, {})[name] = found
            slope = exponent(found)
            seconds = "  ".join(f"{shown(found.get(str(size))):>9}" for size in SIZES[axis])
            print(f"{axis:10} {name:24} {seconds}   {'–' if slope is None else f'{slope:.2f}'}", flush=True)
            if asked.kept:
                asked.kept.write_text(json.dumps(kept, indent=1) + "\n")
    if asked.page:
        before, _, rest = asked.page.read_text(encoding="utf-8").partition(BEGIN)
        tabled, _, after = rest.partition(END)
        asked.page.write_text(f"{before}{BEGIN}\n\n{tables(kept, tabled)}\n{END}{after}", encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
