"""Classic models on event counts, from PCA to supervised classifiers; from scikit-learn if possible.

One file a method. Each distinct count vector is scored once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from logbench import ModelComponent, ModelTraits, Preset, hookimpl

from . import options
from .presets import loglizer

if TYPE_CHECKING:
    from logbench import Model

CARDS = Path(__file__).with_name("cards")
Supervision = Literal["unsupervised", "semi-supervised", "supervised"]


def _later(module: str, name: str) -> Callable[[Any], Model]:
    """Builds `module.name` from its configuration; imports it only then."""

    def build(config: Any) -> Model:
        model: Model = getattr(importlib.import_module(f".{module}", __name__), name)(config)
        return model

    return build


# What papers and toolkits call them.
ALIASES = {
    "invariants": ("invariants-mining",),
    "log-clustering": ("logcluster",),
    "isolation-forest": ("iforest",),
    "one-class-svm": ("ocsvm",),
    "lof": ("local-outlier-factor",),
    "linear-svm": ("svm",),
    "knn": ("k-nearest-neighbours",),
}


def _offer(
    name: str,
    config: type,
    summary: str,
    fixed: float,
    supervision: Supervision = "unsupervised",
    stochastic: bool = True,
    baseline: bool = False,
    expected_failures: Mapping[str, str] | None = None,
) -> ModelComponent[Model]:
    """Offer a model; its class has the name of its configuration, its module the name of the model.

    A model is stochastic if it draws training vectors, cuts, or the solver's order by the seed.
    """
    traits = ModelTraits(
        supervision=supervision,
        scores_without_unseen=True,
        fixed_threshold=fixed,
        keys_only=True,
        stochastic=stochastic,
        baseline=baseline,
        expected_failures=expected_failures or {},
    )
    build = _later(name.replace("-", "_"), config.__name__)
    also = ALIASES.get(name, ())
    return ModelComponent(name, build, config, summary, traits, aliases=also, card=CARDS / f"{name}.toml")


def _supervised(
    name: str, config: type, summary: str, fixed: float, stochastic: bool = True, baseline: bool = False
) -> ModelComponent[Model]:
    return _offer(name, config, f"supervised: {summary}", fixed, "supervised", stochastic, baseline)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Model]]:
    """Offer six unsupervised and six supervised models."""
    off, broken = "counts off the principal components", "broken relations between counts"
    yield _offer("pca", options.Pca, f"{off} (Xu et al., SOSP 2009)", 1.0, stochastic=False)
    yield _offer("invariants", options.Invariants, f"{broken} (Lou et al., ATC 2010)", 1e-6, stochastic=False)
    yield _offer(
        "log-clustering",
        options.LogClustering,
        "cosine distance to the nearest cluster (Lin et al., ICSE 2016)",
        0.3,
        "semi-supervised",
        stochastic=False,
    )
    yield _offer(
        "isolation-forest", options.IsolationForest, "random cuts that isolate (Liu et al., ICDM 2008)", 0.0
    )
    drawn = {"seed-matters": "training vectors are drawn by the seed where there are more than max_train"}
    yield _offer(
        "one-class-svm",
        options.OneClassSvm,
        "outside the common region (Schölkopf et al., 2001)",
        0.0,
        expected_failures=drawn,
    )
    density = "local outlier factor (Breunig et al., SIGMOD 2000)"
    yield _offer("lof", options.Lof, density, 0.0, expected_failures=drawn)
    yield _supervised(
        "logistic-regression",
        options.LogisticRegression,
        "logistic regression (Bodik et al., EuroSys 2010)",
        0.5,
        stochastic=False,
    )
    yield _supervised("decision-tree", options.DecisionTree, "one tree (Chen et al., ICAC 2004)", 0.5)
    yield _supervised("linear-svm", options.LinearSvm, "L1 hinge (Liang et al., ICDM 2007)", 0.0)
    yield _supervised("random-forest", options.RandomForest, "trees on bootstraps (Breiman, 2001)", 0.5)
    yield ModelComponent(
        "log-clustering-labelled",
        _later("log_clustering", "LogClusteringLabelled"),
        options.LogClustering,
        "supervised: log clustering of the normal half, as loglizer runs it",
        ModelTraits(
            supervision="supervised",
            scores_without_unseen=True,
            fixed_threshold=0.3,
            keys_only=True,
            stochastic=False,
        ),
        card=CARDS / "log-clustering-labelled.toml",
    )
    nearest = "nearest neighbours (Yu et al., ICSE 2024)"
    yield _supervised("knn", options.Knn, nearest, 0.5, stochastic=False, baseline=True)


@hookimpl
def logbench_presets() -> Iterable[Preset]:
    """Offer loglizer's set-up for each content of the training set."""
    yield from loglizer()
