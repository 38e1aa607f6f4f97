"""Rules for data sets: labels belong to existing units, and no model or windower can see them."""

from __future__ import annotations

import polars as pl

from ..data.lines import KeySequences
from ..pipeline.coding import given_of
from ..pipeline.label_ids import label_ids
from .dataset import SOME, labelled_units, opened_of, parts_of, some_of
from .outcome import InapplicableError, ViolationError, expect
from .rule import Subject, rule

# Largest share of labels without units, or of units without labels.
MISSING = 0.1
# Fewest lines of a class for which a common word counts as a mark of the label.
FEW = 5
WORDS = r"(?i)\b(?:anomal\w*|abnormal|(?:un)?labell?ed|label[:=]\S*|is_?attack[:=]\S*)"


@rule("dataset", "named", "labels name units of the log, and units have labels")
def named(subject: Subject) -> None:
    opened = opened_of(subject)
    if isinstance(opened, KeySequences) or not opened.labels:
        _line_labels(some_of(opened))
        return
    labels, units = opened.labels(), labelled_units(subject)
    without = units.join(labels.filter(pl.col("label") >= 0), on="unit", how="anti")
    share = len(without) / max(len(units), 1)
    enough = share <= MISSING or len(without) < 2  # of a tiny log
    expect(enough, f"a label for {1 - MISSING:.0%} of the units", _some(without, share, "without one"))
    if subject.data is None and len(some_of(opened)) < SOME:
        strange = labels.join(units, on="unit", how="anti")
        share = len(strange) / max(len(labels), 1)
        expect(share <= MISSING, "labels of units that are in the log", _some(strange, share, "of no unit"))


def _some(frame: pl.DataFrame, share: float, what: str) -> str:
    return f"{share:.0%} {what}, first {frame['unit'].head(1).to_list()}"


def _line_labels(some: pl.DataFrame) -> None:
    if "label" not in some.columns or not (some["label"].fill_null(-1) >= 0).any():
        raise InapplicableError("it has no labels")
    share = int((some["label"].fill_null(-1) < 0).sum()) / len(some)
    expect(share <= MISSING, f"a label for {1 - MISSING:.0%} of the rows", f"{share:.0%} without one")


@rule("dataset", "hidden", "no message and no visible column tells the label")
def hidden(subject: Subject) -> None:
    lines, of_units = _labelled(subject)
    names = [name for name, dtype in lines.schema.items() if dtype == pl.String and name not in ("unit", "raw")]
    for name in names:
        _no_word(lines, name)
    for place, position in (("first", 0), ("last", -1)):
        token = pl.col("message").str.strip_chars().str.split(" ").list.get(position, null_on_oob=True)
        _no_mark(lines.with_columns(token=token), place, of_units)


def _labelled(subject: Subject) -> tuple[pl.DataFrame, bool]:
    """Lines as windowers see them, with `label`, 0 or 1; and whether labels are of units."""
    opened = opened_of(subject)
    if isinstance(opened, KeySequences):
        raise InapplicableError("it comes as key sequences")
    windower, parser = parts_of(subject)
    given = given_of(opened, parser)
    if opened.labels:
        assigned = windower.assign(given.frame()).head(SOME).collect()
        assigned = assigned.with_columns(label_ids(windower, assigned["unit"]))
        lines = assigned.drop_nulls("unit").join(opened.labels(), on="unit").drop("shape")
    elif "label" in some_of(opened).columns:
        lines = given.frame().head(SOME).collect().drop("shape")
        lines = lines.join(some_of(opened).select("line", "label"), on="line", how="inner")
    else:
        raise InapplicableError("it has no labels")
    lines = lines.filter(pl.col("label") >= 0)
    if lines["label"].n_unique() < 2:
        raise InapplicableError("its labels are all alike")
    return lines, bool(opened.labels)


def _no_word(lines: pl.DataFrame, name: str) -> None:
    """Check that no word such as `anomaly` tells the label."""
    has = pl.col(name).fill_null("").str.contains(WORDS)
    shares = lines.group_by("label").agg(share=has.mean()).sort("label")["share"]
    low, high = min(shares), max(shares)
    if low <= 0.05 and high >= 0.95:
        said = lines.filter(has)[name].head(1).to_list()
        raise ViolationError(f"no word for the label in column {name}", f"{said} tells it")


def _no_mark(lines: pl.DataFrame, place: str, of_units: bool) -> None:
    """Check that no token at this place occurs in all lines of one class and none of the other."""
    for label in (0, 1) if of_units else (0,):
        these, others = (lines.filter(where) for where in (pl.col("label") == label, pl.col("label") != label))
        tokens = these["token"].unique().to_list()
        enough = min(len(these), len(others)) >= FEW and these["message"].n_unique() > 1
        if of_units:
            enough = enough and these["unit"].n_unique() > 1
        if enough and len(tokens) == 1 and tokens[0] and not (others["token"] == tokens[0]).any():
            raise ViolationError(
                "messages without their label",
                f"all lines of label {label} and no other have {tokens[0]!r} as their {place} word",
            )
