"""Tables of runs for people: metrics, protocol, and the figures of rule baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from tabulate import DataRow, Line, TableFormat, tabulate

from logbench import escaped, folded, screen_width, text_table

from .cost_table import cost_columns, cost_heading, front_line, untimed
from .kept import thresholds_not_kept
from .marks import marks_said
from .rows import (
    Record,
    Row,
    best_row,
    comparisons,
    lower_is_better,
    metrics_shown,
    model_rows,
    of_events,
    over,
    rule_rows,
    short_limit,
    showing,
    unvaried,
)
from .slices import SIGNS, columns_by_slice, signs_said, slices_said
from .words import several

# Columns of text where there is no terminal.
WIDTH = 100
# Columns that a narrow terminal does without, the first one first; then metrics, the last one first.
# What says how good a model is outlives what says how it was judged.
SPARE = ("f1\ndistinct", "short", "threshold", "oracle\nthreshold", "mcc", "auprc")
SPARE_COSTS = ("added\nMB", "fit\nCPU s", "GPU\nMB", "device", "parameters")
# Upper bounds on F1: no note above the first; below the second most anomalies do not show in their keys.
ALMOST, UNINFORMATIVE = 0.999, 0.5


Looks = Mapping[tuple[int, str], Literal["best", "error", "aside"]]
Form = Literal["terminal", "html", "markdown", "latex"]
# How texts are escaped in a format of tabulate's.
FORMS: Mapping[str, Form] = {
    "github": "markdown", "pipe": "markdown", "html": "html", "unsafehtml": "html", "latex": "latex",
    "latex_raw": "latex", "latex_booktabs": "latex", "latex_longtable": "latex",
}  # fmt: skip


def _top(_: Sequence[int], alignment: Sequence[str]) -> str:
    return f"\\begin{{tabular}}{{{''.join(name[0] for name in alignment)}}}\n\\toprule"


_BOOKTABS = TableFormat(
    _top,
    Line("\\midrule", "", "", ""),
    None,
    Line("\\bottomrule\n\\end{tabular}", "", "", ""),
    DataRow("", "&", "\\\\"),
    DataRow("", "&", "\\\\"),
    1,
    None,
)
# The same formats, whose cells tabulate takes as they are.
UNESCAPED: Mapping[str, str | TableFormat] = {
    "html": "unsafehtml",
    "latex": "latex_raw",
    "latex_booktabs": _BOOKTABS,
}


class Table:
    """One row a model, then the rules of each protocol; see `Reporter.report`.

    Args:
        table_format: one that `tabulate` knows.
        each_seed: one row a run instead of one a model.
        metric: stands first, before those that evaluators show.
        comment: begins each line that is not of the table, as `% ` does in LaTeX.
        width: columns to fit, in format `simple` alone; by default those of the terminal.
    """

    def __init__(
        self, table_format: str, each_seed: bool = False, metric: str = "f1", comment: str = "",
        width: int | None = None,
    ) -> None:  # fmt: skip
        self.format, self.each_seed, self.metric, self.comment = table_format, each_seed, metric, comment
        self.narrow = table_format == "simple"
        self.width = width or screen_width() or WIDTH
        # tabulate escapes in the formats of which it has no other kind.
        escapes = table_format.startswith("latex") and table_format not in UNESCAPED
        self.cells: Form = "terminal" if escapes else FORMS.get(table_format, "terminal")

    def report(self, records: Sequence[Record]) -> str:
        """For each comparison (data set, protocol) a heading, its table, and errors below.

        A second table is of cost, a third of single lines, where they carry labels.
        """
        parts, names = [], metrics_shown(records, self.metric)
        for group in comparisons(showing(records, names)):
            parts.append(self._comparison(group, _heading(group), names))
            if cost := self._cost(group):
                parts.append(cost)
            if slices := self._slices(group):
                parts.append(slices)
            if lines := of_events(group):
                parts.append(self._comparison(lines, _heading_of_events(lines), names))
        return "\n\n".join(parts)

    def _comparison(self, records: Sequence[Record], heading: Sequence[str], names: Sequence[str]) -> str:
        models, rules = (
            model_rows(records, self.each_seed, self.metric),
            rule_rows(records, self.each_seed, self.metric),
        )
        rows = [*models, *rules]
        columns, share = self._columns(rows, names), _prevalence(rows)
        if share:
            for name, cells in columns.items():
                cells.append(f"(prevalence {share})" if name == "model" else "")
        spare = [name for name in (*SPARE, *names[::-1]) if name != self.metric]
        lower = bool(lower_is_better(records, [self.metric]))
        text = self._table(
            columns, sum(row.kind == "model" for row in rows), spare, _looks(rows, self.metric, lower)
        )
        above = [
            *heading,
            *_lower(lower_is_better(records, [name for name in names if name in columns])),
            *([f"±: 95% t-interval over {what}"] if (what := over(rows)) else []),
        ]
        below = [
            *unvaried(models, records),
            *self._certain(models),
            *_reasons(models),
            *_unjudged(records),
            *_joint(models),
            *signs_said([row.learned for row in models]),
            *marks_said(models),
            *thresholds_not_kept(models, rules, records[0]["protocol"]),
        ]
        return "\n\n".join(part for part in (self._around(above), text, self._around(below)) if part)

    def _cost(self, records: Sequence[Record]) -> str:
        """The table of cost of models and baselines that gave something, and its front."""
        rows = [row for row in model_rows(records, self.each_seed, self.metric) if row.runs]
        if not rows:
            return ""
        columns = cost_columns(rows, self.metric, self.each_seed)
        contended = _contended(records)
        below = contended or [
            *front_line(rows, self.metric, bool(lower_is_better(records, [self.metric])), self.each_seed),
            *untimed(rows),
        ]
        text = self._table(columns, len(rows), SPARE_COSTS)
        return "\n\n".join(
            part for part in (self._around([cost_heading(rows)]), text, self._around(below)) if part
        )

    def _slices(self, records: Sequence[Record]) -> str:
        """The metric slice by slice, of the first run of each model; empty in a batch run."""
        first = {record["model"]: record for record in reversed(records) if record["status"] == "ok"}
        names = [row.name for row in model_rows(records, metric=self.metric) if row.name in first]
        columns, models = columns_by_slice([first[name] for name in dict.fromkeys(names)], self.metric)
        return self._table(columns, models, ()) if columns else ""

    def _table(
        self, columns: Mapping[str, Sequence[str]], models: int, spare: Sequence[str], looks: Looks | None = None
    ) -> str:
        """Cells under their headings; on a terminal a line separates the first `models` rows from the others.

        Args:
            spare: headings of the columns that a narrow terminal does without, in that order.
            looks: colours of a terminal, see `logbench.text_table`.
        """
        cells = {name: [escaped(cell, self.cells) for cell in column] for name, column in columns.items()}
        if self.narrow:
            table = text_table(
                cells, self.width, fold=["model"], drop=spare, right=[*columns][1:], rules=[models],
                styles=looks or {},
            )  # fmt: skip
            return "\n".join(filter(None, (table.text, folded(table.said("--format csv"), self.width))))
        titles = [escaped(name.replace("\n", " "), self.cells) for name in columns]
        form = UNESCAPED.get(self.format, self.format)
        align = ["left", *["right"] * (len(titles) - 1)]
        rows = [*zip(*cells.values(), strict=True)]
        return str(tabulate(rows, titles, tablefmt=form, colalign=align, disable_numparse=True))

    def _certain(self, models: Sequence[Row]) -> list[str]:
        """Text for rows without a number of seeds in their name."""
        certain = any(row.runs and not row.counted for row in models)
        return ["rows without a number of seeds: deterministic"] if certain and not self.each_seed else []

    def _around(self, lines: Sequence[str]) -> str:
        if not self.narrow:
            form: Form = "terminal" if self.comment else FORMS.get(self.format, "terminal")
            join = "\n" if self.comment else "  \n"  # Markdown joins lines that have no two spaces at their end
            return join.join(self.comment + escaped(" ".join(line.split()), form) for line in lines)
        return "\n".join(folded(" ".join(line.split()), min(self.width, WIDTH)) for line in lines)

    def _columns(self, rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[str]]:
        """Cells by heading, without empty columns, which would only make lines wrap."""
        models = [row for row in rows if row.kind != "rule"]
        oracle = {row.source for row in models} - {None} == {"oracle"}
        columns = {
            "model": [self._named(row) for row in rows],
            "tied": [row.tied for row in rows],
            "runs": [f"{row.runs}/{row.runs + row.failed}" if row.failed else str(row.runs) for row in rows],
            "seed": [", ".join(map(str, row.seeds)) for row in rows],
            "split": [", ".join(map(str, row.splits)) for row in rows],
            **{name: _metrics(rows, name, self.metric) for name in names},
            "f1\ndistinct": [_number(row.other) if row.runs else "" for row in rows],
            "oracle\nthreshold" if oracle else "threshold": [_threshold(row, oracle) for row in rows],
            "short": _short(rows),
        }
        hidden = set(self._hidden(rows, models))
        return {
            name: cells
            for name, cells in columns.items()
            if name not in hidden and any(cell not in {"", "–"} for cell in cells)
        }

    def _named(self, row: Row) -> str:
        kind = "" if row.kind == "model" else f"{row.kind}: "
        seeds = f" ({several(row.counted, 'seed')})" if row.counted and not self.each_seed else ""
        sign = SIGNS.get(row.learned, "")
        return f"{kind}{row.name}{' *' * row.joint}{sign and f' {sign}'}{seeds}"

    def _hidden(self, rows: Sequence[Row], models: Sequence[Row]) -> Iterator[str]:
        """Columns to leave out: equal in every row, or too wide for the terminal."""
        shares = {(row.runs + row.failed) / len(row.seeds) for row in models}
        if len(shares) == 1 and not any(row.runs and row.failed for row in models):
            yield "runs"
        for name in ("seed", "split"):
            if not self.each_seed or len({getattr(row, f"{name}s") for row in models}) == 1:
                yield name
        if self.narrow:
            yield "auroc"
            if over(rows):
                yield from ("threshold", "oracle\nthreshold")


def _looks(rows: Sequence[Row], metric: str, lower: bool) -> Looks:
    """The best value of the models stands out; rules, baselines and the prevalence stand back."""
    looks: dict[tuple[int, str], Literal["best", "error", "aside"]] = {
        (at, ""): "aside" for at, row in enumerate(rows) if row.kind != "model"
    }
    looks[len(rows), ""] = "aside"
    best = best_row([row for row in rows if row.kind == "model"], metric, lower)
    for at, row in enumerate(rows):
        if best is not None and row.kind == "model" and row.metrics.get(metric) == best.metrics[metric]:
            looks[at, metric] = "best"
        if row.status == "error":
            looks[at, "runs" if row.runs else metric] = "error"
    return looks


def _heading(records: Sequence[Record]) -> list[str]:
    record = next((record for record in records if record["split"]), records[0])  # skipped runs may have no split
    data, protocol, split = record["dataset"], record["protocol"], record["split"]
    simulated = " (SIMULATED: never set against published figures)" if data.get("simulated") else ""
    lines = [f"{data['name']}{simulated}"]
    if split:
        unit, seeds = data.get("unit", "session"), sorted({one["protocol"]["split_seed"] for one in records})
        lines.append(
            f"{several(split['train'], f'{unit} trains', f'{unit}s train')} "
            f"({protocol['train']}, {protocol['content']}{_contamination(split)}{_labels(records)}), "
            f"{split['held_out']:,} held out, {split['test']:,} tested; "
            f"split seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
        )
    lines += _bound(records)
    headline = "all units" if protocol["duplicates"] == "all" else "distinct units"
    limit = " or ".join(map(str, _limits(records))) or protocol["min_events"]
    plural = "" if str(limit) == "1" else "s"
    short = f"short (< {limit} event{plural})" if limit else "short"  # unknown without a successful run
    return [
        *lines,
        f"protocol {record['preset']}: {short} {protocol['short']}, "
        f"unseen {protocol['unseen']}, threshold {protocol['threshold']}, headline: {headline}",
        *slices_said(protocol, records),
        *_differing(records),
    ]


def _contamination(split: Mapping[str, Any]) -> str:
    added = split.get("contaminating", 0)
    return f" and {several(added, 'anomaly', 'anomalies')}" if added else ""


def _labels(records: Sequence[Record]) -> str:
    """How many labels might be seen and the balance of classes: 4,000 labels: 120 anomalies (3.0%)."""
    seen: Mapping[str, int] = next((one["labels"] for one in records if one.get("labels")), {})
    if not {"seen", "seen_anomalous"} <= set(seen):
        return ""
    share = f" ({seen['seen_anomalous'] / seen['seen']:.1%})" if seen["seen"] else ""
    return f"; {several(seen['seen'], 'label')}: {several(seen['seen_anomalous'], 'anomaly', 'anomalies')}{share}"


def _limits(records: Sequence[Record]) -> list[int]:
    """Events below which units are short for some model."""
    good = [record for record in records if record["status"] == "ok"]
    return sorted({limit for record in good if (limit := short_limit(record)) is not None})


def _differing(records: Sequence[Record]) -> list[str]:
    """Say that each model has its own limit, if rows differ in it."""
    if len(_limits(records)) < 2:
        return []
    dropped = records[0]["protocol"]["short"] == "drop"
    what = ", and leaves out other units: compare two by logbench compare" if dropped else ""
    return [f"ROWS DIFFER in the limit of short units: each model has what it needs{what}"]


def _bound(records: Sequence[Record]) -> list[str]:
    """State the upper bound on F1, because some equal sequences have both labels."""
    bound: Mapping[str, Any] = next((r["bound"] for r in records if r.get("bound")), {})
    if bound.get("f1") is None or bound["f1"] > ALMOST:
        return []
    units = several(bound["units"], "anomaly has", "anomalies have")
    said = f"{units} a normal unit's key sequence: by keys alone F1 ≤ {bound['f1']:.3f}"
    return [f"{said}: UNINFORMATIVE for models that see keys alone" if bound["f1"] < UNINFORMATIVE else said]


def _lower(names: Sequence[str]) -> list[str]:
    """Name the columns whose metric is better where it is lower."""
    return [f"lower is better: {', '.join(names)}"] if names else []


def _heading_of_events(records: Sequence[Record]) -> list[str]:
    counts = records[0]["counts"]["event"]
    ones = "one" if counts["labelled"] == 1 else "ones"
    return [f"single lines: {counts['labelled']:,} labelled {ones} tested, each judged by its own score"]


def _prevalence(rows: Sequence[Row]) -> str:
    """Share of anomalies in the test set, as a range if rows have different test units."""
    shares = sorted(f"{row.prevalence:.4f}" for row in rows if row.prevalence is not None)
    return " to ".join(dict.fromkeys((shares[0], shares[-1]))) if shares else ""


def _metrics(rows: Sequence[Row], name: str, first: str) -> list[str]:
    """Cells of a metric's column, as precise as its largest value: 0.123, 45.67, 890.1, 12,345."""
    largest = max((abs(value) for row in rows if (value := row.metrics.get(name)) is not None), default=0.0)
    digits = next((digits for digits, end in ((3, 10), (2, 100), (1, 1000)) if largest < end), 0)
    return [_metric(row, name, first, digits) for row in rows]


