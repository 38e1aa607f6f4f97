"""The log of another data set that trains: read and grouped beside the one that is tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..api.record_split import TransferFacts
from ..base.errors import IncompatibleError
from ..base.jsonable import part_of
from ..pipeline.grouping import GroupedLines
from ..pipeline.parsing import Vocabulary
from ..pipeline.split import Split, split_units
from ..pipeline.transfer import joined, same_units, transfer_facts, transfer_split
from .grouped_log import grouped_log
from .resolve import ResolvedPlan
from .runtime import Runtime
from .stages import Stages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainedLog:
    """Units of another data set.

    Attributes:
        digest: SHA-256 over its raw files. key: of its grouped lines.
    """

    digest: str
    key: str
    grouped: GroupedLines

    @classmethod
    def of(
        cls, resolved: ResolvedPlan, runtime: Runtime, stages: Stages, note: Callable[[str], None]
    ) -> TrainedLog | None:
        """The log that trains, its times added to those of the stages; None where no other data set does."""
        if (trained := resolved.source) is None:
            return None
        plan, beside = replace(resolved.plan, data=resolved.plan.source_data), Stages(runtime)
        alone = replace(resolved, dataset=trained.dataset, windower=trained.windower, plan=plan, source=None)
        _, digest, key, grouped = grouped_log(alone, runtime, beside, note)
        for name, facts in beside.done.items():
            own = stages.done[name]
            own["wall_s"], own["cpu_s"] = own["wall_s"] + facts["wall_s"], own["cpu_s"] + facts["cpu_s"]
        return cls(digest, key, grouped)

    def split(
        self, target: GroupedLines, files: str, resolved: ResolvedPlan, note: Callable[[str], None]
    ) -> tuple[GroupedLines, Split]:
        """Units of both logs, and how they are split: see `transfer_split`.

        Args:
            files: digest of the target's raw files.

        Raises:
            IncompatibleError: it is one log.
        """
        if files == self.digest:
            raise IncompatibleError(
                "source and target are the same log, so units that train would be tested; name another target"
            )
        both = joined(target, self.grouped)
        own = split_units(self.grouped.units, resolved.protocol, self.grouped.sequences)
        split = transfer_split(both, target, own, resolved.protocol)
        if same := same_units(both, len(target), split):
            tested = part_of(same, len(split.test), f"tested {resolved.unit}", "trains", "train")
            note(f"{tested}, too: the source has units of the same names and messages, so figures are too good")
        return both, split

    def facts(
        self, both: GroupedLines, split: Split, vocabulary: Vocabulary, keys: NDArray[np.int32]
    ) -> TransferFacts:
        """What passed from one log to the other, see `transfer_facts`."""
        return transfer_facts(both, len(both) - len(self.grouped), split, vocabulary, keys)


def tested_whole(resolved: ResolvedPlan) -> ResolvedPlan:
    """The plan whose units are cut nowhere: where another data set trains, the protocol splits that one."""
    if resolved.source is None:
        return resolved
    whole = replace(resolved.protocol, train="given", cut="all", test_reserve=None)
    return replace(resolved, protocol=whole, source=None)
