"""Traits: what the harness must know of a component before it is built. One class a kind where fields differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Supervision = Literal["unsupervised", "semi-supervised", "supervised"]
Need = Literal["times", "templates", "texts", "messages", "parameters", "line_labels", "vectors", "text_vectors"]
# Needs that an embedding serves; a model has one of them at most.
OF_VECTORS: frozenset[Need] = frozenset({"vectors", "text_vectors"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentTraits:
    """Traits that components of every kind have.

    Attributes:
        expected_failures: rules of `logbench check` that the component violates on purpose, name → reason, or a
            function of the configuration. One that holds after all is reported.
        public_text: it holds weights that were trained on public text, which may hold public logs: record and row
            say that it may have seen the data.
    """

    expected_failures: Mapping[str, str] | Callable[[Any], Mapping[str, str]] = field(default_factory=dict)
    public_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTraits(ComponentTraits):
    """What the harness must know of a model: `ModelTraits(supervision="supervised", min_events=2)`.

    Attributes:
        supervision: `supervised` models alone see labels; `semi-supervised` ones train on presumed normals.
        unlabelled: a supervised model learns from unlabelled units, too: under `protocol.label_budget` it gets
            all training units, with label −1 where it may not see it. Others get those whose label they may see.
        needs: what the sessions must carry beside their keys; a data set without it makes a `skipped` row.
            `vectors`: an embedding's vector of each event's template, of an unseen one that of its message;
            `text_vectors`: that of each event's masked message, whatever the parser makes of it.
        wants: what they carry where the data have it, and lack where not; the model copes with both.
        min_events: shortest unit that the model can score, or a function of its configuration (DeepLog: h + 1).
        keys_only: the score depends on the key sequence alone, or a function of the configuration. The harness
            then scores each distinct sequence once and gives equal ones the same score, unless it needs text.
        joint_scores: the score of a unit depends on which others are scored with it; record and row say so.
        scores_without_unseen: the model fills `Scores.ignoring`, so that `unseen = "ignore"` can be served.
        fixed_threshold: the threshold that `threshold = "fixed"` means, or a function of the configuration.
        binary_scores: scores only say yes or no, so that `fixed_threshold` holds under every threshold of the
            protocol.
        uses_alpha: the model brings its scores to `fixed_threshold` by `Context.held_out` and `Context.alpha`
            itself, so that it holds under `threshold = "validation"` too, and another alpha needs another run.
        stochastic: the scores depend on `Context.seed`, so that another seed is another result.
        baseline: a cheap reference that stands beside the models of every table (`run`, `leaderboard`).
        online_of: name of the model that it is as long as nothing updates it, so that a leaderboard of all models
            leaves it out, unless it is asked for.
        heavy: it trains for so long that a leaderboard of all models leaves it out, unless it is asked for.
    """

    supervision: Supervision = "semi-supervised"
    unlabelled: bool = False
    needs: frozenset[Need] = frozenset()
    wants: frozenset[Need] = frozenset()
    min_events: int | Callable[[Any], int] = 1
    keys_only: bool | Callable[[Any], bool] = False
    joint_scores: bool = False
    scores_without_unseen: bool = False
    fixed_threshold: float | Callable[[Any], float] | None = None
    binary_scores: bool = False
    uses_alpha: bool = False
    stochastic: bool = True
    baseline: bool = False
    heavy: bool = False
    online_of: str = ""

    @property
    def shown(self) -> frozenset[Need]:
        """What the model is shown beside keys: its `needs` and `wants`."""
        return self.needs | self.wants


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowerTraits(ComponentTraits):
    """What the harness must know of a windower: `WindowerTraits(line_windows=True, unit="window")`.

    Attributes:
        line_windows: units are stretches of lines, so that a chronological split cuts the lines first and the
            windows of each side after.
        overlaps: a line may belong to several units by design, or a function of the configuration.
        unit: what a unit is called (`window`); empty: as the data set's card says.
    """

    line_windows: bool = False
    overlaps: bool | Callable[[Any], bool] = False
    unit: str = ""
