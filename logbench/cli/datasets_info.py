"""Output of `logbench datasets info`: facts about a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..base.jsonable import several, shorten
from .shared_options import note, print_table

CLASSES = {"normal": "normal", "anomaly": "anomalous", "unlabelled": "without label"}
# Columns that a narrow terminal does without, the first one first.
SPARE = ("shared\nlines", "chance", "across\ncut", "drift", "most\nF1")
LEGEND = (
    "unseen: units with a key that training lacks / tested ones. drift: Jensen-Shannon divergence (bits) of the "
    "keys of normal units, training from test; chance: its 95th percentile where they are mixed"
)


def count_rows(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Rows of counts, for below the card."""
    return [{"field": field, "value": value} for field, value in _counts(found) if value]


def _counts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    facts, unit = dict(found["facts"]), found["unit"]
    lines, events = facts.pop("lines"), facts.pop("events")
    met = [f"{value:,} {name.replace('_', ' ')}" for name, value in facts.items() if value]
    yield "realised", ", ".join([*([several(lines, "line")] if lines else []), several(events, "event"), *met])
    share = f"; prevalence {found['prevalence']:.4f}" if found["prevalence"] is not None else ""
    if found["line_labels"] is not None:
        yield "lines of units", _by_class(found["line_labels"])
    yield f"{unit}s", f"{found['units']:,}: {_by_class(found['labels'])}{share}"
    yield (
        "read with",
        f"windower {found['windower']}, parser {found['parser']} ({several(found['keys'], 'key')} in training)",
    )
    bound = found["bound"]
    units = several(bound["units"], "anomaly", "anomalies")
    both = f"; {bound['ambiguous']:,} with both labels, in {units}" if share else ""
    yield "sequences", f"{found['distinct']:,} distinct{both}"
    if bound["f1"] is not None:
        yield "F1 at most", f"{bound['f1']:.4f} by keys alone: equal sequences get equal verdicts"
    for name, word in CLASSES.items():
        if lengths := found["lengths"][name]:
            middle = ", ".join(f"{lengths[quarter]:,.6g}" for quarter in ("q1", "median", "q3"))
            yield f"events, {word}", f"{lengths['min']:,.0f} to {lengths['max']:,.0f}; quartiles {middle}"


def _by_class(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {word}" for name, word in CLASSES.items() if counts[name])


def print_facts(rows: Sequence[Mapping[str, str]]) -> None:
    """Print facts, a line each or several."""
    print_table(rows, fold=("value",), right=(), heads=False)


def print_splits(found: Mapping[str, Any]) -> None:
    """Print a table of splits, reasons for skipped splits, and a legend."""
    splits = {kind: split for kind, split in found["splits"].items() if "skipped" not in split}
    rows = [_split_row(kind, split, found["labels"]) for kind, split in splits.items()]
    kept = [name for name in rows[0] if any(row[name] not in ("0", "–") for row in rows)]
    spare = [
        "shared\nlines",
        "chance",
        "across\ncut",
        "drift",
        "most\nF1",
        *(n for n in kept[::-1] if "unseen" in n),
    ]
    print_table([{name: row[name] for name in kept} for row in rows], right=kept[1:], drop=spare)
    for kind, split in found["splits"].items():
        if "skipped" in split:
            note(f"{kind}: {shorten(split['skipped'])}")
    note(LEGEND)


def _split_row(kind: str, split: Mapping[str, Any], labels: Mapping[str, int]) -> dict[str, str]:
    drift = split["drift"]
    return {
        "training": kind,
        "train": f"{split['train']:,}",
        "test": f"{split['test']:,}",
        "across\ncut": "–" if split["straddling"] is None else f"{split['straddling']:,}",
        "shared\nlines": f"{split['shared_lines'] or 0:,}",
        **{
            f"unseen\n{word}": f"{split['unseen'][name]:,} / {split['tested'][name]:,}"
            for name, word in CLASSES.items()
            if labels[name]
        },
        "drift": f"{drift['divergence']:.4f}" if drift else "–",
        "chance": f"{drift['chance']:.4f}" if drift else "–",
        "most\nF1": f"{split['bound']['f1']:.4f}" if split["bound"]["f1"] is not None else "–",
    }
