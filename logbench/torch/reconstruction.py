"""Networks that give back what they are given, and fail where a unit is like none of the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..data.rows import count_rows
from .options import ReconstructionConfig, reconstruction_traits
from .row_model import RowModel
from .row_training import Part, arguments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ..api.contracts import Context
    from ..api.traits import ModelTraits
    from ..data.sessions import Sessions

C = TypeVar("C", bound=ReconstructionConfig)


class Reconstruction(RowModel[C]):
    """Scores a unit by the mean squared error with which a network gives back its row.

    It has no threshold of its own: that is found on held-out units. A subclass says its `name`, the options that a
    saved network fixes (`fixed`), and how to `build` the network, which gives back what it gets.

    A row is by default how often each key occurs, float32 [keys + 1], unseen keys in the last column. Other rows
    come from `rows`, such as `padded(sessions, 50)`, another error from `errors`, and a loss that is not the error
    from `losses`.

    Each distinct row trains once, weighted by the units that have it. Held-out units are for stop=validation and
    for the record alone.

    Example:

        class MyModel(Reconstruction[MyConfig]):
            name, fixed = "mine", ("hidden",)

            def build(self, keys):
                hidden = self.config.hidden
                return nn.Sequential(nn.Linear(keys + 1, hidden), nn.ReLU(), nn.Linear(hidden, keys + 1))
    """

    traits: ClassVar[ModelTraits] = reconstruction_traits()

    def rows(self, sessions: Sessions) -> NDArray[Any]:
        """How often each unit has each key, float32 [units, keys + 1]."""
        return count_rows(sessions)

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        """How far the network is from giving back each row of a batch, float [B]: the score, and the loss."""
        (rows,) = arguments
        squared: Tensor = (network(rows) - rows).square()
        return squared.flatten(1).mean(1)

    def losses(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        """What training lowers, of each row of a batch, float [B]; its error, unless overridden.

        Where `network.training` it may draw at random, such as what it hides, by torch's global random state,
        which is seeded then. Elsewhere it must not: the validation loss is its mean.
        """
        return self.errors(network, *arguments)

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Train from nothing, by `fit_network`.

        Returns:
            Facts for the record: `distinct` (rows that trained), and those of `fit_network`.

        Raises:
            IncompatibleError: no training unit has events, or nothing is held out for stop=validation.
            ConfigError: a loss that is no number any more, or a batch too large for the GPU's memory.
            PluginError: there is not one row a unit, or the network cannot run in double precision.
        """
        train, context = self._bound(train, context)
        held = context.held_out
        validated = self._part(held, context.device) if held else None
        return self._train(train, self._part(train, context.device), validated, context)

    def _part(self, sessions: Sessions, device: str) -> Part:
        rows = self._distinct(sessions)
        encode = self.encoder(rows.sessions, device)

        def losses(network: nn.Module, values: Tensor) -> Tensor:
            return self.losses(network, *arguments_of(network, encode, values))

        return Part([rows.values], rows.counts, losses)

    def answers(self, network: nn.Module, arguments: tuple[Tensor, ...]) -> Tensor:
        """The error of each row of a batch, float [rows]."""
        return self.errors(network, *arguments)
