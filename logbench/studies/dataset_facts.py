"""What a data set holds, read as a run would read it: counts, lengths, unseen keys and drift by split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import polars as pl
from scipy.spatial.distance import jensenshannon

from ..api.plan import Plan
from ..api.protocol import Train
from ..base.errors import DataError, IncompatibleError
from ..base.progress_bars import Bars
from ..components.registry import Registry
from ..data.per_unit import count_matrix
from ..data.sessions import Sessions
from ..evaluation.f1_upper_bound import upper_bound
from ..pipeline.split import ANOMALY, NORMAL, UNKNOWN
from ..running.explain import templates_frame
from ..running.judgement import judgement
from ..running.prepare import prepare
from ..running.prepared import Prepared
from ..running.resolve import ResolvedPlan, resolve
from ..running.runtime import Runtime
from ..running.stages import Stages

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERMUTATIONS = 99
# Templates that are named.
FREQUENT = 10
CLASSES = {"normal": NORMAL, "anomaly": ANOMALY, "unlabelled": UNKNOWN}
QUANTILES = {"min": 0.0, "q1": 0.25, "median": 0.5, "q3": 0.75, "max": 1.0}


def describe(dataset: str, registry: Registry, bars: Bars, **options: Any) -> dict[str, Any]:
    """Realised facts of a data set, by its customary parser, windower and protocol unless `options` say otherwise.

    Args:
        options: fields of `Plan`.

    Returns:
        `facts` of reading, `unit`, `units`, `labels` (by class), `line_labels` (the same of lines, or None),
        `prevalence`, `parser`, `windower`, `keys` (known from training), `templates` (the most frequent ones, by
        events of all units), `judgement` (sentences on the keys), `distinct` key sequences, `bound` (see
        `f1_upper_bound.F1Bound`), `lengths` (class → quantiles) and `splits`: kind of
        training → `split_facts`, or `skipped` with the reason.

    Raises:
        DataError, IncompatibleError: no split serves; the reason of the customary one.
    """
    plan = Plan(model=_any_model(registry), dataset=dataset, **options)
    resolved, runtime = resolve(plan, registry), Runtime.here(registry, bars)
    splits: dict[str, Any] = {}
    chosen: Prepared | None = None
    refused: DataError | IncompatibleError | None = None
    for kind in (resolved.protocol.train, *(kind for kind in get_args(Train) if kind != resolved.protocol.train)):
        plain = replace(resolved.protocol, train=kind, content="normal", test_reserve=None,
                        label_noise=0.0, label_budget=None, threshold="validation", unstable="none")  # fmt: skip
        other = replace(resolved, protocol=plain)
        try:
            prepared = prepare(other, runtime, Stages(runtime), bars.note)
        except (DataError, IncompatibleError) as error:
            refused = refused or error
            splits[kind] = {"skipped": str(error)}
            continue
        chosen = chosen or prepared
        splits[kind] = split_facts(prepared, resolved.protocol.split_seed)
    if chosen is None:
        raise refused or AssertionError("there are kinds of splits")
    return {**_counts(resolved, chosen), "splits": splits}


def _any_model(registry: Registry) -> str:
    """A model that asks nothing of the data: none will be built."""
    models = registry.components["model"].items()
    found = next((name for name, entry in models if not entry.item.traits.needs), None)
    if found is None:
        raise IncompatibleError("no model is installed")
    return found


def _counts(resolved: ResolvedPlan, prepared: Prepared) -> dict[str, Any]:
    sessions, labels = prepared.sessions, prepared.grouped.units["label"].to_numpy()
    by_class = {name: int((labels == label).sum()) for name, label in CLASSES.items()}
    known = by_class["normal"] + by_class["anomaly"]
    return {
        "facts": dict(prepared.grouped.facts),
        "unit": resolved.unit,
        "units": len(sessions),
        "labels": by_class,
        "line_labels": _line_labels(prepared),
        "prevalence": by_class["anomaly"] / known if known else None,
        "parser": resolved.parser.name,
        "windower": resolved.windower.name,
        "keys": prepared.vocabulary.size,
        "templates": _frequent(prepared),
        "distinct": len(sessions.distinct),
        "bound": _bound(prepared, np.arange(len(sessions))),
        "judgement": judgement(resolved, prepared),
        "lengths": {name: _quantiles(sessions.lengths[labels == label]) for name, label in CLASSES.items()},
    }


def _frequent(prepared: Prepared) -> list[dict[str, Any]]:
    """The most frequent templates, `events` of each, and whether training knows it (`known`)."""
    events = np.bincount(prepared.sessions.keys)
    top = np.argsort(-events, kind="stable")[:FREQUENT]
    templates = templates_frame(prepared.grouped, prepared.vocabulary).unique("key")
    rows = pl.DataFrame({"key": top.astype(np.int32), "events": events[top]})
    return rows.join(templates, on="key", how="left", maintain_order="left").drop("key").to_dicts()


def _line_labels(prepared: Prepared) -> dict[str, int] | None:
    """Lines of units by class, each once; None where they carry no labels."""
    grouped = prepared.grouped
    if grouped.line_labels is None:
        return None
    label = np.full(int(grouped.lines.max()) + 1, -2, dtype=np.int8)
    label[grouped.lines] = grouped.line_labels
    return {name: int((label == value).sum()) for name, value in CLASSES.items()}


def _quantiles(lengths: NDArray[np.int64]) -> dict[str, float] | None:
    if not len(lengths):
        return None
    return dict(zip(QUANTILES, np.quantile(lengths, list(QUANTILES.values())).tolist(), strict=True))


def split_facts(prepared: Prepared, seed: int) -> dict[str, Any]:
    """What one split does.

    Returns:
        `train` (with the held-out units), `test`, `straddling`, `shared_lines`; test units of each class
        (`tested`) and those with an unseen key (`unseen`); `drift` of presumed normal units, see there; `bound` of
        the test units.
    """
    split, sessions, labels = prepared.split, prepared.sessions, prepared.grouped.units["label"].to_numpy()
    train = np.concatenate([split.train, split.held_out])
    tested = {name: split.test[labels[split.test] == label] for name, label in CLASSES.items()}
    normal = [units[labels[units] != ANOMALY] for units in (train, split.test)]
    return {
        "train": len(train),
        "test": len(split.test),
        "straddling": split.straddling,
        "shared_lines": prepared.audit["shared_lines"],
        "tested": {name: len(units) for name, units in tested.items()},
        "unseen": {name: int((sessions.unseen[units] > 0).sum()) for name, units in tested.items()},
        "drift": drift(sessions, normal, seed),
        "bound": _bound(prepared, split.test),
    }


def _bound(prepared: Prepared, units: NDArray[np.int64]) -> dict[str, Any]:
    labels, sessions = prepared.grouped.units["label"].to_numpy(), prepared.sessions
    return asdict(upper_bound(labels[units], sessions.distinct.inverse[units], sessions.weights[units]))


def drift(sessions: Sessions, sides: Sequence[NDArray[np.int64]], seed: int) -> dict[str, float] | None:
    """How far the key distributions of two sets of units lie apart, and how far they would by chance.

    Args:
        sides: unit indices of the two, int64 each.

    Returns:
        `divergence`: Jensen–Shannon divergence in bits (0: equal shares of each key, 1: no key in common; Lin,
        IEEE Trans. Inf. Theory 1991). `chance`: the 95th percentile of it over random partitions of the same
        units into sets of the same sizes. `p`: share of partitions, the real one among them, that lie at least as
        far apart. None where one side has no event.
    """
    sides = [units[sessions.lengths[units] > 0] for units in sides]
    if not all(map(len, sides)):
        return None
    units = sessions.take(np.concatenate(sides))
    width = int(units.keys.max(initial=0)) + 1
    counts = count_matrix(units.keys, units.offsets, width)
    total = counts.sum(axis=0)
    first = np.zeros(len(units))
    first[: len(sides[0])] = 1.0
    rng = np.random.default_rng([seed, 3])

    def apart(mask: NDArray[np.float64]) -> float:
        here = mask @ counts
        return float(jensenshannon(here, total - here, base=2) ** 2)

    real = apart(first)
    others = [apart(rng.permutation(first)) for _ in range(PERMUTATIONS)]
    further = sum(other >= real - 1e-12 for other in others)
    return {
        "divergence": real,
        "chance": float(np.quantile(others, 0.95)),
        "p": (1 + further) / (1 + PERMUTATIONS),
    }
