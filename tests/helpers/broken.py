"""Good components of every kind, ways to break them, and what the rules of the contract find in them."""

from __future__ import annotations

import json
import random
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from logbench import Card, DataError, Lines, ModelTraits, Preset, Scores, option, testing
from logbench.api.components import Kind
from logbench.components.component_kinds import COMPONENTS
from logbench.components.registry import Registry
from logbench.testing import check

CARD = Card(
    title="t", label="l", parser="good", windower="good", protocol="good", layout="a folder", simulated=True
)


@dataclass(frozen=True)
class Config:
    """Options of every good component."""

    size: int = option(3, "a number", ge=1)


class Model:
    """Distance from the mean length; knows everything that a model may."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def fit(self, train: Any, context: Any) -> Any:
        self.mean = float(train.lengths.mean())
        return {"mean": self.mean}

    def score(self, sessions: Any, context: Any) -> Any:
        far, strange = abs(sessions.lengths - self.mean), sessions.keys >= sessions.vocabulary
        first = np.full(len(sessions), -1)
        at = np.flatnonzero(strange)[::-1]
        first[sessions.units[at]] = at - sessions.offsets[:-1][sessions.units[at]]
        events = strange.astype(float) if context.events else None
        return Scores(far + sessions.unseen, first, far, events=events)

    def save(self, folder: Path) -> None:
        (folder / "mean.json").write_text(json.dumps(self.mean))

    def load(self, folder: Path) -> None:
        self.mean = json.loads((folder / "mean.json").read_text())

    def expected(self, sessions: Any, events: Any, context: Any) -> pl.Series:
        return pl.Series("expected", [[0, 1]] * len(sessions), dtype=pl.List(pl.Int32))

    def explain(self, sessions: Any, events: Any, context: Any) -> pl.Series:
        return pl.Series("why", ["a rare key"] * len(sessions), dtype=pl.String)


class Parser:
    masks = (("[0-9]+", "<*>"),)
    shape = (("[0-9]+", "0"),)

    def __init__(self, config: Config) -> None:
        self.templates: list[str] = []

    def fit(self, messages: pl.Series) -> Any:
        self.templates = messages.unique(maintain_order=True).to_list()
        return np.array([self.templates.index(text) for text in messages], dtype=np.int32)

    def match(self, messages: pl.Series) -> Any:
        known = {text: key for key, text in enumerate(self.templates)}
        return np.array([known.get(text, -1) for text in messages], dtype=np.int32)

    def state(self) -> dict[str, Any]:
        return {"templates": self.templates}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.templates = list(state["templates"])


class Windower:
    def __init__(self, config: Config) -> None: ...

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit="node")


class Embedding:
    """How many letters a text has, and how often training has its first word."""

    def __init__(self, config: Config) -> None: ...

    def fit(self, texts: Any) -> None:
        self.firsts = Counter(text.split(" ")[0] for text in texts)

    def of(self, texts: Any) -> Any:
        rows = [[len(text), self.firsts[text.split(" ")[0]]] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(-1, 2)

    def counted(self) -> Mapping[str, int]:
        return {"first_words": len(self.firsts)}


class Evaluator:
    def __init__(self, config: Config) -> None: ...

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        return {"alarms": float(units.filter("verdict")["weight"].sum()), "undefined": None}

    directions: ClassVar[Mapping[str, str]] = {"alarms": "lower"}


STEPS = ("open file", "read 12 pages", "write 3 pages", "close file")
UNITS = [f"job{n}" for n in range(20)]


class Dataset:
    """Twenty jobs of three or four lines, a second apart; every fifth jams."""

    def __init__(self, config: Config) -> None: ...

    def read(self, path: Path) -> Any:
        if not (path / "log").is_file():
            raise DataError(f"{path}: no log; give a folder with a file log")
        texts = pl.DataFrame({"raw": (path / "log").read_text().splitlines()}).with_row_index("line")
        frame = texts.with_columns(
            time=pl.col("raw").str.head(19).str.to_datetime("%Y-%m-%d %H:%M:%S"),
            node=pl.col("raw").str.extract("(job[0-9]+)"),
            message=pl.col("raw").str.slice(20),
        )
        return Lines(frame.lazy(), files=[path / "log"], labels=self.labels)

    def labels(self) -> pl.DataFrame:
        return pl.DataFrame(
            {"unit": UNITS, "label": pl.Series([int(n % 5 == 4) for n in range(20)], dtype=pl.Int8)}
        )

    def generate(self, folder: Path, progress: Any) -> None:
        steps = [(unit, step) for n, unit in enumerate(UNITS) for step in STEPS[: 4 if n % 5 < 4 else 3]]
        lines = [f"2024-01-01 00:{n // 60:02}:{n % 60:02} {unit} {step}" for n, (unit, step) in enumerate(steps)]
        (folder / "log").write_text("\n".join(lines) + "\n")


class Reporter:
    def __init__(self, config: Config) -> None: ...

    def report(self, records: Any) -> str:
        return "\n".join(f"{record['model']} {record['status']}" for record in records)


GOOD: dict[Kind, type] = {"model": Model, "parser": Parser, "windower": Windower, "embedding": Embedding,
                         "evaluator": Evaluator, "dataset": Dataset, "reporter": Reporter}  # fmt: skip
TRAITS = ModelTraits(scores_without_unseen=True, keys_only=True, stochastic=False)


def offered(kind: str = "", build: Any = None, config: type | None = Config, card: Any = None, **more: Any) -> Any:
    """A good component of each kind, and `broken` of one, as `testing.registry` takes them."""
    offers: dict[str, list[Any]] = {"presets": [Preset(name="good", summary="", source="")]}
    for one, good in GOOD.items():
        cls: Any = COMPONENTS[one]
        own: dict[str, Any] = {"dataset": {"card": CARD}, "model": {"traits": TRAITS}}.get(one, {})
        items = [cls("good", good, Config, **own)]
        if one == kind:
            own |= {"card": card} if card is not None else {}
            items.append(cls("broken", build, config, **{**own, **more}))
        offers[f"{one}s"] = items
    return offers


def registry(kind: str, build: Any, **options: Any) -> Registry:
    return testing.registry(plugins=False, **offered(kind, build, **options))


def violated(kind: Any, build: Any, status: str = "violation", **options: Any) -> dict[str, str]:
    """What the rules find in a component, by rule."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a division by zero warns before the rule finds the NaN
        outcomes = list(check(kind, "broken", registry=registry(kind, build, **options)))
    return {one.rule: f"{one.expected} | {one.actual}" for one in outcomes if one.status == status}


