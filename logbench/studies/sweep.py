"""F1 against a choice: one run for each choice that trains or scores anew, the others decided from its scores."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

import polars as pl

from ..api.plan import Plan
from ..api.protocol import SIZES, EvaluationProtocol, late_fields
from ..base.errors import ConfigError, IncompatibleError
from ..base.options import fields_of, suggest
from ..base.progress_bars import Bars
from ..components.configured import configured
from ..components.registry import Registry
from ..evaluation.metrics import ways
from ..evaluation.thresholds import ThresholdTraits, check_value
from ..running import identity, records
from ..running.resolve import ResolvedPlan, resolve
from ..running.workers import DoesTasks
from .comparable_rows import TESTS, THRESHOLD, differences, likeness
from .leaderboard import Leaderboard
from .protocol_grid import evaluate_under
from .rescore import is_weighted, undecided
from .single_run import command_of

NUMBER = r"(?:\d+\.?\d*|\.\d+)"
SPAN = re.compile(rf"(-?{NUMBER}):(-?{NUMBER})(?::({NUMBER}))?")
# Where another choice begins.
NEXT = re.compile(r",\s*(?=[\w.-]+\s*=)")
# Values of one choice.
MOST = 10_000
# Thresholds shown beside those that were asked for, and how the protocol names them.
PICKS = {"label-free": "validation", "oracle": "oracle"}


@dataclass(frozen=True)
class Choice:
    """One option and the values it takes.

    Attributes:
        name: as typed. component, key: as in `--set component.key=value`; `seed` has no component.
        late: it acts after scoring, so that all its values share one run.
    """

    name: str
    component: str
    key: str
    values: tuple[str, ...]
    late: bool


def choices(texts: Sequence[str], resolved: ResolvedPlan) -> list[Choice]:
    """What `--over` means for a model: `g=1:15`, `protocol.alpha=0.01,0.05`, `g=1:15,passes=20,60`, `seed=0:4`.

    Raises:
        ConfigError: not of this form, or no such option.
    """
    found = [_choice(part, resolved) for text in texts for part in NEXT.split(text)]
    if twice := next((c.name for c in found if [o.name for o in found].count(c.name) > 1), None):
        raise ConfigError(f"--over {twice} is given twice")
    return found


def _choice(text: str, resolved: ResolvedPlan) -> Choice:
    name, equals, values = text.partition("=")
    name = name.strip()
    listed = tuple(itertools.islice(_values(values), MOST + 1))
    if len(listed) > MOST:
        raise ConfigError(f"--over {text}: more than {MOST:,} values")
    if not (name and equals and listed):
        raise ConfigError(f"--over {text}: expected KEY=VALUES, such as g=1:15 or passes=20,60")
    component, _, key = name.rpartition(".")
    options, protocol = fields_of(resolved.model.entry.item.config), fields_of(EvaluationProtocol)
    if not component and key != "seed":
        component = "model" if key in options else "protocol"
        if key not in options and key not in protocol:
            known = {*options, *protocol, "seed"}
            raise ConfigError(
                f"--over {name}: neither {resolved.model.name} nor the protocol has it{suggest(key, known)}"
            )
    if not component and (wrong := next((value for value in listed if not value.isdecimal()), None)):
        raise ConfigError(f"--over {text}: a seed is a whole number from 0, not {wrong}")
    own = component in ("model", resolved.model.name) and key in options
    if (component, key) == ("protocol", "value") and resolved.is_rule:
        raise ConfigError(
            f"--over {text}: {resolved.model.name} only says yes or no, so it has no threshold to set"
        )
    late = (component == "protocol" and key in late_fields(resolved.uses_alpha)) or (
        own and bool(options[key].metadata.get("late"))
    )
    return Choice(name, component, key, listed, late)


def _values(text: str) -> Iterator[str]:
    for part in text.split(","):
        if span := SPAN.fullmatch(part.strip()):
            first, last, step = (Decimal(number or 1) for number in span.groups())
            while step and first <= last:
                yield str(first)
                first += step
        elif part.strip():
            yield part.strip()


def sweep(
    plan: Plan, over: Sequence[str], registry: Registry, bars: Bars, crew: DoesTasks, *, resume: bool
) -> Iterator[dict[str, Any]]:
    """One row a combination of values, and beside each run the label-free and the best threshold on test.

    Args:
        crew: does the runs.
        resume: take over runs that `plan.out` has already.

    Yields:
        `model`, `dataset`, `run` (its id), `early` and `late` (option → value), `pick` (`label-free`, `oracle` or
        empty: as asked), `threshold`, `metrics`, `trivial`, `difference` to the rule, `training`,
        `split`, `protocol` and `directions` (of the metrics, by name) of the run; `command`, which gives this row
        alone; `unlike`, in what it cannot be compared with the first row (`tests`: it tests other units;
        `threshold`: its threshold is of other held-out units, or another limit of short ones, than that of the
        first row of its pick); or `skipped`. Values that make the same run twice run once: a deterministic model
        under another seed, or fields of the protocol that nothing reads beside the others.

        Where `train_units` or `train_ratio` are swept, all values test what the largest one leaves
        (`protocol.test_reserve`), unless it is set.

    Raises:
        ConfigError: an unknown option or value. DataError: the data are not there.
    """
    chosen = choices(over, resolve(_without_protocol(plan), registry))
    early, late = ([c for c in chosen if c.late == kind] for kind in (False, True))
    every = [dict(zip((c.name for c in early), values, strict=True)) for values in _product(early)]
    plans = [_with(plan, early, values) for values in every]
    plans = [_reserving(one, early, registry) for one in plans]
    jobs = [resolve(one, registry) for one in plans]
    lates = [dict(zip((c.name for c in late), values, strict=True)) for values in _product(late)]
    deciders = [
        [_decider(one, late, values) for values in lates] for one in jobs
    ]  # says what is wrong before it runs
    runs = [_scoring_all(plan, resolved, late) for plan, resolved in zip(plans, jobs, strict=True)]
    twins = _twins(jobs)
    single = sorted(set(twins))
    board = Leaderboard([runs[at] for at in single], registry, bars, crew, resume=resume)
    done = {single[at]: record for at, record in board.results()}
    first: dict[str, Any] = {}
    firsts: dict[str, dict[str, Any]] = {}
    for at, (values, one) in enumerate(zip(every, jobs, strict=True)):
        run = done[twins[at]]["run_id"]
        row = {"model": one.model.name, "dataset": one.dataset.name, "run": run, "early": values}
        if at not in done:
            yield {**row, "late": {}, "pick": "", "skipped": _same_as(every[twins[at]])}
            continue
        if done[at]["status"] != "ok":
            yield {**row, "late": {}, "pick": "", "skipped": done[at]["error"]["message"]}
            continue
        row |= {name: done[at][name] for name in ("training", "split", "protocol")}
        row["directions"] = ways(done[at])
        stored, weighted = records.scores(done[at], plan.out), is_weighted(done[at])
        picks: list[tuple[Mapping[str, str], str, tuple[EvaluationProtocol, ThresholdTraits]]]
        picks = [({}, pick, _picked(one, threshold)) for pick, threshold in PICKS.items()]
        asked = [(kept, "", decider) for kept, decider in zip(lates, deciders[at], strict=True)]
        for kept, pick, (protocol, own) in [*asked, *picks]:
            made = {**row, "late": kept, "pick": pick, **decided(one, stored, protocol, own, weighted)}
            if "skipped" not in made:
                facts = likeness(done[at], {**made, "decided": protocol.as_dict()})
                first = first or facts
                before = {TESTS: first[TESTS], THRESHOLD: firsts.setdefault(pick, facts)[THRESHOLD]}
                more = {"protocol": {"threshold": PICKS[pick], "value": None}} if pick else _late(late, kept, one)
                made |= {"command": command_of(one, more), "unlike": differences(before, facts)}
            yield made


def _product(found: Sequence[Choice]) -> Iterator[tuple[str, ...]]:
    return itertools.product(*(choice.values for choice in found))


def _with(plan: Plan, early: Sequence[Choice], values: Mapping[str, str]) -> Plan:
    settings = {name: dict(table) for name, table in plan.settings.items()}
    for choice in early:
        if choice.component:
            settings.setdefault(choice.component, {})[choice.key] = values[choice.name]
    seed = next((int(values[c.name]) for c in early if not c.component), plan.seed)
    return replace(plan, settings=settings, seed=seed)


def _twins(jobs: Sequence[ResolvedPlan]) -> list[int]:
    """For each job the first that is the same run, so that nothing trains twice or looks like more evidence."""
    first: dict[str, int] = {}
    return [first.setdefault(_acting(resolved), at) for at, resolved in enumerate(jobs)]


def _acting(resolved: ResolvedPlan) -> str:
    """A name of what acts in a run: without the seed of a deterministic model, or fields that nothing reads."""
    unread: dict[str, Any] = {} if resolved.protocol.label_noise else {"label_noise_kind": "symmetric"}
    unread |= dict.fromkeys({"train_units", "train_ratio"} - {SIZES[resolved.protocol.train]}, 1)
    facts = {**resolved.protocol.as_dict(), "hash": None, **unread}
    parts = {kind: getattr(resolved, kind) for kind in ("dataset", "parser", "windower", "model")}
    parts |= {f"evaluator {part.name}": part for part in resolved.evaluators}
    seed = resolved.plan.seed if resolved.model.entry.item.traits.stochastic else None
    return identity.of(parts, protocol=facts, seed=seed, totals=asdict(resolved.totals)).text


def _same_as(values: Mapping[str, str]) -> str:
    told = ", ".join(f"{name}={value}" for name, value in values.items())
    return f"the same run as {told}, so it runs once: nothing that differs acts on this model under this protocol"


def _without_protocol(plan: Plan) -> Plan:
    """The same by the customary protocol: settings may make sense together with what is swept alone."""
    settings, config = (
        {name: table for name, table in layer.items() if name != "protocol"}
        for layer in (plan.settings, plan.config)
    )
    return replace(plan, settings=settings, config=config)


def _reserving(plan: Plan, early: Sequence[Choice], registry: Registry) -> Plan:
    """The plan with the test set that the largest training share of the sweep leaves, where this one varies."""
    if any("test_reserve" in layer.get("protocol", {}) for layer in (plan.settings, plan.config)):
        return plan
    size = SIZES[resolve(plan, registry).protocol.train]
    swept = next((c.values for c in early if c.component == "protocol" and c.key == size), ())
    if len(swept) < 2:
        return plan
    settings = {**plan.settings, "protocol": {**plan.settings["protocol"], "test_reserve": max(swept, key=float)}}
    return replace(plan, settings=settings)


def _scoring_all(plan: Plan, resolved: ResolvedPlan, late: Sequence[Choice]) -> Plan:
    """The plan under the smallest limit of short units among its own and those swept, so that each unit is scored.

    A limit below what the model needs sets none: its rows are skipped.
    """
    needed = resolved.model.min_events
    swept = next((c.values for c in late if (c.component, c.key) == ("protocol", "min_events")), ())
    asked = [
        resolved.protocol,
        *(EvaluationProtocol.of(resolved.protocol.as_dict(), min_events=value) for value in swept),
    ]
    served = [one.min_events for one in asked if one.min_events == 0 or one.min_events >= needed]
    if not (swept and served):
        return plan
    least = min(served, key=lambda limit: limit or needed)
    table = {**plan.settings.get("protocol", {}), "min_events": least}
    return replace(plan, settings={**plan.settings, "protocol": table})


def _late(late: Sequence[Choice], values: Mapping[str, str], resolved: ResolvedPlan) -> dict[str, dict[str, Any]]:
    """Settings by component that say what `_decider` does."""
    more: dict[str, dict[str, Any]] = {}
    for choice in late:
        more.setdefault(choice.component, {})[choice.key] = values[choice.name]
    protocol = more.get("protocol", {})
    if set(more) - {"protocol"} or "value" in protocol:
        more["protocol"] = {"threshold": "fixed", "value": None, **protocol}
    return more


def _picked(resolved: ResolvedPlan, threshold: str) -> tuple[EvaluationProtocol, ThresholdTraits]:
    return replace(resolved.protocol, threshold=threshold, value=None), resolved.model.own  # type: ignore[arg-type]


def _decider(
    resolved: ResolvedPlan, late: Sequence[Choice], values: Mapping[str, str]
) -> tuple[EvaluationProtocol, ThresholdTraits]:
    """The protocol and the model's own threshold under these values, fixed where they are of the threshold."""
    protocol: dict[str, Any] = {c.key: values[c.name] for c in late if c.component == "protocol"}
    own = {c.key: values[c.name] for c in late if c.component != "protocol"}
    if own or "value" in protocol:
        protocol = {"threshold": "fixed", "value": None, **protocol}
    made = EvaluationProtocol.of(resolved.protocol.as_dict(), **protocol)
    if "value" in protocol:
        check_value(made, [(resolved.model.name, resolved.is_rule)])
    part = configured(resolved.model.entry, {**resolved.model.as_dict(), **own})
    return made, part.own


def decided(
    resolved: ResolvedPlan,
    stored: pl.DataFrame,
    protocol: EvaluationProtocol,
    own: ThresholdTraits,
    weighted: bool,
) -> dict[str, Any]:
    """What stored scores say under another protocol: see `sweep`."""
    try:
        scored = undecided(stored, protocol.short_limit(resolved.model.min_events, resolved.model.name))
    except (ConfigError, IncompatibleError) as error:
        return {"skipped": str(error)}
    return evaluate_under(resolved, scored, protocol, own, weighted)
