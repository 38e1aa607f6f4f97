"""Messages of events by position: what `Sessions.messages` and `Sessions.parameters` ask."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.errors import PluginError
from .message_file import MessageFile, numbered_blocks
from .message_needs import NEEDS
from .parameters import parameters_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class EventMessages:
    """The message of each event. Numbers of lines stay within, as they may tell the label.

    Args:
        _file: gives the messages; it is called when they are first asked for.
        _numbers: [events], the number of each event's message there.

    Attributes:
        shows: what may be asked, of `NEEDS`.
    """

    _file: Callable[[], MessageFile] = field(repr=False)
    _numbers: NDArray[Any] = field(repr=False)
    shows: Set[str] = NEEDS

    @classmethod
    def of(cls, messages: Sequence[str]) -> EventMessages:
        """Messages in memory, one an event."""
        known = MessageFile.of(pl.Series(messages, dtype=pl.String))
        return cls(lambda: known, np.arange(len(known)))

    def __len__(self) -> int:
        return len(self._numbers)

    def take(self, events: NDArray[Any]) -> EventMessages:
        """The messages of these events."""
        return replace(self, _numbers=self._numbers[events])

    def showing(self, needs: Set[str]) -> EventMessages:
        """The same for a model with these needs."""
        return replace(self, shows=NEEDS & needs)

    def messages(self, events: NDArray[Any] | None) -> pl.Series:
        """See `Sessions.messages`."""
        self._check("messages")
        return self._file().pick(self._asked(events))

    def parameters(
        self, events: NDArray[Any] | None, keys: NDArray[np.int32], templates: Sequence[str]
    ) -> pl.Series:
        """See `Sessions.parameters`.

        Args:
            keys: int32 [events]. templates: of each known key.
        """
        self._check("parameters")
        numbers, asked = self._asked(events), keys if events is None else keys[events]
        blocks = numbered_blocks(len(numbers)) or [(0, 0)]
        file = self._file()
        return pl.concat([parameters_of(file.pick(numbers[b:e]), asked[b:e], templates) for b, e in blocks])

    def write(self, folder: Path) -> None:
        """Write the messages in order of the events, see `MessageFile.write`."""
        self._file().write((self._numbers[b:e] for b, e in numbered_blocks(len(self))), folder)

    def _asked(self, events: NDArray[Any] | None) -> NDArray[Any]:
        return self._numbers if events is None else self._numbers[events]

    def _check(self, need: str) -> None:
        if need not in self.shows:
            raise undeclared(need)


def undeclared(need: str) -> PluginError:
    """The error of a model that asks for what it does not declare."""
    return PluginError(f"Sessions.{need}: the model must declare it: ModelTraits(needs={{{need!r}}})")
