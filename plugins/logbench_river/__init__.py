"""Anomaly detectors of `river`, which learn one unit after another: for streams, and runs in slices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from logbench import ModelComponent, ModelTraits, hookimpl, option

if TYPE_CHECKING:
    from .detector import RiverDetector

Learn = Literal["all", "quiet"]


@dataclass(frozen=True)
class _LearnConfig:
    """What teaches a detector while a stream is scored."""

    learn: Learn = option("all", "units of a stream that it learns from: all, or those without an alarm (quiet)")


@dataclass(frozen=True)
class TreesConfig(_LearnConfig):
    """Options of `river-hst`; the defaults are river's."""

    trees: int = option(10, "trees", ge=1)
    height: int = option(8, "height of each tree", ge=1, le=20)
    window: int = option(250, "units by which the mass of leaves is counted anew; no more than train", ge=1)


@dataclass(frozen=True)
class LodaConfig(_LearnConfig):
    """Options of `river-loda`; the defaults are river's."""

    bins: int = option(10, "most bins of each histogram", ge=1)
    cuts: int = option(100, "random projections", ge=1)


def _trees(config: TreesConfig) -> RiverDetector:
    from .detector import RiverDetector

    def build(seed: int, units: int) -> Any:
        from river.anomaly import HalfSpaceTrees

        window = max(1, min(config.window, units))  # before the first window is full every score is 0
        return HalfSpaceTrees(config.trees, config.height, window, seed=seed)

    return RiverDetector(build, config.learn)


def _loda(config: LodaConfig) -> RiverDetector:
    from .detector import RiverDetector

    def build(seed: int, units: int) -> Any:
        from river.anomaly import LODA

        return LODA(config.bins, config.cuts, seed=seed)

    return RiverDetector(build, config.learn)


TRAITS = ModelTraits(supervision="unsupervised", keys_only=True, heavy=True)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Any]]:
    """Offer the detectors; each scores the shares of keys in a unit."""
    cards = Path(__file__).with_name("cards")
    yield ModelComponent(
        "river-hst",
        _trees,
        TreesConfig,
        "half-space trees on shares of keys, learning online (Tan, Ting & Liu, IJCAI 2011)",
        TRAITS,
        requires=("river",),
        card=cards / "river-hst.toml",
    )
    yield ModelComponent(
        "river-loda",
        _loda,
        LodaConfig,
        "histograms of random projections of shares of keys, learning online (Pevný, Machine Learning 2016)",
        TRAITS,
        requires=("river",),
        card=cards / "river-loda.toml",
    )
