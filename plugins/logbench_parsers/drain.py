"""Drain: an online parser with a tree of fixed depth (He, Zhu, Zheng, Lyu, ICWS 2017).

A message goes down the tree by its number of tokens and then by its leading tokens, and at the leaf joins
the template with most equal tokens if their share reaches `similarity`; positions that differ become
wildcards. Where the paper is silent this does as drain3 does (a test compares both): `depth` counts root and
leaf too, so 4 means one leading token; a wildcard never counts as equal; among equals the template with more
wildcards wins.

Differences, each on purpose:
- A masked variable (`<*>` in a message) is compared as a token like any other. drain3, run with masks that
  write its own wildcard, takes it for one: a message of mostly masked tokens is then too unlike even itself,
  so that every repeat of it makes a template. Both are shown as `<*>`.
- A leading token with a masked part goes where it would have gone with its digits, to the wildcard's branch.
- After training, a template that fits a message exactly is preferred, as in drain3's `match`; unless
  `match = "exact"`, the rule of the training decides where there is none.
- Templates are never evicted. A leaf of more than `max_leaf` templates is not always searched whole: time would
  grow with the square of the messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logbench import ConfigError

from .leaf import Leaf, Template, Token
from .none import texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from . import DrainConfig

VARIABLE = "<*>"
NUMBER = "[0-9]+(?:[.:][0-9]+)*"
NUMBERS = ((NUMBER, "0"),)
HEX = "(?:[0-9a-f]*[0-9][0-9a-f]*|[0-9A-F]*[0-9][0-9A-F]*)"
# A UUID, whose digits may have become one (`NUMBERS`), so that its groups have no fixed lengths.
UUID = r"\b[0-9a-fA-F]+(?:-[0-9a-fA-F]+){4}\b"
# Each takes a number, an address with port or a time as one thing, whatever its value: `NUMBERS` is exact only
# then. One match for an address instead of five makes the shape step a quarter faster.
BUILTIN = (
    (r"blk_-?[0-9]+", VARIABLE),
    (UUID, VARIABLE),
    (r"\b[0-9]+[xX][0-9a-fA-F]+\b", VARIABLE),
    (rf"\b{HEX}(?:[.:-][0-9a-fA-F]+)*\b", VARIABLE),
    (NUMBER, VARIABLE),
)


class Node:
    """A branch of the tree: further branches by token (None: any token), or a leaf."""

    __slots__ = ("children", "leaf")

    def __init__(self, most: int) -> None:
        self.children: dict[Token, Node] = {}
        self.leaf = Leaf(most)


class DrainParser:
    """See the module. Null counts as the empty message.

    Raises:
        ConfigError: a mask that polars cannot use.
    """

    def __init__(self, config: DrainConfig) -> None:
        self._config = config
        own = [(_checked(mask), VARIABLE) for mask in config.masks]
        self.masks: Sequence[tuple[str, str]] = (*own, *(BUILTIN if config.builtin_masks else ()))
        # A user's masks may do anything with digits, and without masks digits stay.
        self.shape: Sequence[tuple[str, str]] = NUMBERS if config.builtin_masks and not own else ()
        self._clear()

    def _clear(self) -> None:
        self._fewest: dict[int, int] = {}  # see `_least`
        self._lengths: dict[int, Node] = {}
        self._learnt = False  # some messages were learnt without looking at all templates
        self._templates: list[Template] = []

    def fit(self, messages: pl.Series) -> NDArray[np.int32]:
        """Learn `messages` in order, from scratch; return keys, int32 [messages]."""
        self._clear()
        keys = np.array([self._learn(text.split()) for text in texts(messages)], dtype=np.int32)
        if self._bounded():
            self.restore(
                self.state()
            )  # which templates are compared hangs on the index: as a loaded parser has it
            self._learnt = True
        return keys

    def match(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys of messages by the frozen templates, int32 [messages], −1 if no template fits."""
        return np.array([self._find(text.split()) for text in texts(messages)], dtype=np.int32)

    @property
    def templates(self) -> Sequence[str]:
        """Templates by key, tokens joined by one space."""
        return [" ".join(VARIABLE if t is None else t for t in template.tokens) for template in self._templates]

    @property
    def caution(self) -> str | None:
        """Says that not every message was compared with all templates; None where each was."""
        if not (self._learnt or self._bounded()):
            return None
        return (
            f"drain: more than {self._config.max_leaf:,} templates begin alike and are equally long; beyond, a "
            "message is compared with those that have wildcards or share its rarest tokens (drain.max_leaf)"
        )

    def state(self) -> dict[str, Any]:
        """Tokens (null: wildcard) of each template, and the branches that lead to its leaf; no copies."""
        return {
            "templates": [template.tokens for template in self._templates],
            "paths": [template.path for template in self._templates],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the parser from `state`."""
        self._clear()
        for tokens, path in zip(state["templates"], state["paths"], strict=True):
            self._add(tokens, list(path))

    def _learn(self, tokens: list[str]) -> int:
        leaf, least = self._leaf(tokens), self._least(len(tokens))
        nearest = _most_similar(leaf.similar(tokens, least)) if leaf else None
        if leaf is None or nearest is None:
            return self._add(tokens, self._new_path(tokens))
        template, same = nearest
        if same + template.wildcards < len(tokens):
            leaf.join(template, tokens)
        return template.key

    def _find(self, tokens: list[str]) -> int:
        leaf, least = self._leaf(tokens), self._least(len(tokens))
        if leaf is None:
            return -1
        found = leaf.similar(tokens, least, fitting=True)
        fits = [template for template, same in found if same + template.wildcards == len(tokens)]
        if fits:
            return min(fits, key=lambda template: template.wildcards).key
        if self._config.match == "exact":
            return -1
        nearest = _most_similar([one for one in found if one[1] >= least])
        return nearest[0].key if nearest else -1

    def _bounded(self) -> bool:
        nodes = list(self._lengths.values())
        for node in nodes:
            nodes.extend(node.children.values())
        return any(node.leaf.bounded for node in nodes)

    def _least(self, length: int) -> int:
        """Fewest equal tokens of so many that reach the similarity."""
        least = self._fewest.get(length)
        if least is None:
            asked = self._config.similarity
            about = max(int(asked * length) - 1, 0)
            least = next(same for same in range(about, length + 1) if not length or same / length >= asked)
            self._fewest[length] = least
        return least

    def _leaf(self, tokens: list[str]) -> Leaf | None:
        """The leaf of the tokens, or None. A reachable leaf has at least one template."""
        node = self._lengths.get(len(tokens))
        for token in self._leading(tokens):
            if node is None:
                return None
            node = node.children.get(token) or node.children.get(None)
        return node.leaf if node else None

    def _leading(self, tokens: list[str]) -> list[str]:
        """The tokens that route; never the last one, which is left to the comparison."""
        return tokens[: max(0, min(self._config.depth - 3, len(tokens) - 1))]

    def _add(self, tokens: Sequence[Token], path: list[Token]) -> int:
        node = self._lengths.setdefault(len(tokens), Node(self._config.max_leaf))
        for branch in path:
            node = node.children.setdefault(branch, Node(self._config.max_leaf))
        template = Template(len(self._templates), tuple(tokens), tokens.count(None), tuple(path))
        self._templates.append(template)
        node.leaf.add(template)
        return template.key

    def _new_path(self, tokens: list[str]) -> list[Token]:
        path: list[Token] = []
        node = self._lengths.get(len(tokens))
        for token in self._leading(tokens):
            path.append(self._branch(node.children if node else {}, token))
            node = node.children.get(path[-1]) if node else None
        return path

    def _branch(self, children: Mapping[Token, Node], token: str) -> Token:
        """Branch of a new template's token; variable tokens, and those without room, go to the wildcard."""
        if token in children:
            return token
        room = self._config.max_children - (None not in children)
        variable = VARIABLE in token or any(map(str.isdigit, token))
        return token if len(children) < room and not variable else None


def _most_similar(found: list[tuple[Template, int]]) -> tuple[Template, int] | None:
    """The template with most equal tokens, then most wildcards, then the oldest; and its equal tokens."""
    return max(found, key=lambda one: (one[1], one[0].wildcards), default=None)


def _checked(mask: str) -> str:
    try:
        pl.Series([""]).str.replace_all(mask, VARIABLE)
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ConfigError(f"drain.masks: {mask!r} is not a regular expression of polars: {reason}") from None
    return mask
