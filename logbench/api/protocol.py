"""The evaluation protocol: everything outside the model that moves its figures, under one name and hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..base.errors import ConfigError, IncompatibleError
from ..base.jsonable import several
from ..base.options import make, option

# Largest seed that every library takes.
LARGEST_SEED = 2**32 - 1
Train = Literal["first", "random", "given", "ratio", "random_ratio", "per_class_ratio", "group"]
Content = Literal["normal", "mixed", "labelled"]
Cut = Literal["all", "node", "file"]
Short = Literal["flag", "miss", "drop"]
Unseen = Literal["anomalous", "target", "ignore"]
Threshold = Literal["validation", "labelled", "fixed", "oracle"]
Duplicates = Literal["all", "unique"]
Unstable = Literal[
    "none", "templates", "add_word", "drop_word", "replace_word", "new", "remove", "repeat", "swap", "shuffle",
    "delay", "split", "split_each", "merge", "merge_all", "wrong", "wrong_each",
]  # fmt: skip
UnstableIn = Literal["test", "both"]
Procedure = Literal["batch", "prequential"]
WithoutUpdate = Literal["keep", "refit"]
LabelNoise = Literal["symmetric", "anomaly_to_normal", "normal_to_anomaly"]
# Choices of `unstable` by what they disturb: texts of events, lines of units, or keys that the parser gives.
EDITS: tuple[Unstable, ...] = ("templates", "add_word", "drop_word", "replace_word", "new")
MOVES: tuple[Unstable, ...] = ("remove", "repeat", "swap", "shuffle", "delay")
PARSE_ERRORS: tuple[Unstable, ...] = ("split", "split_each", "merge", "merge_all", "wrong", "wrong_each")
LABELS = "labels"
# What a study disturbs, by kind: choices of `unstable`, or labels.
DISTURBED: Mapping[str, tuple[str, ...]] = {
    "parse": PARSE_ERRORS, "lines": MOVES, LABELS: (LABELS,), "templates": EDITS,
}  # fmt: skip
# Fields that came later: at these values the hash is that of before.
AS_BEFORE: Mapping[str, Any] = {
    "cut": "all", "test_label_noise": 0, "procedure": "batch", "slices": 10, "slice_units": None,
    "without_update": "keep", "feedback_budget": 0, "feedback_delay": 0, "target_units": 0, "target_reserve": 0,
    "target_alone": False, "template_match": None,
}  # fmt: skip
# Fields that act where the procedure is prequential alone.
SLICED = ("slices", "slice_units", "without_update", "feedback_budget", "feedback_delay")
# The field that says how much trains, by `train`.
SIZES: Mapping[str, str | None] = {
    **dict.fromkeys(("first", "random"), "train_units"),
    **dict.fromkeys(("ratio", "random_ratio", "per_class_ratio", "group"), "train_ratio"),
    "given": None,
}


@dataclass(frozen=True)
class EvaluationProtocol:
    """The same for every model that is compared. Field by field as in the protocol reference."""

    train: Train = option(
        "first",
        "which units train: first or random train_units, the data set's given part, ratio (chronological), "
        "random_ratio, per_class_ratio, or whole groups (group)",
    )
    train_units: int = option(4855, "training units where train is first or random", ge=1)
    train_ratio: float = option(
        0.5,
        "share of the units that train where train is a ratio; of the lines, where ratio cuts windows; of the "
        "groups, where train is group",
        gt=0,
        le=1,
    )
    test_reserve: float | None = option(
        None,
        "tests what so many train_units, or this train_ratio, would leave, so that the test set stays the same "
        "while fewer train; none: tests what training leaves",
        gt=0,
    )
    cut: Cut = option(
        "all",
        "where train is ratio: one cut in the time of all lines or units, or one for those of each node or file, "
        "whose clocks may differ",
    )
    content: Content = option("normal", "what trains: normal units, a mix without labels, or labelled units")
    contamination: float | None = option(
        None,
        "share of training units that are anomalies, unlabelled, of a reserve that is not tested, so that the "
        "test set is the same for every share; none: no reserve",
        ge=0,
        le=0.9,
    )
    label_noise: float = option(
        0.0, "share of the labels of training units that are flipped; test labels stay", ge=0, le=1
    )
    label_noise_kind: LabelNoise = option(
        "symmetric",
        "which labels label_noise flips: of any class (symmetric), or its share of one: anomaly_to_normal or "
        "normal_to_anomaly",
    )
    test_label_noise: float = option(
        0.0, "share of the labels of tested units that are flipped, of the classes of label_noise_kind", ge=0, le=1
    )
    label_budget: float | None = option(
        None,
        "training units, held-out ones among them, whose label a model may see: a share up to 1, or a number "
        "above it; a larger budget sees the same labels and more; none: every label",
        gt=0,
    )
    unstable: Unstable = option(
        "none",
        "what is changed in a share of the units: words of templates (templates, add_word, drop_word, "
        "replace_word) or new ones, events removed, repeated, swapped with the next or delayed, whole units "
        "shuffled; or keys, as by a parser that errs (split, split_each, merge, merge_all, wrong, wrong_each)",
    )
    unstable_dose: float = option(0.2, "share of the units that unstable changes", ge=0, le=1)
    unstable_events: float = option(
        0.2, "share of the events of each such unit that unstable changes; shuffle: all", gt=0, le=1
    )
    unstable_in: UnstableIn = option(
        "test", "where unstable changes units: of the test, or of training, held-out and test units (both)"
    )
    target_units: int = option(
        0, "where another data set trains: first units of the tested one that half train, half are held out", ge=0
    )
    target_reserve: int = option(
        0, "where another data set trains: first units of the tested one that are not tested", ge=0
    )
    target_alone: bool = option(
        False, "where another data set trains: it does not, only target_units do: what it is worth"
    )
    template_match: float | None = option(
        None,
        "cosine similarity from which on an unseen message has the key of the nearest template, by the embedding; "
        "none: the parser alone decides",
        gt=0,
        le=1,
    )
    split_seed: int = option(
        0, "seeds the choice of training and held-out units, apart from the model's seed", ge=0, le=LARGEST_SEED
    )
    held_out: float = option(
        0.1,
        "share of the training units set apart for stopping and thresholds; "
        "the last lines, where ratio cuts windows",
        ge=0,
        le=0.9,
    )
    min_events: int = option(
        0,
        "units with fewer events are short, for every model alike; 0: fewer than the model itself needs",
        ge=0,
        late=True,
    )
    short: Short = option("flag", "verdict on short units: flag, miss, or drop them from the metrics", late=True)
    unseen: Unseen = option(
        "target",
        "keys unseen in training: anomalous anywhere, where a model meets one as target, or ignore",
        late=True,
    )
    threshold: Threshold = option(
        "validation",
        "validation (label-free), labelled (best F1 on held-out units whose label may be seen), fixed (the "
        "model's own), or oracle (best F1 on test: no honest result)",
        late=True,
    )
    alpha: float = option(
        0.005, "share of held-out weight that a validation threshold lets alarm", gt=0, le=1, late=True
    )
    value: float | None = option(
        None, "threshold where it is fixed; none: the model's own (DeepLog: g)", late=True
    )
    oracle_step: float | None = option(
        None, "an oracle threshold is a multiple of it, as in published grids; none: any score", gt=0, late=True
    )
    procedure: Procedure = option(
        "batch",
        "batch: fit once, then test; prequential: test units in slices of time, and after each slice let models "
        "learn from it",
    )
    slices: int = option(10, "slices of equally many test units, where procedure is prequential", ge=1)
    slice_units: int | None = option(
        None, "units of a slice, where procedure is prequential; none: as many as make `slices` slices", ge=1
    )
    without_update: WithoutUpdate = option(
        "keep",
        "what prequential does after each slice with a model that has no update: keep it as it was fitted, or "
        "refit a new one on all past units",
    )
    feedback_budget: int = option(
        0,
        "labels of alarms, the highest scores first, that a model with update is told after each slice of "
        "prequential; 0: none",
        ge=0,
    )
    feedback_delay: int = option(0, "units after an alarm until its label is known, where one is told", ge=0)
    duplicates: Duplicates = option("all", "which metrics are the headline: all units or distinct ones", late=True)

    def __post_init__(self) -> None:
        if self.contamination is not None and self.content == "labelled":
            raise ConfigError(
                "protocol.contamination adds anomalies that nobody knows, but protocol.content=labelled; use "
                "content=normal or mixed, or protocol.label_noise for wrong labels"
            )
        if self.label_noise and self.content != "labelled":
            raise ConfigError(
                f"protocol.label_noise flips labels that train, but protocol.content={self.content} trains "
                "without labels; use content=labelled, or protocol.contamination for unlabelled anomalies"
            )
        self._check_labels()
        if self.cut != "all" and self.train != "ratio":
            raise ConfigError(
                f"protocol.cut={self.cut} cuts in time, but protocol.train={self.train} does not; use train=ratio"
            )
        if self.target_alone and self.target_units < 2:
            raise ConfigError(
                f"protocol.target_alone: nothing else trains, so protocol.target_units={self.target_units} must "
                "be 2 or more: one to train, one to hold out"
            )
        if self.test_reserve is not None:
            self._check_reserve(self.test_reserve)
        self._check_procedure()

    def _check_procedure(self) -> None:
        """Slices are in time order, and nothing that they learn from comes from the future."""
        if self.procedure == "batch":
            for name in SLICED:
                if getattr(self, name) != AS_BEFORE[name]:
                    raise ConfigError(
                        f"protocol.{name} is for slices, but protocol.procedure=batch has none; set "
                        "protocol.procedure=prequential"
                    )
            return
        if self.train != "ratio" or self.cut != "all":
            other = f"train={self.train}" if self.train != "ratio" else f"cut={self.cut}"
            raise ConfigError(
                f"protocol.procedure=prequential tests what comes after the training, but protocol.{other} does "
                "not cut all units at one time; use train=ratio and cut=all"
            )
        if self.threshold == "oracle":
            raise ConfigError(
                "protocol.threshold=oracle is chosen on labels of the future, but protocol.procedure=prequential "
                "chooses from past units alone; use threshold=validation or fixed"
            )
        for name in ("contamination", "label_noise", "test_label_noise", "label_budget"):
            if getattr(self, name):
                raise ConfigError(
                    f"protocol.{name} makes training and test units unlike in what is known of them, but under "
                    "protocol.procedure=prequential test units train, too; leave one of them out"
                )
        if self.template_match is not None or self.target_units or self.target_reserve:
            raise ConfigError(
                "protocol.procedure=prequential adds keys slice by slice, on one data set; leave "
                "protocol.template_match, target_units and target_reserve out"
            )
        if self.unstable in PARSE_ERRORS:
            raise ConfigError(
                f"protocol.unstable={self.unstable} changes keys of the training's parser, but under "
                "protocol.procedure=prequential later slices add keys; leave one of them out"
            )
        if self.feedback_delay and not self.feedback_budget:
            raise ConfigError(
                f"protocol.feedback_delay={self.feedback_delay} delays labels, but protocol.feedback_budget=0 "
                "tells none; give a budget"
            )

    def _check_labels(self) -> None:
        """A budget of labels, or a threshold from them, needs units with labels."""
        budget, content = self.label_budget, self.content
        if budget is not None and content != "labelled":
            raise ConfigError(
                f"protocol.label_budget={budget:g} is for labels that a model may see, but "
                f"protocol.content={content} shows none; use content=labelled"
            )
        if budget is not None and budget > 1 and budget != int(budget):
            raise ConfigError(f"protocol.label_budget={budget:g}: above 1 it is a whole number of training units")
        if self.threshold == "labelled" and content != "labelled":
            raise ConfigError(
                f"protocol.threshold=labelled needs held-out units with labels, but protocol.content={content} "
                "shows none; use content=labelled, or threshold=validation"
            )

    def _check_reserve(self, reserve: float) -> None:
        """A reserve that could not hold what trains, or means nothing, is said before anything runs."""
        size = SIZES[self.train]
        if size is None:
            raise ConfigError(
                f"protocol.test_reserve: protocol.train={self.train} has its own test set; leave it out"
            )
        trains = getattr(self, size)
        if reserve < trains:
            raise ConfigError(
                f"protocol.test_reserve={reserve:g} is less than {size}={trains:g}: training units would be tested"
            )
        if size == "train_units" and reserve != int(reserve):
            raise ConfigError(
                f"protocol.test_reserve={reserve:g}: a number of units, as protocol.train={self.train}"
            )
        if size == "train_ratio" and reserve > 1:
            raise ConfigError(
                f"protocol.test_reserve={reserve:g}: a share up to 1, as protocol.train={self.train}"
            )

    @property
    def largest(self) -> EvaluationProtocol:
        """The protocol whose training share leaves the test set of this one."""
        size = SIZES[self.train]
        if self.test_reserve is None or size is None:
            return self
        reserve = int(self.test_reserve) if size == "train_units" else self.test_reserve
        return dataclasses.replace(self, test_reserve=None, **{size: reserve})  # type: ignore[arg-type]

    @classmethod
    def of(cls, known: Mapping[str, Any], **changes: Any) -> EvaluationProtocol:
        """The protocol of a record or bundle, with or without its hash, under changed fields.

        Under another threshold a `value` that is not changed too goes: it was given for the fixed one.

        Raises:
            ConfigError: an unknown field, or a wrong value.
        """
        if changes.get("threshold", "fixed") != "fixed":
            changes.setdefault("value", None)
        values = {name: value for name, value in known.items() if name != "hash"} | changes
        made: EvaluationProtocol = make(cls, values, "protocol")
        return made

    def short_limit(self, needed: int, model: str) -> int:
        """Events below which a unit is short: `min_events`, or what the model itself needs where that is 0.

        Args:
            needed: events of the shortest unit that the model can score. model: its name.

        Raises:
            IncompatibleError: the model needs more than `min_events`.
        """
        if 0 < self.min_events < needed:
            raise IncompatibleError(
                f"model {model} needs units of {several(needed, 'event')}, but "
                f"protocol.min_events={self.min_events}; give at least "
                f"{needed}, or 0 to let each model have its own limit"
            )
        return self.min_events or needed

    @property
    def digest(self) -> str:
        """16 hex digits that change with any field."""
        fields = dataclasses.asdict(self)
        fields = {
            name: value for name, value in fields.items() if name not in AS_BEFORE or value != AS_BEFORE[name]
        }
        text = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """Every field, and the hash, for the record."""
        return {**dataclasses.asdict(self), "hash": self.digest}


# Kinds of `train` whose split seed draws which units train and which are tested.
REDRAWN = ("random", "random_ratio", "group")


def redraws(protocol: Mapping[str, Any]) -> str:
    """What another split seed draws anew beside the held-out units, in words; empty where it is nothing.

    Args:
        protocol: fields of the protocol, as a record has them.

    Examples:
        >>> redraws({"train": "random"})
        'which units train'
    """
    if protocol["train"] in REDRAWN:
        return "which units train"
    if protocol.get("contamination"):
        return "which anomalies train"
    if protocol.get("label_noise"):
        return "which labels are wrong"
    if protocol.get("test_label_noise"):
        return "which tested labels are wrong"
    return "which labels are seen" if protocol.get("label_budget") else ""


def late_fields(uses_alpha: bool) -> tuple[str, ...]:
    """Names of the protocol's fields that act after scoring; all others need a new run.

    Args:
        uses_alpha: the model's trait: it fits under `alpha`, which then acts before scoring.

    Examples:
        >>> late_fields(uses_alpha=False)[:3]
        ('min_events', 'short', 'unseen')
    """
    late = (field.name for field in dataclasses.fields(EvaluationProtocol) if field.metadata["late"])
    return tuple(name for name in late if not (uses_alpha and name == "alpha"))