def _metric(row: Row, name: str, first: str, digits: int) -> str:
    if not row.runs:
        return row.status if name == first else ""
    value, bounds = row.metrics.get(name), row.bounds.get(name)
    if value is None or bounds is None:
        return _number(value, digits)
    down, up = (f"{abs(bound - value):,.{digits}f}" for bound in bounds)
    down, up = (text.removeprefix("0") if digits else text for text in (down, up))
    return f"{_number(value, digits)} " + (f"±{up}" if up == down else f"-{down}+{up}")  # cut at its range's end


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"  # no -0.000


def _threshold(row: Row, oracle: bool) -> str:
    if row.threshold is None:
        return "–" if row.runs and row.kind != "rule" else ""
    named = f" ({row.source})" if row.source in {"oracle", "rule"} and not oracle else ""
    return f"{row.threshold:.4g}{named}".replace("-inf", "−∞").replace("inf", "∞")


def _short(rows: Sequence[Row]) -> list[str]:
    """Number of units that the rule for short units decided, with the limit if rows differ in it."""
    differ = len({row.limit for row in rows if row.kind != "rule" and row.runs}) > 1
    shown = [f"{row.short:,.0f}" if row.short is not None else "" for row in rows]
    if differ:
        return [
            f"{text} (< {row.limit})" if text and row.limit else text
            for row, text in zip(rows, shown, strict=True)
        ]
    return shown if any(row.short for row in rows) else ["" for _ in rows]


