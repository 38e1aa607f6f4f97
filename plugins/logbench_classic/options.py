"""Options of the models: defaults are loglizer's where it states them, else the estimator's own.

But for tolerances of solvers: those of loglizer are larger than the differences that verdicts hang on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option

Weighting = Literal["counts", "tf-idf"]

_WEIGHTING = "counts, or counts times ln(training units / units with the event)"
_COLUMNS = "most columns of known events; of more events those that fewest training units have share one"
# BGL has fewer templates. Time and memory of dense tables grow with the columns, that of PCA with their cube.
MOST = 2_000
_UNSEEN = "count events unseen in training in one column of their own; loglizer drops them"


@dataclass(frozen=True)
class _Classes:
    """What the classes count as, for classifiers of scikit-learn."""

    balanced: bool = option(False, "both classes count alike in training, however many units each has")
    anomaly_weight: float | None = option(
        None, "what an anomaly counts as in training, a normal unit as 1; none: 1, or as balanced says", gt=0
    )
    oversample: float | None = option(
        None, "share of the rarer class after its training units are repeated; none: as they are", gt=0, le=0.5
    )


@dataclass(frozen=True)
class Pca:
    """He et al., ISSRE 2016; loglizer, `PCA`."""

    weighting: Weighting = option("tf-idf", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    variance: float = option(0.95, "share of the variance that the normal space covers", gt=0, le=1)
    c_alpha: float = option(3.2905, "normal deviate of the Q-statistic, 3.2905 for alpha 0.001", gt=0)
    q: float | None = option(None, "squared prediction error that alarms; none: the Q-statistic", gt=0)


@dataclass(frozen=True)
class Invariants:
    """Lou et al., USENIX ATC 2010; loglizer, `InvariantsMiner`."""

    weighting: Weighting = option("counts", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    support: float = option(0.98, "share of the training units that an invariant must hold in", gt=0, le=1)
    epsilon: float = option(0.5, "a unit is in the invariant space if its projection is below this value", gt=0)
    longest: int = option(0, "most events of an invariant; 0: no limit", ge=0)
    scales: tuple[int, ...] = option((1, 2, 3), "values to try for the smallest coefficient")
    max_candidates: int = option(
        100_000, "most sets of events to test at one length; the search stops beyond", ge=1, tune=False
    )


@dataclass(frozen=True)
class LogClustering:
    """Lin et al., ICSE 2016; loglizer, `LogClustering` in mode online."""

    weighting: Weighting = option("tf-idf", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    max_dist: float = option(0.3, "cosine distance within a cluster", gt=0, le=1)
    bootstrap: int = option(1000, "number of first training units to cluster at once", ge=2)
    max_clusters: int = option(
        2_000, "clusters from which on later training units found no more", ge=1, tune=False
    )


@dataclass(frozen=True)
class IsolationForest:
    """Liu et al., ICDM 2008; loglizer's parameters."""

    weighting: Weighting = option("counts", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    trees: int = option(100, "trees", ge=1)
    max_samples: float = option(0.9999, "share of the training units that each tree sees", gt=0, le=1)
    contamination: float = option(
        0.03, "share of the training units that lies above the own threshold", gt=0, le=0.5
    )


@dataclass(frozen=True)
class OneClassSvm:
    """Schölkopf et al., Neural Computation 2001; loglizer publishes no parameters."""

    weighting: Weighting = option("counts", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    kernel: Literal["rbf", "linear", "sigmoid"] = option("rbf", "kernel")
    nu: float = option(0.03, "upper bound on the share of training units outside", gt=0, le=1)
    gamma: float = option(0.0, "width of the kernel; 0: 1 / (columns × variance)", ge=0)
    max_train: int = option(10_000, "most distinct count vectors to train on, drawn by the seed", ge=1, tune=False)


@dataclass(frozen=True)
class Lof:
    """Breunig et al., SIGMOD 2000; loglizer publishes no parameters."""

    weighting: Weighting = option("counts", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    neighbours: int = option(20, "neighbours", ge=1)
    duplicates: bool = option(False, "also train on equal count vectors, whose density is infinite")
    max_train: int = option(10_000, "most count vectors to train on, drawn by the seed", ge=2, tune=False)


@dataclass(frozen=True)
class LogisticRegression(_Classes):
    """Bodik et al., EuroSys 2010; loglizer's parameters."""

    weighting: Weighting = option("tf-idf", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    c: float = option(100.0, "inverse strength of the L2 penalty", gt=0)
    tol: float = option(1e-8, "tolerance of the solver; loglizer's 0.01 leaves verdicts open", gt=0)
    max_iter: int = option(1000, "most iterations of the solver", ge=1, tune=False)


@dataclass(frozen=True)
class LinearSvm(_Classes):
    """Liang et al., ICDM 2007; loglizer's parameters."""

    weighting: Weighting = option("tf-idf", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    penalty: Literal["l1", "l2"] = option("l1", "penalty")
    c: float = option(1.0, "inverse strength of the penalty", gt=0)
    tol: float = option(1e-6, "tolerance of the solver; loglizer's 0.1 leaves verdicts to the seed", gt=0)
    max_iter: int = option(1_000_000, "most iterations of the solver", ge=1, tune=False)
    max_entries: int = option(
        3_000_000_000, "most counts that iterations under the l1 penalty go over in all", ge=1, tune=False
    )


@dataclass(frozen=True)
class DecisionTree(_Classes):
    """Chen et al., ICAC 2004; loglizer's parameters."""

    weighting: Weighting = option("tf-idf", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    depth: int = option(0, "depth at most; 0: no limit", ge=0)
    max_train: int = option(
        20_000, "most distinct count vectors with a label that train, drawn by the seed", ge=2, tune=False
    )


@dataclass(frozen=True)
class RandomForest(_Classes):
    """Breiman, Machine Learning 2001; scikit-learn's parameters."""

    weighting: Weighting = option("tf-idf", _WEIGHTING)
    unseen_column: bool = option(False, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    trees: int = option(100, "trees", ge=1)
    depth: int = option(0, "depth at most; 0: no limit", ge=0)
    max_draws: int = option(20_000, "most training units that each tree draws", ge=1, tune=False)


@dataclass(frozen=True)
class Knn:
    """Yu et al. (LightAD), ICSE 2024."""

    weighting: Weighting = option("counts", _WEIGHTING)
    unseen_column: bool = option(True, _UNSEEN)
    max_columns: int = option(MOST, _COLUMNS, ge=2, tune=False)
    k: int = option(1, "number of nearest training units that vote", ge=1)
    max_train: int = option(
        10_000, "most distinct count vectors to compare with, drawn by the seed", ge=1, tune=False
    )
