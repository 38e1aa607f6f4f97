"""Judge how a log was parsed, in words: whether its keys can show anything, and which option helps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.optional_evaluators import HasCaution
from ..base.jsonable import several
from ..data.lines import Lines
from ..reading.data_parts import open_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions
    from .prepared import Prepared
    from .resolve import ResolvedPlan

# Events below which nothing is said.
FEW = 200
# Fewest keys, largest share of one key, and share of distinct messages that may make templates of their own.
KEYS, SHARE, OWN = 5, 0.95, 0.5
# Templates from which on parsing takes long.
MANY = 1000
# Lines by which the values of a frequent template are looked at.
LOOKED_AT = 3000
# Training units below which thresholds are unreliable, and sizes of windows that are proposed, seconds.
TRAIN, WINDOWS = 200, (3600, 1800, 900, 600, 300, 120, 60, 30, 15, 10, 5, 2, 1)
# Lines that a window needs at least to show anything, and kinds of split that train a ratio.
FEWEST_LINES, RATIOS = 5, ("ratio", "random_ratio", "per_class_ratio")
# Most values of a number that tells kinds of events apart.
KINDS = 12


def judgement(resolved: ResolvedPlan, prepared: Prepared) -> list[str]:
    """Sentences about keys that cannot show much, and the parser's own; none where nothing is to be said."""
    grouped, parser = prepared.grouped, prepared.vocabulary.parser
    caution = parser.caution if isinstance(parser, HasCaution) else None
    own = [] if caution is None else [caution]
    if grouped.sequences or len(grouped.codes) < FEW:
        return own
    numbers, windows = _of_numbers(resolved, prepared), _of_windows(resolved, prepared)
    return [*own, *keys_judged(prepared.sessions, len(grouped.messages), resolved), *numbers, *windows]


def keys_judged(sessions: Sessions, messages: int, resolved: ResolvedPlan) -> list[str]:
    """What is to be said of how often keys stand in units.

    Args:
        messages: number of distinct ones.
    """
    if len(sessions.keys) < FEW or resolved.dataset.as_dict().get("events"):  # keys that were given are no parse
        return []
    counts = sessions.cached("logbench.key_counts", lambda: np.bincount(sessions.keys))
    return list(_of_counts(counts, messages, resolved))


def _of_counts(counts: np.ndarray, messages: int, resolved: ResolvedPlan) -> Iterator[str]:
    events, keys = int(counts.sum()), int((counts > 0).sum())
    own, more = _declared(resolved), _more_fields(resolved)
    if keys < KEYS:
        yield (f"only {keys} {'key' if keys == 1 else 'keys'} in {events:,} events, so models see little; {more}")
    elif counts.max() > SHARE * events:
        yield f"one key is {counts.max() / events:.0%} of the events, so models see little; {more}"
    single = int((counts == 1).sum())
    if keys > MANY and (keys > OWN * messages or single > OWN * events) and keys > 0.05 * events:
        name = resolved.parser.name
        yield (
            f"{keys:,} templates of {events:,} events: nearly every line makes a template of its own, so "
            f"keys tell models little; mask what varies ({name}.masks), "
            + ("or make the key of fields (key)" if own else f"or see: logbench options {name}")
        )


def _declared(resolved: ResolvedPlan) -> bool:
    return "key" in resolved.dataset.as_dict()


def _more_fields(resolved: ResolvedPlan) -> str:
    """What may make more keys: fields that the definition names and its key lacks."""
    if not _declared(resolved):
        return "another parser or its options may tell more apart"
    config = resolved.dataset.as_dict()
    if config.get("events"):
        return "its events are the keys"
    if fields := _unused(config):
        key = ", ".join(f'"{name}"' for name in (fields[0], *(config["key"] or ["message"])))
        return f"let fields enter the key, such as key = [{key}]"
    if config["format"] in ("pattern", "regex") and not config.get("inner"):
        return "no field but the message is left to tell more; name one within it in the pattern"
    return 'let a field enter the key, by key = [FIELD, "message"]'