def but(kind: str, method: str, change: Callable[..., Any]) -> type:
    """The good component with `change(self, good method's answer, *arguments)` in place of a method's answer."""
    good = getattr(GOOD[kind], method)

    def changed(self: Any, *arguments: Any) -> Any:
        return change(self, good(self, *arguments), *arguments)

    return type("Broken", (GOOD[kind],), {method: changed})


def instead(kind: str, **methods: Any) -> type:
    """The good component with other methods or attributes."""
    return type("Broken", (GOOD[kind],), methods)


def score(change: Callable[..., Any]) -> type:
    """`change(self, scores, sessions)` gives the primary scores; `ignoring` follows where no key is unseen."""

    def changed(self: Any, good: Scores, sessions: Any, context: Any) -> Scores:
        primary = np.asarray(change(self, good.primary, sessions), dtype=float)
        return replace(good, primary=primary, ignoring=primary - sessions.unseen)

    return but("model", "score", changed)


def counted(self: Any) -> int:
    self.calls = getattr(self, "calls", 0) + 1
    return int(self.calls)


def write(array: Any) -> None:
    array.flags.writeable = True
    array[0] = 7


def moody(self: Any, train: Any, context: Any) -> None:
    self.mean = random.SystemRandom().random()


def peeking(self: Any, train: Any, context: Any) -> None:
    self.mean = float(train.lengths.mean() if train.labels is None else train.labels.mean() + 100)


def drawn() -> str:
    return str(random.SystemRandom().random())


def window(change: Callable[..., Any]) -> type:
    return but("windower", "assign", lambda self, good, lines: change(good, lines))


def metrics(change: Callable[..., Any]) -> type:
    return but("evaluator", "evaluate", lambda self, good, units: change(units))


def lines(*columns: pl.Expr, keep: pl.Expr | None = None) -> type:
    def change(self: Any, good: Lines, path: Path) -> Lines:
        return replace(good, frame=good.frame.with_columns(*columns).filter(True if keep is None else keep))

    return but("dataset", "read", change)


def text(more: Callable[..., Any]) -> type:
    return but("reporter", "report", lambda self, good, records: good + str(more(records)))


def redrawn(self: Any, good: Lines, path: Path) -> Lines:
    return replace(good, frame=good.frame.with_columns(message=pl.lit(drawn())))


def anything(self: Any, path: Path) -> Lines:
    return Lines(pl.LazyFrame({"line": [0], "message": [""]}, schema={"line": pl.UInt32, "message": pl.String}))


def constant_is_nan(self: Any, good: Any, sessions: Any) -> list[float]:
    spans = zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True)
    return [np.nan if b - a > 1 and len(set(sessions.keys[a:b])) == 1 else 0.0 for a, b in spans]
