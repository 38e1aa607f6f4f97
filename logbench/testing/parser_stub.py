"""The simplest parser, for rules that read lines without the user's parser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class Whole:
    """Makes every distinct message a template."""

    masks: Sequence[tuple[str, str]] = ()
    shape: Sequence[tuple[str, str]] = ()

    def fit(self, messages: pl.Series) -> NDArray[np.int32]:
        """Number the messages."""
        self.templates = messages.to_list()
        return self.match(messages)

    def match(self, messages: pl.Series) -> NDArray[np.int32]:
        """Number of each message, −1 if it was not in training."""
        known = {text: key for key, text in enumerate(self.templates)}
        return np.array([known.get(text, -1) for text in messages], dtype=np.int32)

    def state(self) -> dict[str, Any]:
        """The messages."""
        return {"templates": self.templates}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the messages."""
        self.templates = state["templates"]
