"""A parser that learns nothing: every distinct masked message is a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class Verbatim:
    """Numbers the distinct training messages in first-seen order; null counts as the empty message.

    Args:
        masks, shape: see `logbench.Parser`. None for messages that are keys already.
    """

    def __init__(self, masks: Sequence[tuple[str, str]] = (), shape: Sequence[tuple[str, str]] = ()) -> None:
        self.masks: Sequence[tuple[str, str]] = tuple(masks)
        self.shape: Sequence[tuple[str, str]] = tuple(shape)
        self._keys: dict[str, int] = {}

    def fit(self, messages: pl.Series) -> NDArray[np.int32]:
        """Number `messages` from scratch; return keys, int32 [messages]."""
        self._keys = {}
        return _int32([self._keys.setdefault(text, len(self._keys)) for text in texts(messages)])

    def match(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys of known messages, −1 for others, int32 [messages]."""
        return _int32([self._keys.get(text, -1) for text in texts(messages)])

    @property
    def templates(self) -> Sequence[str]:
        """The messages by key."""
        return list(self._keys)

    def state(self) -> dict[str, Any]:
        """The messages by key."""
        return {"templates": list(self._keys)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the parser from `state`."""
        self._keys = {text: key for key, text in enumerate(state["templates"])}


def texts(messages: pl.Series) -> list[str]:
    """The messages as Python strings, null as the empty one."""
    return messages.fill_null("").to_list()


def _int32(keys: list[int]) -> NDArray[np.int32]:
    return np.array(keys, dtype=np.int32)
