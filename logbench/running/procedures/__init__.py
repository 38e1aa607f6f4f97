"""How a run fits and tests: once (`batch`), or slice by slice, test then train (`prequential`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from . import batch, prequential

if TYPE_CHECKING:
    from ...api.contracts import Context, RunningModel
    from ...api.protocol import EvaluationProtocol
    from ...evaluation.verdicts import Decision
    from ..fitting import Scored
    from ..prepared import Prepared
    from ..resolve import ResolvedPlan
    from ..stages import Stages


class Procedure(Protocol):
    """A module of this package."""

    def fit_and_score(
        self,
        resolved: ResolvedPlan,
        prepared: Prepared,
        context: Context,
        stages: Stages,
        model: RunningModel,
        renewed: Callable[[], RunningModel],
    ) -> Scored:
        """Fit the model and score the held-out and test units (stages fit and score).

        Args:
            renewed: builds the model anew, for a procedure that fits more than once.
        """

    def decided(self, resolved: ResolvedPlan, scored: Scored) -> Decision:
        """From scores to verdicts (stage threshold)."""


def procedure_of(protocol: EvaluationProtocol) -> Procedure:
    """The procedure that the protocol names."""
    known: dict[str, Procedure] = {"batch": batch, "prequential": prequential}
    return known[protocol.procedure]
