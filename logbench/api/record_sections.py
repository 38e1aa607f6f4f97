"""The sections of a record: every key with its type, and beside it what it means.

`docs/reference/record.md` and the JSON Schema of a record are made from these types. A key may be missing where
its section is `total=False`, as in a run that failed, or where it is `NotRequired`. A number that is not finite is
null in JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

# Of `typing_extensions`, because pydantic reads no other TypedDict before Python 3.12.
from typing_extensions import TypedDict

from .components import Direction
from .record_split import AuditFacts, LabelFacts, SplitFacts
from .record_stream import StreamFacts

# Where a threshold is from; `rule`: the model only says yes or no.
Source = Literal["validation", "labelled", "fixed", "oracle", "rule"]
# Metric → value; null where it is undefined. Evaluators name their metrics.
Figures = dict[str, float | None]


class PluginFacts(TypedDict):
    """The distribution and code of a plugin."""

    distribution: Annotated[
        str,
        "name of the installed distribution; of a file of the user's own its name, of a class given in Python its "
        "module",
    ]
    version: Annotated[str | None, "its version; null for a file or class"]
    code: Annotated[
        str | None,
        "12 hex digits over the plugin's files, or over the cells of a notebook's class; null where its code is "
        "not known",
    ]
    libraries: Annotated[
        str | None,
        "12 hex digits over the names, versions and file lists of the other distributions that it imports",
    ]


class NamedPlugin(PluginFacts):
    """A plugin that a component is made of."""

    plugin: Annotated[str, "its entry point; of a class given in Python its name"]


class ComponentFacts(TypedDict):
    """What a component is made of."""

    name: Annotated[str, "of the component"]
    plugins: Annotated[list[NamedPlugin], "plugins that it is made of, of a combination several"]


class Components(TypedDict, total=False):
    """What took part, by kind."""

    dataset: Annotated[ComponentFacts, "the data set"]
    parser: Annotated[ComponentFacts, "the parser"]
    windower: Annotated[ComponentFacts, "the windower"]
    embedding: Annotated[ComponentFacts, "the embedding, where the model takes vectors"]
    model: Annotated[ComponentFacts, "the model"]
    evaluators: Annotated[list[ComponentFacts], "the evaluators"]


class TrainedOn(TypedDict):
    """Another data set that trained."""

    name: Annotated[str, "of the data set"]
    config: Annotated[dict[str, Any], "its options"]
    windower: Annotated[dict[str, dict[str, Any]], "name of its windower → options"]
    components: Annotated[list[ComponentFacts], "what both are made of"]


class DatasetFacts(TypedDict, total=False):
    """The data: their name and digest, and counts. A windower or a reader adds counts of its own."""

    name: Annotated[str, "of the data set"]
    simulated: Annotated[bool, "generated: never to be set against published figures"]
    unit: Annotated[str, "what is scored, as under `metrics` (`session`)"]
    path: Annotated[str, "file or folder that was read"]
    digest: Annotated[str, "SHA-256 over the raw files and their names below `path`"]
    source: Annotated[TrainedOn, "another data set, which trained in place of this one; where there is one"]
    source_digest: Annotated[str, "SHA-256 over the raw files of `source`"]
    lines: Annotated[int, "lines read, those of `source` too"]
    events: Annotated[int, "events of all units (a line of two units is two events)"]
    sessions: Annotated[int, "units"]
    anomalies: Annotated[int, "anomalous units"]
    distinct: Annotated[int, "distinct key sequences"]
    keys: Annotated[int, "known keys: templates of the training lines"]
    parser_fit_differs: Annotated[
        int,
        "distinct training messages that the parser's `match` gives another key than `fit` did: every line has "
        "its key by `match`",
    ]
    parser_fit_unmatched: Annotated[int, "those among them that `match` has no key for, so that these are unseen"]
    normal_total: Annotated[
        float | None,
        "true number of normal units where they are a sample: metrics are weighted to it; else null",
    ]
    anomaly_total: Annotated[float | None, "the same of anomalous units"]
    lines_without_unit: Annotated[int, "lines that the windower gave to no unit"]
    labels_without_unit: Annotated[int, "labels of units that no line names"]
    units_without_label: Annotated[int, "units that nobody labelled"]
    units_partly_labelled: Annotated[
        int, "units that count as normal by some of their lines while others of these have no label"
    ]
    undecodable_lines: Annotated[int, "lines with bytes that are no UTF-8 (replaced)"]
    left_out_members: Annotated[
        int, "members of an archive that fit but were not read: links, devices, names that lead out of it"
    ]
    train_lines: Annotated[int, "training lines, where lines are cut before windows"]
    held_out_lines: Annotated[int, "held-out lines, likewise"]
    test_lines: Annotated[int, "test lines, likewise"]
    reserved_lines: Annotated[int, "lines kept back by `test_reserve`, likewise"]
    units_of_several_groups: Annotated[
        int, "units whose lines are of several groups; each is of the group of its first line"
    ]


class Config(TypedDict, total=False):
    """Options as resolved, each option → value."""

    dataset: Annotated[dict[str, Any], "of the data set"]
    parser: Annotated[dict[str, Any], "of the parser"]
    windower: Annotated[dict[str, Any], "of the windower"]
    embedding: Annotated[dict[str, Any], "of the embedding, where the model takes vectors"]
    model: Annotated[dict[str, Any], "of the model; of a combination by member"]
    evaluators: Annotated[dict[str, dict[str, Any]], "of the evaluators, by name"]


class EmbeddingFacts(TypedDict, total=False):
    """What an embedding did; empty where the model takes no vectors. An embedding adds counts of its own."""

    texts: Annotated[int, "distinct texts of training that it was fitted on: templates, or masked messages"]
    unseen: Annotated[int, "distinct texts beside them that it gave a vector"]
    width: Annotated[int, "columns of a vector"]
    unknown_words: Annotated[int, "distinct words without a vector, where it knows some words alone"]


class DecidedThreshold(TypedDict, total=False):
    """A threshold, and what the held-out units say of it."""

    value: Annotated[float | None, "a unit alarms where its score is above it; null where infinite"]
    exact: Annotated[str, "the same as text, infinity included"]
    source: Annotated[
        Source,
        "where it is from; `rule`: the model only says yes or no, its own holds whatever the protocol says",
    ]
    held_out: Annotated[int, "held-out units that it was chosen on, or tried on"]
    achieved: Annotated[float | None, "share of their weight that alarms; null without any"]
    reliable: Annotated[bool, "false where there are fewer than 1/alpha of them"]
    repeats: Annotated[int | None, "held-out units whose key sequence trains, too; null where not known"]


class OwnThreshold(TypedDict, total=False):
    """What a model's traits say of its threshold."""

    own: Annotated[float | None, "the model's own threshold, which `fixed` means"]
    rule: Annotated[bool, "whether the model only says yes or no"]
    uses_alpha: Annotated[
        bool,
        "whether it learned its own threshold from held-out units by `protocol.alpha`, as combinations do: "
        "another alpha needs another run",
    ]
    holds_rules: Annotated[
        bool,
        "whether it is a combination of rules and graded members: a rule's alarm holds under every threshold",
    ]


