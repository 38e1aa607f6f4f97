"""The pages of a site: what each shows, by template."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from logbench import EvaluationProtocol

from ..report import drawing
from ..report.figures.by_slice import WORDS
from ..report.figures.figure import Figure, number
from ..report.markup import environment, policy, text
from ..report.theme import css
from .board import Board, Entry, Record, Table, value
from .bump import bump
from .figures import figures_of, limit_of
from .names import slug

PACKAGE = "logbench_reporters.site"
# Columns of a table beside the metric that ranks.
COLUMNS = ("f1", "precision", "recall", "auprc")


def pages(board: Board, title: str, scores: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Path below the site's folder → HTML.

    Args:
        scores: run → path of its scores below the site's folder.
    """
    maker = _Maker(board, title, scores)
    yield "index.html", maker.index()
    for data in board.data:
        yield f"data/{data}.html", maker.data(data)
    for protocol in board.protocols:
        yield f"protocol/{protocol}.html", maker.protocol(protocol)
    for model in board.models:
        yield f"model/{slug(model)}.html", maker.model(model)


class _Drawn(NamedTuple):
    """A figure, its SVG, and what it does not tell."""

    figure: Figure
    svg: str
    limit: str = ""

    @property
    def width(self) -> float:
        """Pixels of the SVG."""
        found = re.search(r'<svg[^>]*? width="([\d.]+)"', self.svg)
        return float(found[1]) if found else self.figure.width


