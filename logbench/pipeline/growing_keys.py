"""Keys that grow while a stream is tested: known keys stay, templates of past slices are added behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..api.contracts import Parser
from ..data.sessions import Sessions
from .grouping import GroupedLines
from .parsing import Vocabulary, first_seen, fitted_on

if TYPE_CHECKING:
    from numpy.typing import NDArray


class GrowingKeys:
    """Key of each distinct message, as it is known after each slice.

    The parser of the training stays frozen. After a slice a new one of the same configuration is fitted on those
    messages of its units that none before matches; its keys follow the known ones. So a key, once known, means the
    same in every later slice, and a template is unseen until the slice that brought it was tested.

    Attributes:
        sizes: number of known keys before the first slice, after it, and so on.
        templates: template of each known key.
    """

    def __init__(self, grouped: GroupedLines, vocabulary: Vocabulary, new_parser: Callable[[], Parser]) -> None:
        self._grouped, self._new_parser = grouped, new_parser
        self._keys = vocabulary.matched(grouped.messages)
        self.sizes = [vocabulary.size]
        self.templates = vocabulary.templates

    def learn(self, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """Learn the templates of units that were tested; the messages that it was fitted on, as places."""
        seen = first_seen(self._grouped, units)
        seen = seen[self._keys[seen] < 0]
        if len(seen):
            fitted, _ = fitted_on(self._grouped.messages.gather(seen), self._new_parser())
            unknown = np.flatnonzero(self._keys < 0)
            found = fitted.matched(self._grouped.messages.gather(unknown))
            self._keys[unknown] = np.where(found < 0, -1, found + self.sizes[-1])
            self.templates += fitted.templates
        self.sizes.append(len(self.templates))
        return seen

    def sessions(self, base: Sessions, after: int) -> Sessions:
        """The units with the keys known after so many slices; every other message has a key of its own above.

        Args:
            base: the same units under the training's keys.
        """
        size = self.sizes[after]
        keys = self._keys.copy()
        unknown = np.flatnonzero((keys < 0) | (keys >= size))
        in_order = unknown[self._grouped.messages.gather(unknown).arg_sort().to_numpy()]
        keys[in_order] = size + np.arange(len(unknown), dtype=np.int32)
        return replace(base, keys=keys[self._grouped.codes], vocabulary=size, templates=self.templates[:size])
