"""Small test data, the same on every call: sessions, lines, messages, units with verdicts, records."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..api.protocol import EvaluationProtocol
from ..api.traits import OF_VECTORS, ModelTraits
from ..data.event_messages import EventMessages
from ..data.message_needs import NEEDS
from ..data.sessions import Sessions
from ..evaluation.line_metrics import as_units
from ..evaluation.threshold_traits import ThresholdTraits
from ..evaluation.unit_moments import with_moments
from ..evaluation.verdicts import Decision, decide

if TYPE_CHECKING:
    from .records import TinyRuns

VOCABULARY = 12
# Columns of a vector.
WIDTH = 16
# Microseconds since 1970.
DAY = 1_700_000_000_000_000
SECOND = 1_000_000


def sessions(
    count: int, least: int, seed: int, anomalous: float = 0.0, traits: ModelTraits | None = None
) -> Sessions:
    """Walks around a circle of `VOCABULARY` keys, some with a skip; many repeat each other.

    Args:
        least: events of the shortest session; the longest has seven more.
        anomalous: share of units with label 1, which jump anywhere and contain keys unseen in training.
        traits: needs of the model (`times`, `texts`, `messages`, `parameters`, `vectors`, `text_vectors`).
    """
    rng = np.random.default_rng(seed)
    labels = (rng.random(count) < anomalous).astype(np.int8)
    walks = [_strange(least, rng) if label else _usual(least, rng) for label in labels]
    return of(walks, traits=traits, labels=labels)


def of(walks: list[list[int]], traits: ModelTraits | None = None, **columns: Any) -> Sessions:
    """Read-only sessions of these keys, as a model gets them; with times and text if the traits need them."""
    events, needs = sum(map(len, walks)), traits.shown if traits else frozenset()
    steps = np.random.default_rng(events).integers(1, 2_000_000, events)
    sessions = Sessions.of(
        walks,
        vocabulary=VOCABULARY,
        times=DAY + np.cumsum(steps) if "times" in needs else None,
        templates=tuple(map(_text, range(VOCABULARY))),
        **(_texts(walks) if "texts" in needs else {}),
        **(_vectors(walks) if needs & OF_VECTORS else {}),
        **(_messages(walks, needs, columns.get("labels")) if needs & NEEDS else {}),
        **columns,
    )
    for column in (sessions.offsets, sessions.vectors, *(getattr(sessions, name) for name in Sessions.columns)):
        if isinstance(column, np.ndarray):
            column.flags.writeable = False
    return sessions


def _texts(walks: list[list[int]]) -> dict[str, Any]:
    """Distinct masked messages in first-seen order, and which of them each event has."""
    keys = [key for walk in walks for key in walk]
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return {
        "texts": pl.Series("text", map(_text, place), dtype=pl.String),
        "text_ids": np.array([place[key] for key in keys], dtype=np.int32),
    }


def _vectors(walks: list[list[int]]) -> dict[str, Any]:
    """A vector of each distinct key, some directions of which all have, and the row of each event."""
    keys = [key for walk in walks for key in walk]
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    made = [np.random.default_rng(key).standard_normal(WIDTH) + (np.arange(WIDTH) < 2) for key in place]
    return {
        "vectors": np.array(made, dtype=np.float32).reshape(-1, WIDTH),
        "vector_ids": np.array([place[key] for key in keys], dtype=np.int32),
    }


def _messages(walks: list[list[int]], needs: Set[str], labels: Any) -> dict[str, Any]:
    """A message of each event: its masked one with a number for the wildcard, a far larger one in anomalies."""
    keys = [key for walk in walks for key in walk]
    numbers = np.random.default_rng(len(keys)).integers(0, 1000, len(keys))
    if labels is not None:
        numbers[np.repeat(np.asarray(labels) == 1, [len(walk) for walk in walks])] += 5_000
    filled = [_text(key).replace("<*>", str(number)) for key, number in zip(keys, numbers.tolist(), strict=True)]
    return {"raw": EventMessages.of(filled).showing(needs)}


def _text(key: int) -> str:
    """A masked message: of a known key its template, of an unseen key a text of its own."""
    return f"step {key} of <*>" if key < VOCABULARY else f"fault {key} at <*>"


def _usual(least: int, rng: np.random.Generator) -> list[int]:
    start, length = int(rng.integers(3)), least + int(rng.integers(8))
    skip = int(rng.integers(1, length + 1)) if rng.random() < 0.2 else length
    return [(start + step + (step >= skip)) % VOCABULARY for step in range(length)]


def _strange(least: int, rng: np.random.Generator) -> list[int]:
    length = least + int(rng.integers(8))
    walk = rng.integers(0, VOCABULARY, length)
    if rng.random() < 0.5:
        walk[rng.integers(0, length, 2)] = VOCABULARY + rng.integers(0, 5, 2)
    return [int(key) for key in walk]


def lines(count: int = 60) -> pl.DataFrame:
    """Log lines with every column that a data set may give, and `id`, the sessions that each line names.

    Every tenth line names none, every seventh names two.
    """
    number = np.arange(count)
    ids = [
        [] if n % 10 == 9 else [f"job-{n % 4}", f"job-{n % 5}"] if n % 7 == 6 else [f"job-{n % 4}"] for n in number
    ]
    begin = datetime.datetime(2024, 1, 1)
    times = [begin + datetime.timedelta(seconds=17 * n) for n in range(count)]
    messages = pl.Series(MESSAGES).gather(number % len(MESSAGES))
    return pl.DataFrame(
        {
            "line": pl.Series(number, dtype=pl.UInt32),
            "message": messages,
            "raw": "INFO " + messages,
            "time": pl.Series(times, dtype=pl.Datetime("us")),
            "level": pl.Series(["INFO", "WARN", "ERROR"]).gather(number % 3),
            "component": pl.Series(["disk", "net"]).gather(number % 2),
            "node": pl.Series([f"node-{n % 3}" for n in number]),
            "file": pl.Series(["a.log", "b.log"]).gather(number // 30 % 2),
            "label": pl.Series(number % 11 == 5, dtype=pl.Int8),
            "id": pl.Series(ids, dtype=pl.List(pl.String)),
            "shape": messages.str.replace_all("[0-9]+", "0").cast(pl.Categorical()),
        }
    )  # fmt: skip


# Messages of several systems, with numbers, addresses, hexadecimal words, blanks, and the empty one.
MESSAGES = (
    "Receiving block blk_-1608999687919862906 src: /10.250.19.102:54106 dest: /10.250.19.102:50010",
    "Receiving block blk_77 src: /10.0.0.1:1 dest: /10.0.0.2:50010",
    "PacketResponder 1 for block blk_38865049064139660 terminating",
    "PacketResponder 12 for block blk_-7 terminating",
    "Verification succeeded for blk_-3544583377289625738",
    "user alice logged in from 192.168.1.17 port 22",
    "user bob logged in from 10.1.1.1 port 2222",
    "user carol_9 logged in from fe80::1 port 22",
    "session closed",
    "session closed",
    "Failed password for root from 218.188.2.4 port 38926 ssh2",
    "instruction cache parity error corrected",
    "ciod: failed to read message prefix on control stream (CioStream socket to 172.16.96.116:33569",
    "total of 12 ddr error(s) detected and corrected on rank 0, symbol 14 over 84023 seconds",
    "0x1fd4 at 0xdeadbeef: read of 4096 bytes took 0.25ms",
    "/var/log/app-12/part.0007 rotated, 99% full",
    "temperature 71 °C, Überhitzung möglich — naïve café",
    "",
    " ",
    "a  b   c",
    "key=value id=deadbeef42 uuid=123e4567-e89b-12d3-a456-426614174000",
    "retry 1 of 3",
    "retry 2 of 3",
    "retry 3 of 3",
)
# Messages for a parser after training, some similar to training messages, some not.
OTHERS = (
    "Receiving block blk_5 src: /10.9.9.9:99 dest: /10.9.9.8:50010",
    "user dave logged in from 10.7.7.7 port 22",
    "quite another thing happened once",
    "кошка 12",
    "retry 17 of 99",
    "",
)


def many_messages(count: int = 2_000) -> pl.Series:
    """Messages of 40 statements with one varying word without digits, which masks do not remove."""
    kinds = itertools.product(VERBS, NOUNS, ENDS)
    statements = [f"{verb} of {noun} {{}} by worker {end}".strip() for verb, noun, end in kinds]
    return pl.Series("text", [statements[n % len(statements)].format(_word(n)) for n in range(count)])


VERBS, NOUNS = ("begin", "end", "retry", "stop", "check"), ("copy", "lease", "scan", "merge")
ENDS = ("", "for good")


def _word(number: int) -> str:
    """A word of letters for each number."""
    letters = "ghjklmnpqrstvwxyz"
    word = ""
    while number or not word:
        number, rest = divmod(number, len(letters))
        word += letters[rest]
    return "u" + word


def units(count: int = 40, seed: int = 0) -> pl.DataFrame:
    """Labelled units as an evaluator gets them: every column of a run, with verdicts of the harness itself."""
    return _judged(_scored(count, seed)).units


def events() -> pl.DataFrame:
    """Single events as an evaluator gets them: a row for each combination of values, with its weight."""
    scored = _scored(40, 1).select(
        "part", "label", "unseen", "raw", "ignoring", "ignoring_event", "event",
        weight=pl.lit(250.0), count=pl.lit(250, pl.Int64), events=pl.lit(9, pl.Int64),
    )  # fmt: skip
    return with_moments(as_units(_judged(scored).units))


def _scored(count: int, seed: int) -> pl.DataFrame:
    """Scored test units before the protocol's rules apply (see `verdicts`)."""
    rng = np.random.default_rng(seed)
    label = (np.arange(count) % 4 == 0).astype(np.int8)
    score = np.round(rng.normal(label.astype(float), 1.0), 1)
    length = 5 + np.arange(count) % 9
    begin, anomalous = DAY + 60 * SECOND * np.arange(count), pl.Series(label == 1)
    return pl.DataFrame(
        {
            "part": pl.Series(["test"] * count, dtype=pl.String),
            "unit": [f"u{n}" for n in range(count)],
            "index": pl.Series(np.arange(count) + 10, dtype=pl.Int64),
            "label": pl.Series(label, dtype=pl.Int8),
            "weight": np.where(label == 0, 2.0, 1.0),
            "events": pl.Series(length, dtype=pl.Int64),
            "unseen": pl.Series(np.arange(count) % 10 == 0, dtype=pl.Int64),
            "sequence": pl.Series(np.arange(count) // 2, dtype=pl.UInt32),
            "repeats": np.arange(count) % 3 == 0,
            "first_time": begin,
            "last_time": begin + SECOND * length,
            "first_anomalous": pl.Series(np.arange(count) % 5, dtype=pl.Int64).set(~anomalous, None),
            "first_anomalous_time": pl.Series(begin + SECOND * (np.arange(count) % 5 + 1)).set(~anomalous, None),
            "first_alarm": pl.Series(np.arange(count) % 4, dtype=pl.Int64).set(pl.Series(score <= 0.5), None),
            "first_alarm_time": pl.Series(begin + SECOND * (np.arange(count) % 4 + 1)).set(
                pl.Series(score <= 0.5), None
            ),
            "type": pl.Series(["disk", "net", None]).gather(np.arange(count) // 4 % 3).set(~anomalous, None),
            "template_set": pl.Series(np.arange(count) // 2 % 7, dtype=pl.UInt32),
            "raw": score,
            "event": pl.Series(length - 1, dtype=pl.Int64),
            "ignoring": score,
            "ignoring_event": pl.Series(length - 1, dtype=pl.Int64),
            "unjudged": pl.Series([None] * count, dtype=pl.Int64),
            "nll": score / 3,
        }
    )


def _judged(scored: pl.DataFrame) -> Decision:
    protocol = EvaluationProtocol(threshold="fixed", value=0.5, unseen="target")
    return decide(scored, protocol, ThresholdTraits(), short_limit=1)


@dataclass(frozen=True)
class Tiny:
    """Small test data for any component.

    Attributes:
        train, held_out: sessions of normal units, unlabelled, 12 known keys, with times and text.
        test: sessions with some anomalies and unseen keys, unlabelled.
        labels: int8 [units], labels of `test`.
        context: context for a model, with `held_out`.
        lines: a polars frame of log lines, with `id`, the sessions that each line names.
        messages, others: messages for a parser to train on, and others to match later.
        units: a polars frame for evaluators.
    """

    train: Sessions
    held_out: Sessions
    test: Sessions
    labels: np.ndarray[Any, np.dtype[np.int8]]
    context: Context
    lines: pl.DataFrame = field(default_factory=lines)
    messages: pl.Series = field(default_factory=lambda: pl.Series("message", MESSAGES).unique(maintain_order=True))
    others: pl.Series = field(default_factory=lambda: pl.Series("message", OTHERS))
    units: pl.DataFrame = field(default_factory=units)

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """Records of runs on these data: `ok`, without labels, failed, skipped."""
        from .records import records

        return records()

    def runs(self, folder: Path) -> TinyRuns:
        """Access to the stored scores of `records`, for a reporter that writes files into `folder`."""
        from .records import TinyRuns

        return TinyRuns(folder)


def tiny(least: int = 12) -> Tiny:
    """Make small test data, the same on every call.

    Args:
        least: events of the shortest session.
    """
    traits = ModelTraits(needs=frozenset({"times", "texts", "messages", "parameters", "vectors"}))
    test = sessions(60, least, seed=2, anomalous=0.25, traits=traits)
    assert test.labels is not None
    held = sessions(40, least, seed=1, traits=traits).unlabelled()
    return Tiny(
        train=sessions(200, least, seed=0, traits=traits).unlabelled(),
        held_out=held,
        test=test.unlabelled(),
        labels=test.labels,
        context=Context(held_out=held),
    )
