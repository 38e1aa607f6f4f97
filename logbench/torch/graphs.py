"""Models as modules that graphs are made of: rows go in, scores and verdicts come out."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from ..base.errors import IncompatibleError
from ..data.rows import count_rows, padded, vector_rows
from ..data.sessions import Sessions
from .ranking import nll, ranks
from .row_training import arguments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .options import NextKeyConfig
    from .row_training import Encode

# Rows that a graph is made by.
ROWS = 4


class ScoresRows(Protocol):
    """What a graph needs of a `RowModel`."""

    name: ClassVar[str]
    network: nn.Module | None
    keys: int
    width: int
    places: NDArray[np.int32] | None

    @property
    def spare(self) -> int | None: ...
    def rows(self, sessions: Sessions) -> NDArray[Any]: ...
    def unjudged(self, sessions: Sessions) -> NDArray[np.int64] | None: ...
    def encoder(self, sessions: Sessions, device: str) -> Encode: ...
    def answers(self, network: nn.Module, arguments: tuple[Tensor, ...]) -> Tensor: ...
    def scores_of(self, answers: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Graph:
    """What is exported.

    Attributes:
        module: gives a tensor for each of `outputs`. Its buffer `limit`, float64, is what scores alarm above.
        inputs: an example of each input, by name. any_columns: it takes rows of any number of columns.
        facts: what its user must know to make the inputs, as JSON takes it.
    """

    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]
    any_columns: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


class WindowGraph(nn.Module):
    """Rank of the last key of each window, and whether it exceeds the limit."""

    limit: Tensor

    def __init__(self, network: nn.Module, keys: int, limit: float) -> None:
        super().__init__()
        self.network, self.keys = network, keys
        self.register_buffer("limit", torch.tensor(limit, dtype=torch.float64))

    def forward(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Score float64 [B], alarm bool [B], rank int64 [B] and nll float32 [B] of windows int64 [B, h + 1]."""
        logits, came = self.network(rows[:, :-1]).float(), rows[:, -1]
        rank = ranks(logits, came).long()
        score = rank.double().masked_fill(rank > self.keys, torch.inf)
        return score, score > self.limit, rank, nll(logits, came)


class RowGraph(nn.Module):
    """Score of each row, and whether it exceeds the limit."""

    limit: Tensor

    def __init__(self, model: ScoresRows, network: nn.Module, limit: float) -> None:
        super().__init__()
        self.network, self._model = network, model
        self.register_buffer("limit", torch.tensor(limit, dtype=torch.float64))

    def forward(self, rows: Tensor, vectors: Tensor | None = None) -> tuple[Tensor, ...]:
        """Score float64 [B] and alarm bool [B] of rows [B, ..], perhaps places in vectors float [texts, W]."""
        holder = cast(Sessions, SimpleNamespace(vectors=vectors))
        arguments = arguments_of(self.network, self._model.encoder(holder, str(rows.device)), rows)
        score = self._model.scores_of(self._model.answers(self.network, arguments).double())
        return score, score > self.limit


def window_graph(
    network: nn.Module | None, config: NextKeyConfig, keys: int, limit: float, places: NDArray[np.int32] | None
) -> Graph:
    """The graph of a model of windows; `keys` and `places` are those of the model."""
    assert network is not None, "fit or load comes first"
    windows = torch.arange(ROWS * (config.h + 1)).reshape(ROWS, -1) % (keys + 1)
    facts = {"input": "windows", "h": config.h, "pad": config.pad, "keys": keys, **_shared(places)}
    module = WindowGraph(_plain(network), keys, limit)
    return Graph(module, {"rows": windows}, ("score", "alarm", "rank", "nll"), facts=facts)


def row_graph(model: ScoresRows, limit: float) -> Graph:
    """The graph of a model of whole units.

    Raises:
        IncompatibleError: its rows are none that can be made without its code.
    """
    assert model.network is not None, "fit or load comes first"
    facts = {**row_format(model), "keys": model.keys, "spare": model.spare, **_shared(model.places)}
    rows = torch.from_numpy(model.rows(_probe(model, (1, 2, 3, 2))))
    inputs = {"rows": rows if rows.is_floating_point() else rows.long()}
    if facts["input"] == "vectors":
        facts["width"] = model.width
        inputs["vectors"] = torch.from_numpy(_probe(model, (1,)).vectors)
    module = RowGraph(model, _plain(model.network), limit)
    loose = facts["input"] != "counts" and model.spare is not None
    return Graph(module, inputs, ("score", "alarm"), loose, facts)


def _shared(places: NDArray[np.int32] | None) -> dict[str, Any]:
    return {} if places is None else {"key_places": places.tolist()}


def row_format(model: ScoresRows) -> dict[str, Any]:
    """How the rows of a model are made, found by what they are for units of every kind.

    Returns:
        `input`: `counts`, `keys` or `vectors` (see `count_rows`, `padded`, `vector_rows`); of the last two,
        `length` and `keep`, and `beyond`: events of longer units are not judged.

    Raises:
        IncompatibleError: they are none of these.
    """
    try:
        length = model.rows(_probe(model, (1, 2))).shape[-1]
        units = _probe(model, (1, 2, 3, length, length + 1, length + 5))
        rows, beyond = model.rows(units), model.unjudged(units)
        if np.array_equal(rows, count_rows(units)):
            return {"input": "counts"}
        for keep in ("first", "last"):
            for kind, make in (("keys", padded), ("vectors", vector_rows)):
                if (kind == "keys" or model.width) and np.array_equal(rows, make(units, length, keep)):
                    return {"input": kind, "length": length, "keep": keep, "beyond": beyond is not None}
    except (AssertionError, AttributeError, TypeError, ValueError) as error:
        raise IncompatibleError(f"{model.name} cannot be exported: {unexported(error)}") from error
    raise IncompatibleError(
        f"{model.name} cannot be exported: its rows are none of counts, padded keys and places of vectors"
    )


def unexported(error: BaseException) -> str:
    """The first line of an error of torch that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or ['no reason'])[0][:300]}"


def _probe(model: ScoresRows, lengths: Sequence[int]) -> Sessions:
    """Units of these lengths, of all keys and an unknown one by turns; events of a key have its vector."""
    keys, rng = model.keys, np.random.default_rng(0)
    units = [[int(key) for key in rng.integers(0, keys + 1, length)] for length in lengths]
    vectors: dict[str, Any] = {}
    if model.width:
        vectors["vectors"] = rng.normal(size=(keys + 1, model.width)).astype(np.float32)
        # Other numbers than the keys, so that rows of both kinds differ.
        vectors["vector_ids"] = np.array([keys - key for unit in units for key in unit], dtype=np.int32)
    return Sessions.of(units, keys, **vectors)


def _plain(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network).to("cpu").eval()