class ThresholdFacts(DecidedThreshold, OwnThreshold, total=False):
    """The threshold of units, and under `event` that of single events."""

    event: Annotated[DecidedThreshold, "where lines carry labels, the same of single events"]


class Excluded(TypedDict):
    """Labelled units that the protocol drops, by class."""

    normal: Annotated[int, "normal ones"]
    anomaly: Annotated[int, "anomalous ones"]


class Unjudged(TypedDict):
    """Events that the model cannot judge (DeepLog without `pad`)."""

    events: Annotated[int, "events without a score of their own"]
    of: Annotated[int, "all events of units that are not short"]
    units: Annotated[int, "units none of whose events is judged"]


class UnitCounts(TypedDict, total=False):
    """How many test units or events there are, by what was done with them."""

    labelled: Annotated[int, "with a label"]
    scored: Annotated[int, "labelled and in the metrics"]
    excluded: Annotated[Excluded, "labelled and not in the metrics; `scored` and these sum up to `labelled`"]
    short: Annotated[int, "with fewer than `short_limit` events: decided by the rule for short units"]
    unseen: Annotated[int, "with keys that training does not have"]
    repeats: Annotated[int, "whose key sequence trains, too; where known"]
    unlabelled: Annotated[int, "without a label"]


class UnitsDecided(UnitCounts, total=False):
    """Counts of a decision on units."""

    short_limit: Annotated[int, "events below which a unit is short"]
    unjudged: Annotated[Unjudged, "where the model cannot judge every event"]


