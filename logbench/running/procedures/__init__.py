"""How a run fits and tests: once (`batch`), or slice by slice, test then train (`prequential`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from . import batch, prequential

if TYPE_CHECKING:
    from ...api.protocol import EvaluationProtocol
    from ...evaluation.verdicts import Decision
    from ..fitting import Scored
    from ..resolve import ResolvedPlan
    from .inputs import Fitting


class Procedure(Protocol):
    """A module of this package."""

    def fit_and_score(self, fitting: Fitting) -> Scored:
        """Fit the model and score the held-out and test units (stages fit and score)."""

    def decided(self, resolved: ResolvedPlan, scored: Scored) -> Decision:
        """From scores to verdicts (stage threshold)."""


def procedure_of(protocol: EvaluationProtocol) -> Procedure:
    """The procedure that the protocol names."""
    known: dict[str, Procedure] = {"batch": batch, "prequential": prequential}
    return known[protocol.procedure]
