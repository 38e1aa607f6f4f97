"""Models compared over several data sets: mean ranks, whether any differ, and which are not told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.jsonable import several
from ..evaluation.metrics import direction, figure
from .compare import incompatibilities
from .many_models import Friedman, against_best, brackets, critical_difference, friedman, holm, ranks

LEVEL = 0.05


@dataclass(frozen=True)
class Across:
    """Models, the best mean rank first.

    Attributes:
        values: metric by model and data set, means over seeds and splits. ranks: mean rank of each model.
        p_holm: that a model is as good as the best, corrected; 1 for the best.
        critical: difference of mean ranks that tells two models apart (Nemenyi).
        tied: sets of models that are not told apart; all of them where Friedman's test finds no difference.
        left_out: models that did not run on every data set.
    """

    models: tuple[str, ...]
    datasets: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    ranks: tuple[float, ...]
    p_holm: tuple[float, ...]
    friedman: Friedman
    critical: float
    tied: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]


def across(records: Sequence[Record], metric: str) -> Across:
    """Compare models over data sets, each of which is one observation (Demšar, JMLR 7, 2006).

    Raises:
        DataError: fewer than two models or data sets, or runs of one data set and split that are not comparable.
        ConfigError: a run has no such metric, or the metric has no direction.
    """
    found: dict[str, dict[str, list[float]]] = {}
    first: dict[tuple[str, int], Record] = {}
    for record in records:
        name = record["dataset"]["name"]
        other = first.setdefault((name, record["protocol"]["split_seed"]), record)
        if why := incompatibilities(other, record):
            raise DataError(f"{other['run_id']} and {record['run_id']} are not comparable: {'; '.join(why)}")
        if (value := figure(record, metric)) is not None:
            found.setdefault(name, {}).setdefault(record["model"], []).append(value)
    models = list(dict.fromkeys(record["model"] for record in records))
    everywhere = [model for model in models if all(model in of for of in found.values())]
    if len(found) < 2 or len(everywhere) < 2:
        raise DataError(
            f"{several(len(everywhere), 'model')} ran on each of {several(len(found), 'data set')}; "
            "a comparison over data sets takes two of both"
        )
    ways = {direction(record, metric) for record in records}
    table = np.array([[fmean(of[model]) for model in everywhere] for of in found.values()])
    ranked = ranks(table, higher_is_better=ways == {"higher"})
    return _sorted(everywhere, tuple(found), table, ranked, tuple(sorted(set(models) - set(everywhere))))


def _sorted(
    models: Sequence[str], datasets: tuple[str, ...], table: Any, ranked: Any, left_out: tuple[str, ...]
) -> Across:
    order = [int(at) for at in np.argsort(ranked.mean(axis=0), kind="stable")]
    names = tuple(models[at] for at in order)
    means = [float(value) for value in ranked.mean(axis=0)[order]]
    test, critical = friedman(ranked), critical_difference(len(models), len(datasets))
    near = brackets(means, critical) if test.p <= LEVEL else [tuple(range(len(names)))]
    return Across(
        models=names,
        datasets=datasets,
        values=tuple(tuple(float(value) for value in table[:, at]) for at in order),
        ranks=tuple(means),
        p_holm=(1.0, *holm([float(p) for p in against_best(ranked)[order][1:]])),
        friedman=test,
        critical=critical,
        tied=tuple(tuple(names[at] for at in group) for group in near),
        left_out=left_out,
    )