class EventsDecided(UnitCounts, total=False):
    """Counts of a decision on single events."""

    short_limit: Annotated[int, "events below which a unit is short"]
    unjudged: Annotated[int, "events that the model cannot score"]


class Counts(UnitsDecided, total=False):
    """Counts of test units; of a run that failed before its verdicts only the limits."""

    needed: Annotated[int | None, "events of the shortest unit that the model can score; null where not known"]
    embedded_unseen: Annotated[
        int,
        "where the model takes vectors, events of all test units whose text training does not have: they have a "
        "vector all the same, so that they do not alarm by themselves",
    ]
    event: Annotated[EventsDecided, "the same of single events, where lines carry labels"]


class BoundFacts(TypedDict, total=False):
    """The best of any verdict that depends on the key sequence alone. Empty without labels."""

    f1: Annotated[float | None, "the highest F1 on the tested units; null where none is anomalous"]
    ambiguous: Annotated[int, "sequences with both labels"]
    units: Annotated[int, "anomalous units of such a sequence"]


class UnitMetrics(TypedDict):
    """Metrics of one unit or evaluator."""

    all: Annotated[Figures, "of every unit"]
    distinct: Annotated[
        Figures | None,
        "each pair of sequence and label once, with the mean verdict of its units; null where a class is weighted",
    ]
    unseen_sequences: NotRequired[
        Annotated[Figures | None, "of units whose key sequence does not train; null where every one does"]
    ]


# Unit (`session`, `event`) or evaluator → its metrics.
Metrics = dict[str, UnitMetrics]
# The same keys → metric → which way it is better.
Directions = dict[str, dict[str, Direction]]
# The same keys → metrics that tables show, in their order.
Columns = dict[str, list[str]]
# Rule without a model → its metrics.
RuleMetrics = dict[str, Metrics]


class StageFacts(TypedDict, total=False):
    """Time and memory of a stage. Models add counts of their own."""

    wall_s: Annotated[float, "wall time, seconds"]
    cpu_s: Annotated[float, "processor time, seconds"]
    peak_rss_mb: Annotated[
        float,
        "largest memory of the process, MB: of `fit` and `score` while they ran, else so far; the process may "
        "hold libraries of models that it served before",
    ]
    added_rss_mb: Annotated[
        float | None,
        "`fit`, `score`: by how much it was larger than the process when they began; null where not known",
    ]
    peak_gpu_mb: Annotated[float | None, "largest memory of the GPU, MB, likewise; null without GPU"]
    gpu: Annotated[str | None, "name of the GPU, where its memory was taken"]
    items: Annotated[int | None, "lines or units that went through"]
    items_per_s: Annotated[int | None, "the same a second of wall time"]
    shared: Annotated[bool, "true where an earlier model of the same command had done it already"]
    cached: Annotated[
        bool, "`locate`, `read`, `group`: true where it was in the cache; no other stage is ever cached"
    ]
    digest: Annotated[
        str | None,
        "of the same stages: the key of the cache, 12 hex digits over what was asked and 24 over that and the "
        "code that answers; the archive's checksum where it was fetched; null where it is not cached",
    ]
    learned_s: Annotated[
        float, "`score` under `procedure = prequential`: wall time of refits and updates between slices, seconds"
    ]
    generated: Annotated[bool, "`locate`: true where logbench made the data"]
    distinct: Annotated[int, "`score`: key sequences that were scored, where equal ones share one score"]


class EnvironmentFacts(TypedDict, total=False):
    """The machine, and versions."""

    python: Annotated[str, "version of Python"]
    platform: Annotated[str, "operating system"]
    processor: Annotated[str, "model of the processor"]
    cores: Annotated[int | None, "processors of the machine"]
    memory_mb: Annotated[int | None, "memory of the machine, MB"]
    packages: Annotated[dict[str, str | None], "name → version of the packages that figures depend on"]
    device: Annotated[str, "as asked for: `auto`, `cpu`, `cuda` or `mps`"]
    devices: Annotated[int, "where several processes trained and scored together, how many"]
    contended: Annotated[int, "where several runs went side by side, how many: their times mislead"]


class SourceFacts(TypedDict, total=False):
    """The code of logbench itself."""

    version: Annotated[str | None, "of the installed distribution"]
    code: Annotated[str | None, "12 hex digits over its files; null where one was edited since it was loaded"]
    revision: Annotated[str | None, "commit, in a checkout of its own"]
    dirty: Annotated[bool | None, "whether that checkout has changes"]


