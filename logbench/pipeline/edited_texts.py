"""Edit messages as developers do: words go, come in or change, alike wherever a template stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .parsing import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

# What stands for a parameter, in templates and masked messages.
WILDCARD = "<*>"
# Comes in where no other template has a word.
WORD = "changed"


class Editor:
    """Edits messages of one log, the same each time.

    Args:
        vocabulary: a fitted parser, whose templates say which messages are edited alike.
        messages: String, the distinct masked messages of the log.
        seeded: gives a generator of random numbers for each template.
        kind: `add_word`, `drop_word`, `replace_word`, either of the first two by the template (`templates`), or
            another text altogether (`new`).
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        messages: pl.Series,
        seeded: Callable[[str], np.random.Generator],
        kind: str = "templates",
    ) -> None:
        self.kind = kind
        self._keys = vocabulary.lookup(messages)
        self._messages, self._known = messages, set(messages)
        self._templates, self._seeded = vocabulary.templates, seeded
        self._words = sorted({word for text in vocabulary.templates for word in text.split() if word.isalpha()})
        self._used = set[str]()

    @property
    def templates(self) -> int:
        """How many templates were edited so far; a message that the parser does not know is one of its own."""
        return len(self._used)

    def edited(self, code: int) -> str:
        """The text that message number `code` becomes: another than any message of the log."""
        text, key = self._messages[code], int(self._keys[code])
        template = self._templates[key] if key < len(self._templates) else text
        self._used.add(template)
        return next(one for one in self._edits(text.split(" "), template.split(" ")) if one not in self._known)

    def _edits(self, words: list[str], template: list[str]) -> Iterator[str]:
        """Edits of a message, the best first; they follow from the template where it has as many words."""
        rng = self._seeded(" ".join(template))
        shape = template if len(template) == len(words) else words
        fixed = [place for place, word in enumerate(shape) if WILDCARD not in word and word]
        remove, places = rng.random() < 0.5, rng.permutation(fixed)
        new = [word for word in self._words if word not in template] or [WORD]
        added = str(new[rng.integers(len(new))])
        if self.kind == "new":
            words = [str(one) for one in rng.permutation(new)[: max(len(template), 2)]]
            yield " ".join(words)
        elif self.kind == "replace_word":
            yield from (" ".join([*words[:at], added, *words[at + 1 :]]) for at in places)
        elif len(fixed) > 1 and (self.kind == "drop_word" or (remove and self.kind == "templates")):
            yield from (" ".join(words[:at] + words[at + 1 :]) for at in places)
        if self.kind != "new":
            yield from (" ".join([*words[:at], added, *words[at:]]) for at in places)
        while True:
            words = [*words, added]
            yield " ".join(words)
