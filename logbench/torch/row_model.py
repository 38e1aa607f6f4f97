"""What models of whole units share: a unit is a row; distinct rows are scored once; save and load."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import torch

from ..data.scores import Scores
from ..data.unit_rows import UnitRows, without_unseen
from .graphs import Graph, row_graph
from .network_model import NetworkModel, width_of
from .options import TrainingConfig
from .precision import Precision
from .row_scores import score_rows, scoring_device
from .row_training import Encode, Part, arguments_of, check_double, train_rows
from .scored_together import scored_together
from .seeding import new_network
from .together import together

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ..api.contracts import Context
    from ..data.sessions import Sessions
    from .schedules import Optimiser, Schedule

C = TypeVar("C", bound=TrainingConfig)


class RowModel(NetworkModel[C]):
    """Base of `Classifier` and `Reconstruction`.

    A unit without events has no row: it does not train, and scores 0.

    Attributes:
        keys_only: equal key sequences have equal rows; False where `rows` looks at times or texts, too. Sessions
            that carry such have a row a unit in any case.
        double: score in double precision, see `score_rows`; False for a network that cannot.
    """

    keys_only: ClassVar[bool] = True
    double: ClassVar[bool] = True

    @abstractmethod
    def build(self, keys: int) -> nn.Module:
        """A new network for `keys` known keys. Its arguments are what `encoder` makes of a batch of rows."""

    @abstractmethod
    def rows(self, sessions: Sessions) -> NDArray[Any]:
        """The row of each unit, an array [units, …]; every unit here has events."""

    def encoder(self, sessions: Sessions, device: str) -> Encode:
        """What makes the network's arguments of a batch of rows; by default the rows themselves.

        For what is too large to keep for each unit: rows hold keys, whose vectors are looked up batch by batch.
        A batch is int64 or of the network's type of floats, and so are the arguments.

            def encoder(self, sessions, device):
                vectors = vector_table(sessions, device)  # of rows that `vector_rows` makes
                return lambda rows: (vectors[rows],)

        Args:
            sessions: those that `rows` was given.
        """
        return lambda rows: (rows,)

    def optimiser(self, network: nn.Module, steps: int) -> tuple[Optimiser | None, Schedule | None]:
        """The optimiser, and a schedule of its learning rate over `steps` steps; None: Adam, and `decay_at`."""
        return None, None

    def unjudged(self, sessions: Sessions) -> NDArray[np.int64] | None:
        """Events of each unit that its row leaves out, int64 [units]; None where rows leave out none."""
        return None

    def lengths(self, rows: NDArray[Any]) -> NDArray[np.int64] | None:
        """Steps that the network takes for each row, int64 [rows]; None: as many for all.

        Rows of like length are scored together, so that a network that leaves out the columns that fill up all
        rows of its batch takes few steps.
        """
        return None

    @property
    def spare(self) -> int | None:
        """Columns that fill up, which a batch of rows needs beyond its longest unit; no others move an answer.

        None: all. An exported graph is fed so; where it is a number, that is faster. A class may say `spare = 0`.
        """
        return None

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Score every unit; `ignoring` is the score of the unit without its unseen keys.

        Raises:
            DataError: the sessions were made with another vocabulary than the training sessions.
        """
        if (shared := scored_together(self, sessions, context)) is not None:
            return shared
        primary, facts = self._scored(sessions, context)
        ignoring, some = primary.copy(), np.flatnonzero(sessions.unseen)
        if len(some):
            ignoring[some], _ = self._scored(without_unseen(sessions.take(some)), context)
        return Scores(primary, ignoring=ignoring, unjudged=self.unjudged(sessions), facts=facts)

    @abstractmethod
    def answers(self, network: nn.Module, arguments: tuple[Tensor, ...]) -> Tensor:
        """What the score of each row of a batch follows from, float [rows]."""

    def scores_of(self, answers: Tensor) -> Tensor:
        """The scores that follow from answers; float64, both [rows]."""
        return answers

    def _graph(self, limit: float) -> Graph:
        return row_graph(self, limit)

    def _distinct(self, sessions: Sessions) -> UnitRows:
        more = (sessions.times, sessions.texts, sessions.raw)
        return UnitRows.of(sessions, self.rows, self.keys_only and all(one is None for one in more))

    def _train(self, units: Sessions, train: Part, held: Part | None, context: Context) -> dict[str, Any]:
        """Train a new network on `train`, made of `units`; facts for the record."""
        keys, self.width = units.vocabulary, width_of(units)
        network = new_network(lambda: self.build(keys), context.seed, context.device)
        with torch.no_grad():
            self.prepare(network, units)
        if self.double:
            check_double(network, train, context, self.config)
        with together(self, units, context):
            facts = train_rows(network, train, held, context, self.config, self.name, self.optimiser)
        self.network, self.keys = network, keys
        return facts

    def _scored(self, sessions: Sessions, context: Context) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Score of each unit, float64 [units], and facts."""
        network = self._ready(sessions, context)
        rows = self._distinct(self.bounded(sessions))
        found, facts = self._scored_rows(network, rows, context, self.double)
        kind = Precision.of(self.config.eval_amp, context.device).kind
        if kind != "off":
            exact = found
            found, facts = self._scored_rows(network, rows, context, False)
            facts |= {"eval_amp": kind, "largest_change": float(np.abs(found - exact).max(initial=0.0))}
        scores = np.zeros(len(sessions))
        scores[rows.units] = found[rows.inverse]
        return scores, facts

    def _scored_rows(
        self, network: nn.Module, rows: UnitRows, context: Context, double: bool
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Score of each distinct row, float64 [rows], and facts."""
        encode = self.encoder(rows.sessions, scoring_device(context.device, double))

        def answers(network: nn.Module, batch: Tensor) -> Tensor:
            return self.answers(network, arguments_of(network, encode, batch))

        lengths = self.lengths(rows.values)
        order = slice(None) if lengths is None else np.argsort(lengths, kind="stable")
        found, size = score_rows(network, [rows.values[order]], answers, self.config, context, double=double)
        scores = np.empty(len(rows))
        scores[order] = self.scores_of(torch.from_numpy(found.astype(np.float64))).numpy()
        return scores, {"distinct_rows": len(rows), "eval_batch": size}
