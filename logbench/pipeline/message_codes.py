"""Number the distinct masked messages of shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.contracts import Parser
from ..data.kept import KEPT, masked

if TYPE_CHECKING:
    from numpy.typing import NDArray


def message_codes(shapes: pl.Series, parser: Parser) -> tuple[NDArray[np.int32], pl.Series]:
    """The number of each shape's masked message, int32 [shapes], and the distinct messages in first-seen order."""
    keyed = bool(shapes.str.contains(KEPT, literal=True).any())
    messages = pl.DataFrame({"shape": shapes}).select(message=masked(pl.col("shape"), parser.masks, keyed))
    distinct = messages.unique(maintain_order=True)
    numbered = distinct.with_row_index("code")
    code = messages.join(numbered, on="message", how="left", maintain_order="left", nulls_equal=True)["code"]
    return code.cast(pl.Int32).to_numpy(), distinct["message"]
