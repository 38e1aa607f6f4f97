"""What a windower may have beside what it must have; of counts, also lines and embeddings.

Nothing is inherited: `isinstance` looks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    pass


@runtime_checkable
class HasCounts(Protocol):
    """A windower, lines, or an embedding, that counted something in the last pass, for the record."""

    def counted(self) -> Mapping[str, int]:
        """Name → number of lines, such as `{"undecodable_lines": 3}`. Asked once all lines were read.

        An embedding is asked once all texts have vectors: `{"unknown_words": 3}`.
        """


@runtime_checkable
class Piecewise(Protocol):
    """A windower that says whether pieces of a log can be assigned apart; one that does not say so can.

    Attributes:
        piecewise: False where the unit of a line depends on how many lines came before it. Such units cannot be
            built from a pipe.
    """

    @property
    def piecewise(self) -> bool:
        """See above."""


@runtime_checkable
class GroupsByColumn(Protocol):
    """A windower whose units are the values of one column, so that the harness may group by itself.

    It counts only where the class that has `assign` has it, too: a subclass with another `assign` says it anew.

    Attributes:
        id_column: a line belongs once to each distinct value of this column, String or List[String], and one
            without a value to no unit; empty: units are made otherwise.
    """

    @property
    def id_column(self) -> str:
        """See above."""


@runtime_checkable
class HasSilence(Protocol):
    """A windower whose units end by themselves, such as windows of time.

    Attributes:
        silence: seconds that a unit may go without a line before it is over. A shorter `--timeout` does
            not cut it.
    """

    @property
    def silence(self) -> float:
        """See above."""


@runtime_checkable
class Continues(Protocol):
    """A windower whose units depend on lines long before, such as on when an id last came; for streams.

    Attributes:
        memory: JSON values, what the next pass begins with.
    """

    @property
    def memory(self) -> Any:
        """See above."""

    def go_on(self, memory: Any = None) -> None:
        """Let every pass from now on go on where the one before ended, the first one from `memory`."""


@runtime_checkable
class NamesLabels(Protocol):
    """A windower that splits ids into pieces (`blk_1#2`), so that labels given by id reach every piece.

    A piece has the label of its whole id: a piece of an anomalous session counts as anomalous, also where nothing
    is wrong with its own lines. Labels that lines carry are not asked for: a piece is anomalous by its own lines.
    """

    def label_of(self, unit: str) -> str:
        """The id under which the label of a unit stands, such as `blk_1` for `blk_1#2`; from its name alone."""
