"""Workflows as text, as Mermaid, as Graphviz' dot, and as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from logbench import escaped

from .graph import Departure, Workflow

WIDTH = 80


def text(workflows: Sequence[Workflow], templates: Mapping[int, str]) -> str:
    """Each workflow as a list of its keys with what comes next, at most 80 columns wide."""
    lines: list[str] = []
    for number, one in enumerate(workflows, 1):
        keys = f"{len(one.keys)} key{'s' * (len(one.keys) != 1)}"
        lines += ["", f"workflow {number}: {keys}, {one.count:,} events"]
        lines += _wrapped(f"  begins with {_list(one.starts)}; ends with {_list(one.ends)}", "    ")
        lines += [f"  in any order: {', '.join(f'[{key}]' for key in sorted(group))}" for group in one.concurrent]
        for key in one.keys:
            lines.append(_cut(f"  [{key}] {templates.get(key, '')}"))
            around = {other for group in one.concurrent if key in group for other in group} - {key}
            ahead = {other: share for other, share in one.after(key).items() if other not in around}
            words = [
                f"[{other}] {share:.2f}{' (back)' * ((key, other) in one.loops)}" for other, share in ahead.items()
            ]
            branch = " one of" * (key in one.branches)
            lines += _wrapped(f"      ->{branch} {', '.join(words)}", "         ") if words else []
    return "\n".join(lines[1:])


def _list(shares: Mapping[int, float]) -> str:
    return ", ".join(f"[{key}] {share:.2f}" for key, share in shares.items()) or "no key in particular"


def _cut(line: str) -> str:
    line = " ".join(line.split(" "))
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _wrapped(line: str, indent: str) -> list[str]:
    lines = [""]
    for word in line.split(", "):
        joined = f"{lines[-1]}, {word}" if lines[-1] else word
        if len(joined) < WIDTH:
            lines[-1] = joined
        else:
            lines[-1] += ","
            lines.append(indent + word)
    return lines


def mermaid(workflows: Sequence[Workflow], templates: Mapping[int, str]) -> str:
    """A flow chart: a box a workflow, one around keys that come in any order, dotted steps that lead back."""
    lines = ["flowchart TD"]
    for number, one in enumerate(workflows, 1):
        lines.append(f"  subgraph w{number}[workflow {number}]")
        grouped = {key for group in one.concurrent for key in group}
        nodes = {key: f'k{key}["{key}: {_short(templates.get(key, ""), "mermaid")}"]' for key in one.keys}
        lines += [f"    {nodes[key]}" for key in one.keys if key not in grouped]
        for at, group in enumerate(one.concurrent, 1):
            lines += [
                f"    subgraph w{number}c{at}[in any order]",
                *(f"      {nodes[key]}" for key in sorted(group)),
            ]
            lines.append("    end")
        for (a, b), share in _flow(one).items():
            lines.append(f"    k{a} {'-.->' if (a, b) in one.loops else '-->'}|{share:.2f}| k{b}")
        lines.append("  end")
    return "\n".join(lines)


def dot(workflows: Sequence[Workflow], templates: Mapping[int, str]) -> str:
    """The same for Graphviz."""
    lines = ["digraph workflows {", "  node [shape=box];"]
    for number, one in enumerate(workflows, 1):
        lines += [f"  subgraph cluster_{number} {{", f'    label="workflow {number}";']
        lines += [f'    k{key} [label="{key}: {_short(templates.get(key, ""), "dot")}"];' for key in one.keys]
        for at, group in enumerate(one.concurrent, 1):
            lines.append(f'    subgraph cluster_{number}_{at} {{ label="in any order"; style=dashed;')
            lines += [f"      {' '.join(f'k{key};' for key in sorted(group))}", "    }"]
        for (a, b), share in _flow(one).items():
            lines.append(f'    k{a} -> k{b} [label="{share:.2f}"{", style=dotted" * ((a, b) in one.loops)}];')
        lines.append("  }")
    return "\n".join([*lines, "}"])


def values(workflows: Sequence[Workflow], templates: Mapping[int, str]) -> list[dict[str, Any]]:
    """JSON values."""
    return [
        {
            "keys": [{"key": key, "template": templates.get(key)} for key in one.keys],
            "events": one.count,
            "starts": {str(key): round(share, 4) for key, share in one.starts.items()},
            "ends": {str(key): round(share, 4) for key, share in one.ends.items()},
            "steps": [
                {"from": a, "to": b, "share": round(share, 4), "back": (a, b) in one.loops}
                for (a, b), share in one.steps.items()
            ],
            "in_any_order": [sorted(group) for group in one.concurrent],
            "branches": one.branches,
        }
        for one in workflows
    ]


def _flow(one: Workflow) -> dict[tuple[int, int], float]:
    """Steps that are not within a set of keys in any order."""
    inside = {(a, b) for group in one.concurrent for a in group for b in group if a != b}
    return {step: share for step, share in one.steps.items() if step not in inside}


def _short(template: str, form: Literal["mermaid", "dot"], most: int = 40) -> str:
    short = template if len(template) <= most else f"{template[: most - 1]}…"
    return escaped(short.replace("<*>", "*"), form)


def left(found: Sequence[Departure], templates: Mapping[int, str], events: int, known: int) -> str:
    """Where a unit of so many events left its workflows, a paragraph each; `known` keys are of training."""
    lines: list[str] = []
    for one in found:
        where = "" if one.workflow is None else f", workflow {one.workflow + 1}"
        if one.key is None:
            lines.append(f"after event {one.event} of {events}: it ends within{where.removeprefix(',')}")
        else:
            why = "left its workflow" if one.workflow is not None else "is of no workflow"
            why = why if one.key < known else "is unseen in training"
            lines.append(f"event {one.event + 1} of {events}: [{one.key}] {why}{where}")
            lines.append(_cut(f"  came      [{one.key}] {templates.get(one.key, '')}"))
        if one.before is not None:
            lines.append(_cut(f"  after     [{one.before}] {templates.get(one.before, '')}"))
        for at, (key, share) in enumerate(one.expected.items()):
            begin = "  expected " if not at else "           "
            lines.append(_cut(f"{begin} [{key}] {share:.2f} {templates.get(key, '')}"))
    return "\n".join(lines)
