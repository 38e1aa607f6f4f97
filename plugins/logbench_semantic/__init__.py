"""Models of what events say, without training a network: SemPCA, and the nearest training unit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import ModelComponent, ModelTraits, hookimpl

from .options import RetrievalConfig as RetrievalConfig
from .options import SemPcaConfig as SemPcaConfig

if TYPE_CHECKING:
    from logbench import Model

CARDS = Path(__file__).with_name("cards")


@hookimpl
def logbench_models() -> Iterator[ModelComponent[Model]]:
    """`sempca` and `retrieval`."""
    yield ModelComponent(
        "sempca",
        _sempca,
        SemPcaConfig,
        "PCA of sums of template vectors (Yang et al., TOSEM 2024)",
        ModelTraits(
            supervision="unsupervised",
            needs=frozenset({"vectors"}),
            scores_without_unseen=True,
            fixed_threshold=1.0,
            keys_only=True,
            stochastic=False,
            expected_failures={"event": "the event that adds most to a sum need not be the unseen one"},
        ),
        card=CARDS / "sempca.toml",
    )
    yield ModelComponent(
        "retrieval",
        _retrieval,
        RetrievalConfig,
        "how far a unit's messages are from those of the nearest training unit (after RAPID)",
        ModelTraits(needs=frozenset({"text_vectors"}), scores_without_unseen=True, stochastic=False),
        card=CARDS / "retrieval.toml",
    )


def _sempca(config: SemPcaConfig) -> Model:
    from .sempca import SemPca

    return SemPca(config)


def _retrieval(config: RetrievalConfig) -> Model:
    from .retrieval import Retrieval

    return Retrieval(config)