class _Maker:
    """What pages share: the look, the board, and figures, each drawn once."""

    def __init__(self, board: Board, title: str, scores: Mapping[str, str]) -> None:
        self._board, self._scores = board, scores
        self._titles = board.titles()
        self._drawn: dict[str, _Drawn | None] = {}
        script = text("logbench_reporters.report", "sort.js") + text(PACKAGE, "site.js")
        self._always = {
            "site": title,
            "css": css() + text("logbench_reporters.report", "page.css") + text(PACKAGE, "site.css"),
            "script": script,
            "policy": policy([script]),
            "board": board,
            "metric": board.metric,
            "titles": self._titles,
            "learned": WORDS,
            "newest": max(entry.newest for table in board.tables for entry in table.entries)[:10],
            "slug": slug,
        }

    def index(self) -> str:
        """Best label-free results, a matrix a protocol, and how ranks change."""
        matrices = [self._matrix(protocol) for protocol in self._board.protocols]
        figures = [(data, one) for data in self._board.data if (one := self._bump(data)) is not None]
        return self._page(
            "index.html",
            "",
            matrices=[one for one in matrices if one["rows"]],
            figures=figures,
            homeless=[self._run(record) for record in self._board.homeless],
            runs=len(self._board.folders),
        )

    def data(self, data: str) -> str:
        """Each table of a data set."""
        tables, figures = self._board.of_data(data), figures_of(self._board, data)
        return self._page(
            "data.html",
            "../",
            data=data,
            facts=self._facts(data),
            tables=[self._table(table, figures[table.protocol]) for table in tables],
            figure=self._bump(data),
        )

    def protocol(self, protocol: str) -> str:
        """What a protocol is, and its matrix."""
        tables = self._board.of_protocol(protocol)
        known = {one.name: one for one in dataclasses.fields(EvaluationProtocol)}
        fields = [
            {
                "name": name,
                "value": "none" if given is None else given,
                "usual": name in known and known[name].default == given,
                "meaning": str(known[name].metadata.get("help", "")) if name in known else "",
            }
            for name, given in sorted(
                tables[0].fields.items(), key=lambda pair: pair[0] in known and known[pair[0]].default == pair[1]
            )
        ]
        return self._page(
            "protocol.html",
            "../",
            protocol=protocol,
            label=tables[0].label,
            fields=fields,
            matrix=self._matrix(protocol),
            tables=tables,
        )

    def model(self, model: str) -> str:
        """Every row of a model; rows of several tables are never ranked."""
        found = [
            (table, self._entry(table, entry))
            for table in self._board.tables
            for entry in table.entries
            if entry.model == model
        ]
        return self._page("model.html", "../", model=model, rows=found)

    def _page(self, template: str, root: str, **more: Any) -> str:
        return environment(PACKAGE).get_template(template).render(**self._always, root=root, **more)

    def _bump(self, data: str) -> _Drawn | None:
        if data not in self._drawn:
            figure = bump([one for one in self._board.of_data(data) if one.label_free], self._board.metric)
            self._drawn[data] = None if figure is None else _Drawn(figure, drawing.svg(figure, page=True))
        return self._drawn[data]

    def _matrix(self, protocol: str) -> dict[str, Any]:
        """Best label-free rows: a row a model, a column a data set."""
        tables = sorted(self._board.of_protocol(protocol), key=lambda one: -len(one.best()))
        best = {table.data: table.best() for table in tables}
        columns = [table for table in tables if best[table.data]]
        names = list(dict.fromkeys(model for of in best.values() for model in of))
        rows = [
            {
                "model": model,
                "cells": [
                    (table, best[table.data].get(model), table.configurations(model), len(best[table.data]))
                    for table in columns
                ],
            }
            for model in names
        ]
        return {
            "protocol": protocol,
            "label": self._board.protocols[protocol],
            "columns": columns,
            "rows": rows,
            "key": f"best-{protocol}",
        }

    def _table(self, table: Table, figures: Sequence[Figure]) -> dict[str, Any]:
        metrics = [
            name for name in COLUMNS if name != table.metric and any(name in e.row.metrics for e in table.entries)
        ]
        entries = [self._entry(table, entry, metrics) for entry in table.entries]
        rules = [
            {
                "name": row.name,
                "value": row.metrics.get(table.metric),
                "cells": [row.metrics.get(one) for one in metrics],
                "other": row.other,
            }
            for row in table.rules
        ]
        return {
            "table": table,
            "metrics": metrics,
            "entries": entries,
            "rules": rules,
            "sentence": _sentence(table),
            "figures": [_Drawn(one, drawing.svg(one, page=True), limit_of(one)) for one in figures],
        }

    def _entry(self, table: Table, entry: Entry, metrics: Sequence[str] = COLUMNS) -> dict[str, Any]:
        row = entry.row
        low, high = row.bounds.get(table.metric, (0.0, 0.0))
        return {
            "entry": entry,
            "anchor": f"row-{table.protocol}-{entry.key}",
            "value": entry.value,
            "interval": f"{number(low)}–{number(high)}" if low < high else "",
            "share": max(0.0, min(entry.value or 0.0, 1.0)),
            "cells": [row.metrics.get(name) for name in metrics],
            "tied": table.tied.get(entry.model, ""),
            "cpu": None if row.cost.fit_cpu_s is None else row.cost.fit_cpu_s + (row.cost.score_cpu_s or 0.0),
            "day": entry.newest[:10],
            "commands": list(dict.fromkeys(str(run["command"]) for run in entry.runs if run["command"])),
            "options": entry.runs[0]["config"].get("model") or {},
            "runs": [self._run(run) for run in entry.runs],
            "history": self._history(entry),
            "of": sum(one.rank is not None for one in table.entries),
        }

    def _run(self, run: Record) -> dict[str, Any]:
        source, error = run.get("source") or {}, run.get("error") or {}
        return {
            "id": run["run_id"],
            "record": f"records/{slug(run['run_id'])}.json",
            "scores": self._scores.get(run["run_id"], ""),
            "model": run["model"],
            "data": run["dataset"].get("name"),
            "seed": run["seed"],
            "split": run["protocol"]["split_seed"],
            "value": value(run, self._board.metric),
            "day": str(run["started"])[:10],
            "code": f"{source.get('version') or '?'} {source.get('code') or ''}".strip(),
            "status": run["status"] if run["status"] == "ok" else f"{run['status']}: {error.get('message', '')}",
        }

    def _history(self, entry: Entry) -> dict[str, Any] | None:
        """Means by day, as points of a line 100 wide and 30 high; None where all runs are of one day."""
        days = entry.dates
        means = []
        for day, runs in days:
            known = [one for run in runs if (one := value(run, self._board.metric)) is not None]
            if known:
                means.append((day, sum(known) / len(known), [self._run(run) for run in runs]))
        if len(means) < 2:
            return None
        values = [mean for _, mean, _ in means]
        low, span = min(values), (max(values) - min(values)) or 1.0
        points = " ".join(
            f"{100 * at / (len(values) - 1):.1f},{28 - 26 * (mean - low) / span:.1f}"
            for at, mean in enumerate(values)
        )
        return {"days": means, "points": points}

    def _facts(self, data: str) -> list[tuple[str, str]]:
        tables = self._board.of_data(data)
        first, card = tables[0].first, self._board.card(data)
        facts, parts = first["dataset"], first["components"]
        counts = [("lines", "lines"), ("sessions", f"{facts.get('unit', 'unit')}s"), ("anomalies", "anomalous")]
        return [
            ("title", card.title if card else "its plugin is not installed here"),
            *(("kind", "simulated: never set against published figures") for _ in [0] if facts.get("simulated")),
            *(("trained on", str(facts["source"]["name"])) for _ in [0] if facts.get("source")),
            *((name, f"{facts[key]:,}") for key, name in counts if isinstance(facts.get(key), int)),
            *((kind, str(parts[kind]["name"])) for kind in ("windower", "parser") if kind in parts),
            *(
                (name, str(of))
                for name, of in (first["config"].get("dataset") or {}).items()
                if of not in (None, "")
            ),
            ("SHA-256", str(facts.get("digest"))),
            ("licence", card.licence if card and card.licence else "not stated"),
            ("cite", card.citation if card and card.citation else "not stated"),
            *(("known fault", fault) for fault in (card.faults if card else ())),
        ]


def _sentence(table: Table) -> str:
    """The table in a sentence."""
    ranked = [entry for entry in table.entries if entry.value is not None]
    if not ranked:
        return f"No run has a value of {table.metric}."
    first, rule = ranked[0], table.best_rule
    said = f"{first.model} is first of {len(ranked)} with {table.metric} {number(first.value)}"
    if rule is None:
        return f"{said}."
    worse = sum((entry.over or 0.0) * (-1 if table.lower else 1) <= 0 for entry in ranked)
    return (
        f"{said}; the rule “{rule.name}”, which needs no model, has {number(rule.metrics[table.metric])}: "
        f"{worse} of {len(ranked)} rows are not better."
    )
