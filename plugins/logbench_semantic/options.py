"""The options of the models here."""

from __future__ import annotations

from dataclasses import dataclass

from logbench import option


@dataclass(frozen=True)
class SemPcaConfig:
    """Options of `sempca`; SemPCA itself takes 7 components on HDFS and 100 on BGL, chosen by hand."""

    components: int | None = option(
        None, "components of normal units; unset: as many as parallel analysis finds", ge=0
    )
    centre: bool = option(
        False, "subtract the mean of the training units first, as a PCA does and SemPCA does not"
    )
    c_alpha: float = option(
        3.2905, "normal deviate of the rate of false alarms that the Q-statistic aims at", gt=0
    )


@dataclass(frozen=True)
class RetrievalConfig:
    """Options of `retrieval`."""

    max_train: int = option(
        2_000, "most distinct training units to compare with, the most frequent first", ge=1, tune=False
    )
    max_texts: int = option(
        100_000, "most texts to compare with, each once for every unit that has it", ge=1, tune=False
    )