def _contended(records: Sequence[Record]) -> list[str]:
    side = max((record["environment"].get("contended", 0) for record in records), default=0)
    return [f"up to {several(side, 'run')} went side by side: their times are left out"] if side else []


def _joint(rows: Sequence[Row]) -> list[str]:
    """Explain the star."""
    return ["*: its scores depend on the other scored units"] if any(row.joint for row in rows) else []


def _unjudged(records: Sequence[Record]) -> list[str]:
    """Name models that cannot judge some events, with the number in the first run of each."""
    found: dict[str, Mapping[str, int]] = {}
    for record in records:
        if number := record["counts"].get("unjudged"):
            found.setdefault(record["model"], number)
    return [
        f"not judged: {model}: {number['events']:,} of {several(number['of'], 'tested event')}"
        + (f", among them every one of {several(number['units'], 'unit')}" if number["units"] else "")
        for model, number in found.items()
        if isinstance(number, Mapping) and number["events"]
    ]


def _reasons(rows: Sequence[Row]) -> list[str]:
    """Name runs without result and why, models with the same reason together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.failed:
            part = f" ({row.failed} of {several(row.runs + row.failed, 'run')})" if row.runs else ""
            reasons.setdefault((row.status, row.reason), []).append(row.name + part)
    return [f"{status}: {', '.join(names)}: {reason}" for (status, reason), names in reasons.items()]
