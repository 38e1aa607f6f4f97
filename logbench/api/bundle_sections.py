"""The keys of `bundle.json`, the description of a saved model; its JSON Schema is made from these types."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

# Of `typing_extensions`, because pydantic reads no other TypedDict before Python 3.12.
from typing_extensions import TypedDict

from .record_sections import ComponentFacts, NamedPlugin, ThresholdFacts


class SavedComponent(ComponentFacts, NamedPlugin):
    """A component with its options; the facts of a plugin beside its name are those of the first one."""

    config: Annotated[dict[str, Any], "options, each option → value"]
    file: NotRequired[Annotated[str, "path and name of one that a file of the user's own holds"]]


class SavedComponents(TypedDict):
    """What scores other logs, by kind."""

    dataset: Annotated[SavedComponent, "reads the logs"]
    parser: Annotated[SavedComponent, "the parser"]
    windower: Annotated[SavedComponent, "the windower"]
    embedding: NotRequired[Annotated[SavedComponent, "the embedding, where the model takes vectors"]]
    model: Annotated[SavedComponent, "the model"]


class SavedVocabulary(TypedDict):
    """The state of the parser, and what it gave, to check it by."""

    parser: Annotated[Any, "state of the parser"]
    messages: Annotated[list[str], "some training messages"]
    keys: Annotated[list[int], "the key of each of them"]


class BundleFacts(TypedDict):
    """A saved model: all but the model's own files."""

    bundle_version: Annotated[int, "raised when the meaning of a key changes"]
    run_id: Annotated[str, "the run that saved it"]
    log: NotRequired[Annotated[str, "SHA-256 over the raw files of the run's log"]]
    components: Annotated[SavedComponents, "what scores other logs, by kind"]
    protocol: Annotated[dict[str, Any], "every field of the protocol"]
    short_limit: Annotated[int, "events below which a unit is short"]
    threshold: Annotated[ThresholdFacts, "as in a record"]
    units_a_day: NotRequired[Annotated[float | None, "units that a day of the log makes; null without times"]]
    templates: Annotated[list[str], "the template of each key"]
    vocabulary: Annotated[SavedVocabulary, "the state of the parser"]
    texts: NotRequired[Annotated[list[str], "texts of the training that the embedding is fitted on again"]]
