"""What a data set or a reader of definitions may have beside what it must have.

Nothing is inherited: `isinstance` looks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .components import DatasetComponent


@runtime_checkable
class HasHome(Protocol):
    """A data set that knows where its files are, such as a definition of own logs: no `--data` is needed.

    Attributes:
        home: the file or folder to read, or None where it does not know after all.
    """

    @property
    def home(self) -> str | Path | None:
        """See above."""


@runtime_checkable
class TakesData(Protocol):
    """A reader of definitions (see `Definitions`) that makes data sets of data in memory, for `logbench.run`."""

    def of_data(self, data: Any) -> DatasetComponent[Any] | None:
        """The data set that these data are, named after a digest of them; None where it knows nothing of them.

        Raises:
            ConfigError: a column is missing, or is of a wrong type.
        """


class Guessed(Protocol):
    """A definition that was guessed.

    Attributes:
        text: of the definition's file, with comments.
        said: what was assumed, in words.
    """

    @property
    def text(self) -> str:
        """See above."""

    @property
    def said(self) -> Sequence[str]:
        """See above."""


@runtime_checkable
class Guesses(Protocol):
    """A reader of definitions (see `Definitions`) that guesses one from log files, for `logbench detect`."""

    def guess(self, paths: Sequence[Path]) -> Guessed:
        """The definition that fits files, or the files of folders, best; its folder is absolute.

        Raises:
            DataError: there is no file, or none with a line.
        """
