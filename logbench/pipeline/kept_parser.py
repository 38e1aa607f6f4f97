"""A parser whose keys are pairs: a part of the message that stays as it is, and the template of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Parser
from ..api.optional_evaluators import HasCaution
from ..data.kept import split

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KeptParser:
    """Parses what `KEPT` precedes by another parser; see `Parser`.

    Args:
        parser: of the rest. It sees each distinct text once.
    """

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.masks, self.shape = parser.masks, parser.shape
        self._pairs: dict[tuple[str, int], int] = {}

    def fit(self, messages: pl.Series) -> NDArray[np.int32]:
        """Learn templates of the rests, and number the pairs in first-seen order."""
        kept, rest = split(messages) or ([""] * len(messages), messages)
        distinct = rest.unique(maintain_order=True)
        found = dict(zip(distinct, self.parser.fit(distinct), strict=True))
        self._pairs = {}
        keys = [
            self._pairs.setdefault((a, int(found[b])), len(self._pairs)) for a, b in zip(kept, rest, strict=True)
        ]
        return np.array(keys, dtype=np.int32)

    def match(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys of known pairs, −1 for others."""
        kept, rest = split(messages) or ([""] * len(messages), messages)
        distinct = rest.unique(maintain_order=True)
        found = dict(zip(distinct, self.parser.match(distinct), strict=True))
        keys = [self._pairs.get((a, int(found[b])), -1) for a, b in zip(kept, rest, strict=True)]
        return np.array(keys, dtype=np.int32)

    @property
    def caution(self) -> str | None:
        """That of the other parser, if it has one."""
        return self.parser.caution if isinstance(self.parser, HasCaution) else None

    @property
    def templates(self) -> Sequence[str]:
        """What stays, and the template of the rest."""
        rest = self.parser.templates
        return [f"{kept} {rest[key]}".strip() for kept, key in self._pairs]

    def state(self) -> dict[str, Any]:
        """The other parser's state, and the pairs by key."""
        return {"kept": list(self._pairs), "parser": self.parser.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the parser that gave `state`."""
        self.parser.restore(state["parser"])
        self._pairs = {(kept, key): number for number, (kept, key) in enumerate(state["kept"])}


def parser_for(messages: pl.Series, parser: Parser) -> Parser:
    """The parser of these messages: a `KeptParser` where parts of them stay."""
    return parser if split(messages) is None else KeptParser(parser)