class ErrorFacts(TypedDict, total=False):
    """Why a run ended early."""

    stage: Annotated[str, "where"]
    type: Annotated[str, "of the exception"]
    message: Annotated[str, "one line"]
    traceback: Annotated[str, "of a bug"]


class SealedFacts(TypedDict, total=False):
    """Of a run on the sealed part of a data set: who signed it, and what kept the model from it; else empty."""

    key: Annotated[str, "public key of the maintainer: Ed25519 (RFC 8032), 64 hex digits"]
    fingerprint: Annotated[str, "16 hex digits that tell this key"]
    signature: Annotated[str, "of all other keys of the record but `checksums.record`, 128 hex digits"]
    share: Annotated[float, "of the units that is sealed"]
    units: Annotated[int, "units of the data set"]
    sealed_units: Annotated[int, "sealed ones among them"]
    shared_lines: Annotated[int, "lines of units of both parts; the open part has them without the sealed units"]
    digest: Annotated[str, "of the raw files that were sealed"]
    submission: Annotated[str, "SHA-256 of the submission; empty for an installed model"]
    walls: Annotated[
        Literal["namespaces", "python"], "what kept the model from network and sealed files: the system, or Python"
    ]


class Record(TypedDict):
    """A record as JSON: the fields of `RunRecord`."""

    run_id: Annotated[str, "unique, sorts by start"]
    started: Annotated[str, "when the run began: UTC, ISO 8601"]
    model: Annotated[str, "name of the model, `a+b` for a combination"]
    command: Annotated[str, "as typed; empty from Python"]
    record_version: Annotated[int, "raised when the meaning of a key changes; new keys do not raise it"]
    isolation: Annotated[Literal["worker", "in-process"], "whether the model ran in a process without labels"]
    status: Annotated[Literal["ok", "error", "skipped"], "how the run ended"]
    error: Annotated[ErrorFacts | None, "why it ended early"]
    plugins: Annotated[dict[str, PluginFacts], "entry point → plugin that took part"]
    components: Annotated[Components, "what took part, by kind"]
    dataset: Annotated[DatasetFacts, "the data"]
    protocol: Annotated[dict[str, Any], "every field of the protocol as asked for, and its `hash`"]
    preset: Annotated[str, "name of the preset whose protocol was the base; empty where there was none"]
    config: Annotated[Config, "options as resolved"]
    embedding: Annotated[EmbeddingFacts, "what the embedding did, where the model takes vectors"]
    seed: Annotated[int, "the model's seed"]
    stochastic: Annotated[bool, "false where no seed changes the model's scores"]
    needs: Annotated[list[str], "what the model was shown beside keys, such as messages, which may name the unit"]
    baseline: Annotated[bool, "true where nobody asked for the run by name"]
    public_text: Annotated[list[str], "components whose weights saw public text, and so perhaps these data"]
    sealed: Annotated[SealedFacts, "who signed a run on a sealed part"]
    split: Annotated[SplitFacts, "units on each side"]
    labels: Annotated[LabelFacts, "labels that a model may see, and those handed out"]
    audit: Annotated[AuditFacts, "checks against leaks"]
    training: Annotated[dict[str, Any], "what the model says of its training"]
    threshold: Annotated[ThresholdFacts, "the threshold and where it is from"]
    counts: Annotated[Counts, "counts of test units"]
    bound: Annotated[BoundFacts, "the best that key sequences alone allow"]
    metrics: Annotated[Metrics, "unit or evaluator → `all`, `distinct`, `unseen_sequences` → metric"]
    directions: Annotated[Directions, "unit or evaluator → metric → which way it is better"]
    columns: Annotated[Columns, "unit or evaluator → metrics that tables show"]
    trivial: Annotated[RuleMetrics, "rule without a model → the shape of `metrics`"]
    stream: Annotated[StreamFacts, "slice by slice, under `procedure = prequential`"]
    stages: Annotated[dict[str, StageFacts], "stage → time and memory"]
    environment: Annotated[EnvironmentFacts, "machine and versions"]
    source: Annotated[SourceFacts, "code of logbench"]
    notes: Annotated[list[str], "lines for the user"]
    artifacts: Annotated[dict[str, str], "name → path, relative to the folder of the records"]
    checksums: Annotated[dict[str, str], "artifact → SHA-256; `record` → that of the record without it"]
