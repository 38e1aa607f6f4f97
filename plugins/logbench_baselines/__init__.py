"""First-party baselines: simple models that a deep model has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from logbench import ModelComponent, ModelTraits, hookimpl, option

if TYPE_CHECKING:
    from .ecvc import Ecvc
    from .edit import Edit
    from .markov import Markov
    from .ngram import NGram
    from .online import OnlineMarkov, OnlineNewEvent, OnlineNGram
    from .rules import Length, NewEvent
    from .timing import Timing
    from .trivial import Constant, Random

CARDS = Path(__file__).with_name("cards")
AIT = "Landauer et al., FSE 2024"


@dataclass(frozen=True)
class EcvcConfig:
    """Options of `ecvc` and `ecvc-idf`."""

    max_train: int = option(
        5_000, "most distinct training vectors to keep, the most frequent first", ge=1, tune=False
    )


@dataclass(frozen=True)
class NGramConfig:
    """Options of `n-gram`; the default is stide's."""

    n: int = option(6, "events in an n-gram", ge=2)
    measure: Literal["first", "share"] = option(
        "share", "first: a mismatch counts by the unit's length, as published; share: mismatches per n-gram"
    )


@dataclass(frozen=True)
class EditConfig:
    """Options of `edit`."""

    max_train: int = option(
        5_000, "most distinct training sequences to compare with, most frequent first", ge=1, tune=False
    )
    max_edits: int = option(
        1_000,
        "edits up to which distances of longer units are exact; beyond, their counts bound them",
        ge=1,
        tune=False,
    )


@dataclass(frozen=True)
class MarkovConfig:
    """Options of `markov`."""

    smoothing: float = option(1.0, "constant added to the count of every transition (Laplace: 1)", gt=0)


def _new_event() -> NewEvent:
    from .rules import NewEvent

    return NewEvent()


def _length() -> Length:
    from .rules import Length

    return Length()


def _ecvc(idf: bool) -> Callable[[EcvcConfig], Ecvc]:
    def build(config: EcvcConfig) -> Ecvc:
        from .ecvc import Ecvc

        return Ecvc(config, idf)

    return build


def _ngram(config: NGramConfig) -> NGram:
    from .ngram import NGram

    return NGram(config)


def _edit(config: EditConfig) -> Edit:
    from .edit import Edit

    return Edit(config)


def _timing() -> Timing:
    from .timing import Timing

    return Timing()


def _markov(config: MarkovConfig) -> Markov:
    from .markov import Markov

    return Markov(config)


def _online_new_event() -> OnlineNewEvent:
    from .online import OnlineNewEvent

    return OnlineNewEvent()


def _online_ngram(config: NGramConfig) -> OnlineNGram:
    from .online import OnlineNGram

    return OnlineNGram(config)


def _online_markov(config: MarkovConfig) -> OnlineMarkov:
    from .online import OnlineMarkov

    return OnlineMarkov(config)


def _constant(value: float) -> Callable[[], Constant]:
    def build() -> Constant:
        from .trivial import Constant

        return Constant(value)

    return build


def _random() -> Random:
    from .trivial import Random

    return Random()


GRADED = ModelTraits(scores_without_unseen=True, keys_only=True, stochastic=False)
BINARY = replace(GRADED, fixed_threshold=0.0, binary_scores=True)
TIMED = replace(BINARY, needs=frozenset({"times"}), min_events=2, keys_only=False)
BLIND = replace(BINARY, supervision="unsupervised")
BY_ID = {"ids": "its score is drawn from the seed and the unit's id, so that the order of units does not matter"}
DRAWN = replace(
    BLIND, fixed_threshold=None, binary_scores=False, keys_only=False, stochastic=True, expected_failures=BY_ID
)


def _shorter(n: int) -> Mapping[str, str]:
    """Shortest unit with an n-gram: n - 2 events, because units get a mark at either end."""
    return {"min-events": f"as published, units of fewer than {n - 2} events score 0"} if n > 3 else {}


# Models that have the card of another.
SHARED = dict.fromkeys(("2-gram", "3-gram", "10-gram"), "n-gram-fixed")
CHAIN = {"events": "the transition to the end is of no event, and yet decides for the last one"}
STIDE = replace(BINARY, expected_failures=lambda config: _shorter(config.n))


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Any]]:
    """Offer every baseline under the name that papers use."""
    for item in (*_rules(), *_sequences()):
        yield replace(item, card=CARDS / f"{SHARED.get(item.name, item.name)}.toml")
    for item in _online():
        yield replace(item, card=CARDS / f"{item.name}.toml")
    for item in _trivial():
        yield replace(item, card=CARDS / "trivial.toml")


def _rules() -> Iterable[ModelComponent[Any]]:
    new, length = f"an event unseen in training ({AIT})", f"a length outside training's ({AIT})"
    yield ModelComponent("new-event", _new_event, summary=new, traits=BINARY, aliases=("event",))
    yield ModelComponent("length", _length, summary=length, traits=BINARY)


def _sequences() -> Iterable[ModelComponent[Any]]:
    nearest, unseen = "distance to the nearest training count vector", "events in a row unseen in training"
    edits = f"edit distance to the nearest training sequence, over the longer length ({AIT})"
    chain = "least likely transition of a first-order Markov chain (Ye, IEEE SMC 2000)"
    rare = f"{nearest}, rare events weighing more ({AIT})"
    yield ModelComponent("ecvc", _ecvc(False), EcvcConfig, f"{nearest} ({AIT})", replace(GRADED, baseline=True))
    yield ModelComponent("ecvc-idf", _ecvc(True), EcvcConfig, rare, GRADED)
    yield ModelComponent("n-gram", _ngram, NGramConfig, f"n {unseen} (stide: Forrest et al., S&P 1996)", STIDE,
                         aliases=("stide",))  # fmt: skip
    for n in (2, 3, 10):
        yield ModelComponent(
            f"{n}-gram",
            _fixed(n),
            summary=f"{n} {unseen} ({AIT})",
            traits=replace(BINARY, expected_failures=_shorter(n)),
        )
    yield ModelComponent("edit", _edit, EditConfig, edits, GRADED)
    yield ModelComponent(
        "timing", _timing, summary=f"event pairs faster or slower than ever ({AIT})", traits=TIMED
    )
    yield ModelComponent("markov", _markov, MarkovConfig, chain, replace(GRADED, expected_failures=CHAIN))


def _online() -> Iterable[ModelComponent[Any]]:
    taught = "that goes on learning: from units without an alarm, and from false alarms"
    events, grams = replace(BINARY, online_of="new-event"), replace(STIDE, online_of="n-gram")
    chain = replace(GRADED, expected_failures=CHAIN, online_of="markov")
    yield ModelComponent("new-event-online", _online_new_event, summary=f"new-event {taught}", traits=events)
    yield ModelComponent("n-gram-online", _online_ngram, NGramConfig, f"n-gram {taught}", grams)
    yield ModelComponent("markov-online", _online_markov, MarkovConfig, f"markov {taught}", chain)


def _fixed(n: int) -> Callable[[], NGram]:
    return lambda: _ngram(NGramConfig(n=n, measure="first"))


def _trivial() -> Iterable[ModelComponent[Any]]:
    every, nothing = "every unit alarms: what prevalence alone gives", "no unit alarms"
    yield ModelComponent("predict-all", _constant(float("inf")), summary=every, traits=BLIND)
    yield ModelComponent("predict-none", _constant(float("-inf")), summary=nothing, traits=BLIND)
    yield ModelComponent("random", _random, summary="a uniform score from the seed", traits=DRAWN)
