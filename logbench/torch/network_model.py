"""What every model of one network has: its options, the network, a check of the keys, save and load."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from ..base.errors import DataError
from ..base.options import make_options
from ..data.shared_keys import by_places, key_places, saved_places
from .options import TrainingConfig
from .saving import load_network, save_network

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from ..api.contracts import Context
    from ..api.optional_models import ExportedGraph, ExportKind
    from ..data.sessions import Sessions
    from .graphs import Graph

C = TypeVar("C", bound=TrainingConfig)


def width_of(sessions: Sessions) -> int:
    """Columns of the sessions' vectors; 0 without any."""
    return 0 if sessions.vectors is None else sessions.vectors.shape[1]


class NetworkModel(ABC, Generic[C]):
    """Base of `NextKeyModel` and `RowModel`.

    Attributes:
        config: the options.
        network: what `build` made, on the device of the last call; None before `fit` and `load`.
        keys: number of known keys, as the network sees them.
        places: which of these each known key is, int32 [known keys], where some share one; else None.
        width: columns of the vectors that the training units carried, for `build`; 0 without any.
        name: of the model, as errors and the saved file have it.
        fixed: options that a saved network fixes; the others may change afterwards.
        requires: see `ModelComponent`.
    """

    name: ClassVar[str]
    fixed: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ("torch",)

    def __init__(self, config: C) -> None:
        self.config = config
        self.network: nn.Module | None = None
        self.keys, self.width = 0, 0
        self.places: NDArray[np.int32] | None = None

    @abstractmethod
    def build(self, keys: int) -> nn.Module:
        """A new network for `keys` known keys."""

    def prepare(self, network: nn.Module, train: Sessions) -> None:
        """Put into a new network what it takes from training beside weights; nothing unless overridden.

        Such as the mean of each column, or vectors of templates, in a buffer that `build` registers and that is
        saved with the weights:
        `network.vectors[: self.keys] = torch.from_numpy(key_vectors(train))`.

        Args:
            network: what `build` made, on the device. train: training units.
        """

    def bounded(self, sessions: Sessions) -> Sessions:
        """The same units with keys as the network sees them; the same sessions where each known key is its own."""
        return sessions if self.places is None else by_places(sessions, self.places)

    def save(self, folder: Path) -> None:
        """Write `network.safetensors` and the options in `<name>.json` into an existing folder."""
        assert self.network is not None, "fit or load comes first"
        shape = {name: getattr(self.config, name) for name in self._shape}
        own = {"keys": self.keys, **({"vector_width": self.width} if self.width else {})}
        shared = {} if self.places is None else {"key_places": self.places.tolist()}
        save_network(folder, self.network, {**own, **shared, **shape}, self.name)

    def load(self, folder: Path) -> None:
        """Become the model saved in `folder`; the saved network's shape goes before the configuration's.

        Raises:
            DataError: a file is missing or damaged.
        """
        self.network, facts = load_network(folder, self._rebuilt, self.name)
        self.config, self.keys = self._saved_config(facts), facts["keys"]
        self.width, self.places = (
            facts.get("vector_width", 0),
            saved_places(facts.get("key_places"), facts["keys"]),
        )

    def exported(self, kind: ExportKind, limit: float) -> ExportedGraph:
        """The network, the score and whether it exceeds `limit`, as a graph; see `api.optional_models.Exports`.

        Raises:
            IncompatibleError: the network does what no graph can, or its rows need its code.
        """
        from .graph_files import OnnxGraph, TorchGraph  # ONNX has an extra of its own

        graph = self._graph(limit)
        return OnnxGraph(graph, self.name) if kind == "onnx" else TorchGraph(graph, self.name)

    @abstractmethod
    def _graph(self, limit: float) -> Graph:
        """What is exported; units that score above `limit` alarm."""

    def _saved_config(self, facts: Mapping[str, Any]) -> C:
        shape = {name: facts[name] for name in self._shape}
        config: C = make_options(type(self.config), {**asdict(self.config), **shape}, self.name)
        return config

    def _rebuilt(self, facts: Mapping[str, Any]) -> nn.Module:
        model = type(self)(self._saved_config(facts))
        saved_places(facts.get("key_places"), facts["keys"])
        model.width = facts.get("vector_width", 0)
        return model.build(facts["keys"])

    @property
    def _shape(self) -> tuple[str, ...]:
        """Options that a saved network fixes."""
        return self.fixed

    def _bound(self, train: Sessions, context: Context) -> tuple[Sessions, Context]:
        """Training and held-out units with keys as the network will see them: `max_keys` of them at most."""
        known = train.vocabulary
        self.places = key_places(train, getattr(self.config, "max_keys", known))
        if self.places is not None:
            shared = int((self.places == self.places.max()).sum())
            context.note(f"the rarest {shared:,} of {known:,} keys are one to the network (max_keys)")
        held = context.held_out
        return self.bounded(train), replace(context, held_out=held and self.bounded(held))

    def _ready(self, sessions: Sessions, context: Context) -> nn.Module:
        """The network on the device, for sessions of the keys that it was trained on."""
        assert self.network is not None, "fit or load comes first"
        known = self.keys if self.places is None else len(self.places)
        if sessions.vocabulary != known:
            raise DataError(
                f"{self.name} was trained on {known} keys, not on {sessions.vocabulary}; "
                "parse them with the parser that the model was trained with"
            )
        if width_of(sessions) != self.width:
            raise DataError(
                f"{self.name} was trained on vectors of {self.width} columns, not {width_of(sessions)}"
            )
        return self.network.to(context.device).eval()
