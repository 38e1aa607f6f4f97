"""The card of a model: where it is from, how faithful it is, and what others and its own parts say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from .work import Work

Level = Literal["structure", "forward", "gradient", "overfit", "invariances", "floor", "figures", "ablation"]
# What tests of each level show, the weakest first.
LEVELS: Mapping[Level, str] = {
    "structure": "as many parameters as the reference at the same number of keys",
    "forward": "outputs are those of the reference, or of an independent computation",
    "gradient": "gradients of custom parts agree with differences",
    "overfit": "a few units are learnt by heart",
    "invariances": "padding, batch size, order and duplicates change no score",
    "floor": "no training loss below what counting allows",
    "figures": "the reference's figures on its data",
    "ablation": "what is new changes the loss where it alone can tell",
}
_STRICT = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCount:
    """Parameters of a model's network.

    Attributes:
        count: how many are trained.
        keys: number of known keys. width: columns of the vectors that events have; 0 where it takes none.
        settings: options of the model, where they are not the defaults.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT
    count: int
    keys: int
    width: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFigure:
    """Figures and how they were had.

    Attributes:
        metrics: name → value, such as `{"f1": 0.96}`.
        on: data set and protocol, in words.
        source: who says so; empty in `claims`: the paper.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT
    metrics: Mapping[str, float]
    on: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model's facts, read from the TOML file that `ModelComponent.card` names; keys are the attributes.

    Attributes:
        source: paper and section. url: DOI or address of it.
        cite: the works to cite, for `logbench cite`; a table `[[cite]]` each, see `Work`.
        reference, licence: the code that options and tests are held against, with its revision; its licence.
        differs: what this model does otherwise than source or reference, and why.
        faithful: level (see `LEVELS`) → tests that show it, `tests/test_mine.py::test_forward`.
        parameters: counts of its network.
        claims: figures of the paper. reproduced: of others. ours: measured with logbench.
        seen_public_text: it holds weights that were trained on public text, which may hold public logs.
        ablations: a part switched off (`attention → mean`) → settings that do so: a table is options of a
            component or of the protocol, a text chooses another component (`{"embedding": "one-hot"}`).
    """

    __pydantic_config__: ClassVar[Any] = _STRICT
    source: str
    url: str = ""
    reference: str = ""
    licence: str = ""
    differs: tuple[str, ...] = ()
    faithful: Mapping[Level, tuple[str, ...]] = field(default_factory=dict)
    parameters: tuple[CardCount, ...] = ()
    claims: tuple[CardFigure, ...] = ()
    reproduced: tuple[CardFigure, ...] = ()
    ours: tuple[CardFigure, ...] = ()
    seen_public_text: bool = False
    ablations: Mapping[str, Mapping[str, str | Mapping[str, Any]]] = field(default_factory=dict)
    cite: tuple[Work, ...] = ()