def _unused(config: Mapping[str, Any]) -> list[str]:
    """Fields that may tell events apart: level and component first, then others of the patterns."""
    patterns = " ".join((config["pattern"], *config["more"]))
    named = re.findall(r"(?<!\\)\(\?P<(\w+)>|(?<!\\)(?<!\?P)<(\w+)>", patterns)
    others = [one or other for one, other in named] if config["format"] in ("pattern", "regex") else []
    shown = re.findall(r"\{([^{}]+)\}", config["message"]) or [config["message"]]
    used = {
        *shown,
        *config["time"],
        *config["key"],
        config["id"],
        config["label"],
        config["group"],
        config["stream"],
    }
    used |= {config["node"], config["pieces"].partition("=")[0], ""}
    return list(dict.fromkeys(one for one in (config["level"], config["component"], *others) if one not in used))


def _of_numbers(resolved: ResolvedPlan, prepared: Prepared) -> Iterator[str]:
    """A number in nearly every message that has so few values that they may tell kinds of events apart."""
    config = resolved.dataset.as_dict()
    if not _declared(resolved) or config["key"] or "{" in config["message"] or config.get("events"):
        return
    opened = open_data(resolved.dataset.build(), resolved.dataset.name, prepared.path)
    if not isinstance(opened, Lines):
        return
    texts = opened.frame.select("message").head(LOOKED_AT).collect()["message"].fill_null("")
    if values := telling_values(texts):
        yield (
            f"the messages hold a number that is {_or(values)}, and keys do not tell which: make it a field, and "
            'name it in the key, such as key = ["Status", "message"]'
        )


def _of_windows(resolved: ResolvedPlan, prepared: Prepared) -> Iterator[str]:
    """Windows of which too few train: a size that makes enough, or why none does."""
    split, grouped = prepared.split, prepared.grouped
    train, name = len(split.train) + len(split.held_out), resolved.windower.name
    given = resolved.windower.as_dict().get("size")  # a duration, or a number of lines
    if not resolved.windower.entry.item.traits.line_windows or train >= TRAIN or given is None:
        return
    ratio = resolved.protocol.train_ratio if resolved.protocol.train in RATIOS else 0.8
    needed, events = TRAIN / (0.9 * ratio), len(grouped.codes)
    few = f"{several(train, 'window trains', 'windows train')}, fewer than {TRAIN}"
    if isinstance(given, str) and grouped.times is not None:
        found = next((one for one in WINDOWS if _units(grouped.times, one) >= needed), None)
        size = "" if found is None else f"{found}s" if found < 60 else f"{found // 60}m"
        why = f"even windows of 1s make only {_units(grouped.times, 1):,} units"
    else:
        size = str(int(events / needed)) if events / needed >= FEWEST_LINES else ""
        why = f"{several(events, 'line')} make no {needed:,.0f} windows of {FEWEST_LINES} lines"
    if size:
        option = (
            f'window = "{size}" (--set {name}.size={size})' if _declared(resolved) else f"--set {name}.size={size}"
        )
        yield f"{few}; {option} is enough"
    else:
        yield f"{few}, and no size makes enough: {why}; give a longer log, or thresholds stay unreliable"


def _units(times: NDArray[np.int64], seconds: int) -> int:
    return len(np.unique(times // (seconds * 10**6)))


def telling_values(texts: pl.Series) -> list[str]:
    """The 2 to 12 values of a number of three digits, the first from 1 to 5, that nearly all texts hold.

    By such a number protocols tell their answers.
    """
    numbers = texts.str.extract(r'(?:^|[\s=:"])([1-5][0-9]{2})(?:[\s,;"]|$)', 1).drop_nulls()
    distinct = numbers.unique().sort().to_list()
    return distinct if len(numbers) >= 0.9 * len(texts) and 2 <= len(distinct) <= KINDS else []


def _or(values: Sequence[str]) -> str:
    return f"{', '.join(values[:-1])} or {values[-1]}"
