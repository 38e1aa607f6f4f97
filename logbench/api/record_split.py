"""Sections of a record about units and labels: who trains, what may be seen, what was checked against leaks."""

from __future__ import annotations

from typing import Annotated, Literal

# Of `typing_extensions`, because pydantic reads no other TypedDict before Python 3.12.
from typing_extensions import TypedDict


class Flipped(TypedDict):
    """Units with a wrong label, by true class."""

    normal: Annotated[int, "normal units that train, or are tested, as anomalous"]
    anomaly: Annotated[int, "anomalous units that train, or are tested, as normal"]


class GroupFacts(TypedDict):
    """How the groups of units are split."""

    train: Annotated[int, "groups that train"]
    test: Annotated[int, "groups that are tested"]
    shared: Annotated[int, "groups that do both"]
    test_units_shared: Annotated[int, "tested units whose group trains, too"]
    units_without: Annotated[int, "units of no group; together they count as one"]


class UnstableFacts(TypedDict):
    """What `protocol.unstable` changed."""

    units: Annotated[int, "units that were changed"]
    events: Annotated[int, "events that were edited, removed, repeated, moved, delayed or given another key"]
    templates: Annotated[int | None, "templates that were edited or misparsed; null for other changes"]


class TransferFacts(TypedDict):
    """What passed from one data set to another."""

    source_train: Annotated[int, "units of the source that train"]
    target_train: Annotated[int, "units of the target that train, without their labels"]
    source_held_out: Annotated[int, "units of the source that are held out"]
    target_held_out: Annotated[int, "units of the target that are held out"]
    messages: Annotated[int, "distinct masked messages of the tested units"]
    same: Annotated[int, "those that training has, word for word"]
    parsed: Annotated[int, "others that the parser gives a known key"]
    near: Annotated[int, "others that have the key of the nearest template, by `template_match`"]
    unseen: Annotated[int, "others: their keys are unseen"]
    events: Annotated[int, "events of the tested units"]
    events_unseen: Annotated[int, "those whose key is unseen"]


class SplitFacts(TypedDict, total=False):
    """Which units train, are held out and are tested."""

    seed: Annotated[int, "the protocol's `split_seed`"]
    digest: Annotated[str, "over names and labels of the units on each side: equal digests, equal splits"]
    test_digest: Annotated[str, "the same of the test units"]
    held_out_digest: Annotated[str, "the same of the held-out units"]
    train: Annotated[int, "units that train"]
    held_out: Annotated[int, "units held out of training, for stopping and thresholds"]
    test: Annotated[int, "units that are tested"]
    straddling: Annotated[
        int | None,
        "training units that hold lines from after the first one of the units tested later; they follow their "
        "first line. Null where the split is not chronological, or lines are not known (key sequences)",
    ]
    left_out: Annotated[int, "units of the training share that neither train nor are tested, such as anomalies"]
    reserved: Annotated[int, "units that neither train nor are tested by `test_reserve`"]
    contaminating: Annotated[int, "anomalies that train unlabelled, by `contamination`"]
    training_anomalies: Annotated[int, "anomalies among the training and held-out units, for whatever reason"]
    flipped: Annotated[Flipped, "training and held-out units whose label is wrong by `label_noise`"]
    flipped_test: Annotated[Flipped, "tested units whose label is wrong by `test_label_noise`"]
    unstable: Annotated[UnstableFacts | None, "what `protocol.unstable` changed; null where it changed nothing"]
    transfer: Annotated[TransferFacts | None, "what passed from `dataset.source`; null where one data set is all"]
    groups: Annotated[GroupFacts | None, "where units have groups"]
    shared_lines: Annotated[int | None, "lines of units on both sides; null for key sequences"]


class LabelFacts(TypedDict, total=False):
    """Labels of training and held-out units. Empty where the protocol shows none."""

    seen: Annotated[int, "labels that a model may see, by `content=labelled` and `label_budget`"]
    seen_normal: Annotated[int, "those that say normal, right or wrong"]
    seen_anomalous: Annotated[int, "those that say anomalous, right or wrong"]
    used: Annotated[
        int,
        "labels handed out: of every unit that a supervised model got with one, or that a semi-supervised model "
        "got because it is known to be normal; 0 for an unsupervised one",
    ]


class AloneFacts(TypedDict):
    """Units scored again without the others."""

    units: Annotated[int, "units scored again without the others"]
    differ: Annotated[int, "those whose score or verdict is another then"]


class StreamAudit(TypedDict):
    """What was checked of a stream of slices: whatever was learned from a unit came after its test."""

    tested: Annotated[int, "units tested, each once, in order of time"]
    learned: Annotated[int, "those among them that the model learned from, each after its slice was tested"]
    told: Annotated[int, "labels of them that were told, each `feedback_delay` units after its own or later"]
    order: Annotated[Literal["last lines"], "what is in order: no unit is tested after one that ended later"]


class AuditFacts(TypedDict, total=False):
    """What was checked against leaks."""

    units: Annotated[int, "units on the sides, none of them on two"]
    shared_lines: Annotated[int | None, "as under `split`"]
    lines_cut: Annotated[bool, "the lines were split before windows were made, so that no window is on two sides"]
    chronological: Annotated[
        Literal["lines", "first lines"] | None,
        "what is in order: all lines, or the first lines of units; null where the protocol does not claim it",
    ]
    parser_messages: Annotated[int, "distinct messages that the parser was fitted on, all of training units"]
    labels: Annotated[
        Literal["none", "training units", "training and held-out units"], "which labels the model was given"
    ]
    threshold: Annotated[str, "what the threshold was chosen on"]
    files: Annotated[
        list[str],
        "files that the model opened beside its own distribution's, which may hold labels; where there are any",
    ]
    alone: Annotated[
        AloneFacts | Literal["declared"],
        "whether scores stand alone; `declared` where the model says that they depend on what else is scored",
    ]
    stream: Annotated[StreamAudit, "under `procedure = prequential`: no unit trained before it was tested"]
