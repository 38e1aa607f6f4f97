"""What a procedure is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...api.contracts import Context, RunningModel
    from ..prepared import Prepared
    from ..resolve import ResolvedPlan
    from ..stages import Stages


@dataclass(frozen=True)
class Fitting:
    """What a procedure fits, and what it scores.

    Attributes:
        model: not fitted yet.
        renewed: builds the model anew, for a procedure that fits more than once; None where one that fits once
            is asked for.
    """

    resolved: ResolvedPlan
    prepared: Prepared
    context: Context
    stages: Stages
    model: RunningModel
    renewed: Callable[[], RunningModel] | None = None
