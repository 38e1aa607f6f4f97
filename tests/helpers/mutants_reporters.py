"""Wrong reporters: see `mutants`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from broken import Reporter


def f1(record: Any) -> str:
    units: Any = next(iter(record["metrics"].values()), {}) or {}
    value = (units.get("all") or {}).get("f1")
    return "–" if value is None else f"{value:.3f}"


def said(record: Any) -> str:
    return f1(record) if record["status"] == "ok" else f"{record['status']}: {record['error']['message']}"


def reporting(report: Callable[[Sequence[Any]], str]) -> type:
    return type("Broken", (Reporter,), {"report": lambda self, records: report(records)})


def sorted_names(records: Sequence[Any]) -> str:
    """Names in order of the alphabet, beside figures in the order of runs."""
    names = sorted(record["model"] for record in records)
    return "\n".join(f"{name} {said(record)}" for name, record in zip(names, records, strict=True))


def last_figure(records: Sequence[Any]) -> str:
    return "\n".join(f"{record['model']} {said(records[-1])}" for record in records)


def zero(records: Sequence[Any]) -> str:
    return "\n".join(f"{r['model']} {said(r) if r['status'] == 'ok' else 'failed 0.000'}" for r in records)


def bare_zero(records: Sequence[Any]) -> str:
    return "\n".join(f"{r['model']} {r['status']} {said(r) if r['status'] == 'ok' else 0}" for r in records)


def silent(records: Sequence[Any]) -> str:
    return "\n".join(f"{record['model']} {f1(record)}" for record in records)


def left_out(records: Sequence[Any]) -> str:
    return "\n".join(f"{record['model']} {said(record)}" for record in records if record["status"] == "ok")


def markdown(records: Sequence[Any]) -> str:
    rows = "\n".join(f"| {record['model']} | {said(record)} |" for record in records)
    return f"| model | f1 |\n|---|---|\n{rows}"


def latex(records: Sequence[Any]) -> str:
    rows = "\n".join(f"{record['model']} & {said(record)} \\\\" for record in records)
    return f"\\begin{{tabular}}{{lr}}\nmodel & f1 \\\\\n{rows}\n\\end{{tabular}}"


def comma(records: Sequence[Any]) -> str:
    rows = "\n".join(f"{r['model']},x,{f1(r)},{said(r)}" for r in records)
    return f"model,dataset,f1,status\n{rows}"


def zero_in_csv(records: Sequence[Any]) -> str:
    rows = "\n".join(f"{r['model']},x,{f1(r).replace('–', '0.0')},{r['status']}" for r in records)
    return f"model,dataset,f1,status\n{rows}"


def html(records: Sequence[Any]) -> str:
    rows = "".join(f"<tr><td>{record['model']}</td><td>{said(record)}</td></tr>" for record in records)
    return f"<table>{rows}</table>"


def wrong_headline(records: Sequence[Any]) -> str:
    return "\n".join(f"{record['model']} {said(record)}" for record in records)


def mean(records: Sequence[Any]) -> str:
    """A row a model, whatever its runs are of."""
    rows = []
    for name in dict.fromkeys(record["model"] for record in records):
        runs = [record for record in records if record["model"] == name]
        figures = [float(f1(run)) for run in runs if f1(run) != "–" and run["status"] == "ok"]
        middle = f"{sum(figures) / len(figures):.3f}" if figures else ""
        rows.append(f"{name} {middle} {' '.join(said(run) for run in runs if run['status'] != 'ok')}")
    return "\n".join(rows)


def headed(record: Any, name: str) -> str:
    value = ((next(iter(record["metrics"].values()), {}) or {}).get("all") or {}).get(name)
    return "" if value is None else f"{value:.3f}"


def misheaded(records: Sequence[Any]) -> str:
    rows = "\n".join(
        f"| {r['model']} | {headed(r, 'recall')} | {headed(r, 'precision')} | {said(r)} |" for r in records
    )
    return f"| model | precision | recall | f1 |\n|---|---|---|---|\n{rows}"


def misheaded_csv(records: Sequence[Any]) -> str:
    rows = "\n".join(f"{r['model']},{headed(r, 'auroc')},{said(r)},x" for r in records)
    return f"model,auprc,f1,x\n{rows}"


REPORTERS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "sorts names, not figures": ("rows", reporting(sorted_names), {}),
    "shows the last run's figure": ("rows", reporting(last_figure), {}),
    "a mean over data and protocols": ("apart", reporting(mean), {}),
    "recall below precision": ("columns", reporting(misheaded), {}),
    "another area in CSV": ("columns", reporting(misheaded_csv), {}),
    "a failed run is 0.000": ("failures", reporting(zero), {}),
    "a failed run is 0": ("failures", reporting(bare_zero), {}),
    "a failed run is 0.0 in CSV": ("failures", reporting(zero_in_csv), {}),
    "does not say that a run failed": ("failures", reporting(silent), {}),
    "leaves failed runs out": ("failures", reporting(left_out), {}),
    "bars in Markdown": ("escapes", reporting(markdown), {}),
    "marks in LaTeX": ("escapes", reporting(latex), {}),
    "commas in CSV": ("escapes", reporting(comma), {}),
    "tags in HTML": ("escapes", reporting(html), {}),
}
