"""Output of `logbench models`: the card of a model, and what its parts add, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..api.components import ModelComponent
from ..api.model_card import LEVELS, CardCount, CardFigure, ModelCard
from ..base.jsonable import several
from ..components.requirements import missing
from .shared_options import NARROW

if TYPE_CHECKING:
    from ..studies.ablation import Estimate

LABEL = 13


def info_text(item: ModelComponent[Any], card: ModelCard | None) -> str:
    """The facts of a model, a label and wrapped lines each."""
    lines = [*_traits(item), *(_no_card() if card is None else _card(item, card))]
    return "\n".join(line for label, text in lines if text for line in _wrapped(label, text))


def _wrapped(label: str, text: str) -> Sequence[str]:
    return textwrap.wrap(
        text, NARROW, initial_indent=f"{label:<{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False
    )


def _traits(item: ModelComponent[Any]) -> Iterator[tuple[str, str]]:
    yield "model", f"{', '.join([item.name, *item.aliases])}: {item.summary}"
    yield "supervision", item.traits.supervision
    yield "needs", ", ".join(["keys", *sorted(item.traits.needs)])
    lacking = missing(item.requires)
    yield "requires", ", ".join(one + (" (not installed)" if one in lacking else "") for one in item.requires)
    yield "options", f"logbench options {item.name}" if item.config is not None else ""


def _no_card() -> Iterator[tuple[str, str]]:
    yield "card", "none (see: docs/hooks/models.md)"


def _card(item: ModelComponent[Any], card: ModelCard) -> Iterator[tuple[str, str]]:
    yield "source", f"{card.source} {card.url}".strip()
    yield "reference", f"{card.reference}{f' (licence: {card.licence})' if card.licence else ''}"
    yield from _listed("differs", card.differs)
    yield from _listed("parameters", [_count(one) for one in card.parameters])
    shown = {level: card.faithful[level] for level in LEVELS if level in card.faithful}
    yield from _listed("faithful", [f"{level}: {LEVELS[level]} ({_tests(of)})" for level, of in shown.items()])
    yield from _listed("claims", [_figure(one) for one in card.claims])
    yield from _listed("reproduced", [_figure(one) for one in card.reproduced])
    yield from _listed("ours", [_figure(one) for one in card.ours] or ["not measured yet"])
    yield "public text", "its weights have seen public text, perhaps these logs" if card.seen_public_text else ""
    yield from _listed("ablations", [f"{name}: {shown_settings(to)}" for name, to in card.ablations.items()])


def _listed(label: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """One label, and each text below the other."""
    for at, text in enumerate(texts):
        yield ("" if at else label), text


def _count(one: CardCount) -> str:
    options = ", ".join(f"{name}={value}" for name, value in one.settings.items())
    vectors = f" and vectors of {several(one.width, 'column')}" if one.width else ""
    return f"{one.count:,} with {several(one.keys, 'key')}{vectors}{f' ({options})' if options else ''}"


def _tests(names: Sequence[str]) -> str:
    """Test files, each with the tests that follow it."""
    files: dict[str, list[str]] = {}
    for name in names:
        file, _, test = name.partition("::")
        files.setdefault(file, []).append(test)
    return "; ".join(f"{file}: {', '.join(tests)}" for file, tests in files.items())


def _figure(one: CardFigure) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in one.metrics.items())
    return f"{values}: {one.on}{f' [{one.source}]' if one.source else ''}"


def shown_settings(settings: Mapping[str, str | Mapping[str, Any]]) -> str:
    """Settings of an ablation, as a user types them: `logrobust.attend=mean, embedding=one-hot`."""
    return ", ".join(
        f"{name}={of}" if isinstance(of, str) else ", ".join(f"{name}.{key}={value}" for key, value in of.items())
        for name, of in settings.items()
    )


def ablation_text(rows: Sequence[Mapping[str, Any]], metric: str) -> str:
    """A table of ablations, and below it their settings and what did not run."""
    from tabulate import tabulate

    headers = ("part", metric, "difference", "")
    cells = [[row["part"], *_measured(row)] for row in rows]
    notes = [
        "difference: to the model as it is; ±: 95% interval over units and seeds",
        *(f"{row['part']}: {shown_settings(row['settings'])}" for row in rows if row["settings"]),
        *(f"{row['part']} did not run: {row['skipped']}" for row in rows if "skipped" in row),
    ]
    lines = (line for text in notes for line in textwrap.wrap(text, NARROW, subsequent_indent="  "))
    return "\n".join([tabulate(cells, headers, disable_numparse=True), "", *lines])


def _measured(row: Mapping[str, Any]) -> tuple[str, str, str]:
    if "skipped" in row:
        return "–", "", ""
    value, difference = row["value"], row["difference"]
    if difference is None:
        return _estimate(value, ""), "", ""
    return _estimate(value, ""), _estimate(difference, "+"), "changes nothing" if difference.holds_zero else ""


def _estimate(one: Estimate, sign: str) -> str:
    """`0.912 -.030+.018`, or `0.912 ±.030`."""
    text = f"{one.mean:{sign}.3f}"
    down, up = (f"{width:.3f}".removeprefix("0") for width in (one.mean - one.low, one.high - one.mean))
    return f"{text} ±{up}" if down == up else f"{text} -{down}+{up}"
