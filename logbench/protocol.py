"""The evaluation protocol: everything outside the model that moves its figures, under one name and hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .config import make, option
from .errors import ConfigError

Train = Literal["first", "random", "given", "ratio", "random_ratio", "per_class_ratio"]
Content = Literal["normal", "mixed", "labelled"]
Short = Literal["flag", "miss", "drop"]
Unseen = Literal["anomalous", "target", "ignore"]
Threshold = Literal["validation", "fixed", "oracle"]
Duplicates = Literal["all", "unique"]


@dataclass(frozen=True)
class EvaluationProtocol:
    """The same for every model that is compared. Field by field as in the protocol reference."""

    train: Train = option(
        "first",
        "which units train: first or random train_units, the data set's given part, ratio (chronological), "
        "random_ratio, or per_class_ratio",
    )
    train_units: int = option(4855, "training units where train is first or random", ge=1)
    train_ratio: float = option(
        0.5,
        "share of the units that train where train is a ratio; of the lines, where ratio cuts windows",
        gt=0,
        le=1,
    )
    content: Content = option("normal", "what trains: normal units, a mix without labels, or labelled units")
    contamination: float | None = option(
        None,
        "share of training units that are anomalies, unlabelled, of a reserve that is not tested, so that the "
        "test set is the same for every share; none: no reserve",
        ge=0,
        le=0.9,
    )
    split_seed: int = option(
        0, "seeds the choice of training and held-out units, apart from the model's seed", ge=0
    )
    held_out: float = option(
        0.1,
        "share of the training units set apart for stopping and thresholds; "
        "the last lines, where ratio cuts windows",
        ge=0,
        le=0.9,
    )
    min_events: int = option(0, "units below it are short; 0: what the compared models need", ge=0)
    short: Short = option("flag", "verdict on short units: flag, miss, or drop them from the metrics")
    unseen: Unseen = option(
        "target", "keys unseen in training: anomalous anywhere, where a model meets one as target, or ignore"
    )
    threshold: Threshold = option(
        "validation",
        "validation (label-free), fixed (the model's own), or oracle (best F1 on test: no honest result)",
    )
    alpha: float = option(0.005, "share of held-out weight that a validation threshold lets alarm", gt=0, le=1)
    value: float | None = option(None, "threshold where it is fixed; none: the model's own (DeepLog: g)")
    oracle_step: float | None = option(
        None, "an oracle threshold is a multiple of it, as in published grids; none: any score", gt=0
    )
    duplicates: Duplicates = option("all", "which metrics are the headline: all units or distinct ones")

    def __post_init__(self) -> None:
        if self.contamination is not None and self.content != "normal":
            raise ConfigError(
                f"protocol.contamination adds anomalies to normal units, but protocol.content={self.content}; "
                "use content=normal, or leave contamination out"
            )

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

    @property
    def digest(self) -> str:
        """16 hex digits that change with any field."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """Every field, and the hash, for the record."""
        return {**dataclasses.asdict(self), "hash": self.digest}
