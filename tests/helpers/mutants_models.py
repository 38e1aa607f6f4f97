"""Wrong models: see `mutants`."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from broken import TRAITS, but, instead, score

TIMED = replace(TRAITS, needs=frozenset({"times"}))
READING = replace(TRAITS, needs=frozenset({"messages"}))
TAUGHT = replace(TRAITS, supervision="supervised")


def parsed(self: Any, good: Any, sessions: Any) -> Any:
    """The last word of every message is a number."""
    return good + 0.0 * sum(float(message.split()[-1]) for message in sessions.messages())


def first_batches(self: Any, good: Any, sessions: Any) -> Any:
    """The last, incomplete batch of 512 is forgotten."""
    whole = len(good) - len(good) % 512 if len(good) > 512 else len(good)
    return np.where(np.arange(len(good)) < whole, good, 0.0)


def scaled(self: Any, good: Any, sessions: Any) -> Any:
    """Scores over their largest, where there are enough of them."""
    return good / good.max() if len(good) > 1000 else good


def drifting(self: Any, good: Any, sessions: Any) -> Any:
    """What was scored moves the mean, once there was enough of it."""
    shifted = good + getattr(self, "drift", 0.0)
    if len(good) > 1000:
        self.drift = float(sessions.lengths.mean())
    return shifted


def named(self: Any, good: Any, sessions: Any) -> Any:
    return good + 100 * sessions.ids.str.contains("^abnormal").to_numpy()


def numbered(self: Any, good: Any, sessions: Any) -> Any:
    """The number in an id, as it goes up with the class in files of normal and then abnormal units."""
    return good + sessions.ids.str.extract("([0-9]+)").cast(int).to_numpy() / 100


def learnt_by_name(self: Any, train: Any, context: Any) -> None:
    self.mean = float(train.lengths[~train.ids.str.starts_with("abnormal").to_numpy()].mean())


def rare(self: Any, train: Any, context: Any) -> None:
    """Labels are believed only where anomalies are rare, as in a real log."""
    known = train.labels is not None and 0 < (train.labels == 1).mean() < 0.2
    self.mean = float(train.lengths[train.labels == 0].mean() + 1 if known else train.lengths.mean())


def told_by_held_out(self: Any, train: Any, context: Any) -> None:
    labels = None if context.held_out is None else context.held_out.labels
    self.mean = float(train.lengths.mean() + (0 if labels is None else labels.sum()))


def told_by_a_share(self: Any, train: Any, context: Any) -> None:
    self.mean = float(train.lengths[train.labels == 0].mean())
    if context.held_out is not None:
        self.longest = int(context.held_out.lengths[context.held_out.labels == 1].max())


def of_labels_alone(self: Any, train: Any, context: Any) -> None:
    """Half of the units at least must have a label."""
    assert (train.labels >= 0).mean() > 0.5
    self.mean = float(train.lengths[train.labels == 0].mean())


def on_held_out(self: Any, train: Any, context: Any) -> None:
    lengths = [train.lengths, *([context.held_out.lengths] if context.held_out is not None else [])]
    self.mean = float(np.concatenate(lengths).mean())


def late(self: Any, good: Any, sessions: Any) -> Any:
    """Histories of five keys: shorter units are never looked into."""
    return np.where(sessions.lengths > 5, sessions.unseen, 0.0)


def out_of_step(self: Any, good: Any, sessions: Any, context: Any) -> Any:
    return good if good.events is None else replace(good, events=np.roll(good.events, 1))


def other_with_events(self: Any, good: Any, sessions: Any, context: Any) -> Any:
    return replace(good, primary=good.primary + 1, ignoring=good.ignoring + 1) if context.events else good


def backwards(self: Any, good: Any, sessions: Any, context: Any) -> Any:
    return good if good.events is None else replace(good, event=None, events=-good.events)


def by_the_clock(self: Any, good: Any, sessions: Any) -> Any:
    return good + sessions.times[sessions.offsets[:-1]] // 3_600_000_000 % 24


def by_the_gap(self: Any, good: Any, sessions: Any) -> Any:
    gaps = np.diff(sessions.times, prepend=sessions.times[:1])
    return good + np.maximum.reduceat(gaps, sessions.offsets[:-1]) // 1_000_000 if len(good) else good


def first_of_all(self: Any, good: Any, *rest: Any) -> Any:
    return replace(good, event=np.zeros(len(good.primary), dtype=np.int64))


def judging_nothing(self: Any, good: Any, sessions: Any, context: Any) -> Any:
    """All events said to be unjudged, though one of them decides."""
    return replace(good, unjudged=sessions.lengths.copy())


def judging_less(self: Any, good: Any, sessions: Any, context: Any) -> Any:
    """More events unjudged than those without a score."""
    scored = np.zeros(len(sessions.keys))
    return replace(good, event=None, events=scored, unjudged=np.minimum(sessions.lengths, 1))


def across_units(self: Any, train: Any, context: Any) -> None:
    """Pairs of keys, counted on across the borders of units."""
    self.mean = float(train.lengths.mean())
    self.pairs = set(zip(train.clipped_keys[:-1].tolist(), train.clipped_keys[1:].tolist(), strict=True))


def new_pairs(self: Any, sessions: Any, context: Any) -> Any:
    folded, ends = sessions.clipped_keys.tolist(), sessions.offsets.tolist()
    units = [folded[begin:end] for begin, end in itertools.pairwise(ends)]
    return np.array([sum(pair not in self.pairs for pair in itertools.pairwise(unit)) for unit in units], float)


def in_bytes(self: Any, train: Any, context: Any) -> None:
    self.known = np.unique(train.clipped_keys.astype(np.uint8))


def new_bytes(self: Any, sessions: Any, context: Any) -> Any:
    new = ~np.isin(sessions.clipped_keys.astype(np.uint8), self.known)
    return np.add.reduceat(new.astype(float), sessions.offsets[:-1]) if len(sessions) else np.empty(0)


def summed(self: Any, unit: Any, verdict: bool, label: Any) -> None:
    self.mean += label


def spoilt(self: Any, unit: Any, verdict: bool, label: Any) -> None:
    self.mean = np.nan


def drawn_anew(self: Any, unit: Any, verdict: bool, label: Any) -> None:
    """Learns by a share that is drawn outside of any seed."""
    self.mean += next(DRAWS)


DRAWS = (1.0 + 0.5**count for count in itertools.count())


def learnt_by_all(self: Any, unit: Any, verdict: bool, label: Any) -> None:
    """Keeps what it learns in the class."""
    type(self).more = getattr(type(self), "more", 0) + 1


def of_known_keys(self: Any, unit: Any, verdict: bool, label: Any) -> None:
    """Counts keys in a table as long as those of training."""
    self.table = getattr(self, "table", np.zeros(self.size))
    known = unit.keys[unit.keys < unit.vocabulary]
    self.table[known] += 1


def sized(self: Any, good: Any, train: Any, context: Any) -> Any:
    self.size = train.vocabulary
    return good


ADVISED = {
    "counts across the borders of units": ("train-order", instead("model", fit=across_units, score=new_pairs), {}),
    "keeps keys in eight bits": ("key-numbers", instead("model", fit=in_bytes, score=new_bytes), {}),
}

MODELS = {
    "names a card that is not there": ("card", instead("model"), {"card": Path("no-such-card.toml")}),
    "judges no event and names one": ("unjudged", but("model", "score", judging_nothing), {}),
    "judges less than it scores": ("unjudged", but("model", "score", judging_less), {}),
    "forgets the last batch": ("large", score(first_batches), {}),
    "scales by the largest of many": ("large", score(scaled), {}),
    "learns from what it scores": ("large", score(drifting), {}),
    "reads the label in an id": ("ids", score(named), {}),
    "reads the number in an id": ("ids", score(numbered), {}),
    "trains on units by their names": ("ids", instead("model", fit=learnt_by_name), {}),
    "looks at rare labels": ("labels", instead("model", fit=rare), {}),
    "looks at the labels of held-out units": ("held-labels", instead("model", fit=told_by_held_out), {}),
    "stops by anomalies that may not be held out": (
        "held-classes", instead("model", fit=told_by_a_share), {"traits": TAUGHT}),
    "cannot do without labels": (
        "unlabelled", instead("model", fit=of_labels_alone), {"traits": replace(TAUGHT, unlabelled=True)}),
    "trains on held-out units": ("held-out", instead("model", fit=on_held_out), {}),
    "needs more events than it says": ("min-events", score(late), {}),
    "scores events out of step": ("events", but("model", "score", out_of_step), {}),
    "scores events with the sign flipped": ("events", but("model", "score", backwards), {}),
    "scores units otherwise where events are asked": ("events", but("model", "score", other_with_events), {}),
    "always names the first event": ("event", but("model", "score", first_of_all), {}),
    "says the same without unseen keys": (
        "unseen-out", but("model", "score", lambda self, good, *_: replace(good, ignoring=good.primary)), {}),
    "says keys_only and looks at the clock": ("repeats", score(by_the_clock), {"traits": TIMED}),
    "adds up labels that are unknown": ("update", instead("model", update=summed), {}),
    "scores nothing after an update": ("update", instead("model", update=spoilt), {}),
    "learns by chance": ("update-same", instead("model", update=drawn_anew), {}),
    "learns for all models at once": (
        "update-apart",
        type("Broken", (score(lambda self, good, _: good + getattr(type(self), "more", 0)),),
             {"update": learnt_by_all}), {}),
    "knows the keys of training alone": (
        "update-keys", type("Broken", (but("model", "fit", sized),), {"update": of_known_keys}), {}),
    "takes every message to end with a number": ("text", score(parsed), {"traits": READING}),
    "says keys_only and looks at gaps": ("repeats", score(by_the_gap), {"traits": TIMED}),
}  # fmt: skip
