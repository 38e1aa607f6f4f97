"""Save a model with everything needed to score new logs, and load it again, without pickle."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.components import Kind
from ..api.contracts import Embedding
from ..api.protocol import EvaluationProtocol
from ..base import checksums
from ..base.errors import ConfigError, DataError
from ..base.files import whole
from ..base.jsonable import to_jsonable
from ..base.regular_files import read_text
from ..components.configured import ConfiguredComponent, configured
from ..components.entry import RegisteredComponent
from ..data.sessions import Sessions
from ..data.usual_counts import UsualCounts
from ..pipeline.embedding import embed, fit_embedding, training_texts
from ..pipeline.grouping import GroupedLines
from ..pipeline.parsing import Vocabulary, sessions_of
from .identity import component
from .needs import vectors_of
from .resolve import ResolvedPlan, stored_dataset

if TYPE_CHECKING:
    from ..components.registry import Registry
    from .prepared import Prepared

BUNDLE_VERSION = 2
FILE = "bundle.json"
USUAL = "usual_counts.parquet"
# Name of every bundle in its checksums, so that users may rename its folder.
NAME = "bundle"


def save_bundle(
    folder: Path,
    resolved: ResolvedPlan,
    prepared: Prepared,
    model: Any,
    run_id: str,
    threshold: Mapping[str, Any],
    usual: UsualCounts,
) -> None:
    """Write parser state, vocabulary, windower, threshold and protocol as JSON, next to the model's own files.

    Args:
        usual: how often the training has each key, to say what is unusual about new units.

    Raises:
        DataError: the folder exists, or cannot be written.
    """
    if folder.exists():
        raise DataError(f"--save {folder}: already exists; nothing was overwritten, choose another name")
    facts = {
        "bundle_version": BUNDLE_VERSION,
        "run_id": run_id,
        "components": {kind: _saved(part) for kind, part in resolved.single.items()},
        "protocol": dataclasses.asdict(resolved.protocol),
        "short_limit": resolved.short_limit,
        "threshold": threshold,
        "templates": list(prepared.vocabulary.templates),
        "vocabulary": prepared.vocabulary.state(),
        "training_units": usual.total,
    }
    if resolved.embedding is not None:
        facts["texts"] = training_texts(prepared.vocabulary, vectors_of(resolved.needs))
    with whole(folder) as target:
        (target / "model").mkdir()
        model.save(target / "model")
        (target / FILE).write_text(json.dumps(to_jsonable(facts), ensure_ascii=False, indent=1), encoding="utf-8")
        usual.frame.write_parquet(target / USUAL)
        checksums.write(target, NAME)


def _saved(part: ConfiguredComponent[Any]) -> dict[str, Any]:
    facts, entry = component(part), part.entry
    placed = {} if entry.address == part.name else {"file": entry.address}
    return {"config": part.as_dict(), **facts["plugins"][0], **facts, **placed}


class Bundle:
    """A saved model, loaded.

    Attributes:
        edited: plugins whose code has changed since the model was saved.
        usual: how often the training has each key; None where the bundle does not tell.
        embedding: fitted on the texts of the training; None where the model takes no vectors.

    Raises:
        DataError: `folder` holds no bundle, a damaged one, or one of another version.
        ConfigError: a component of the bundle is not installed.
    """

    def __init__(self, folder: Path, registry: Registry) -> None:
        path = folder / FILE
        try:
            self.facts = json.loads(read_text(path))
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"{path}: no bundle to read ({reason}); give the folder that --save wrote") from None
        if self.facts["bundle_version"] != BUNDLE_VERSION:
            raise DataError(
                f"{path}: bundle version {self.facts['bundle_version']}, this logbench reads {BUNDLE_VERSION}"
            )
        if (folder / checksums.FILE).exists() and (wrong := checksums.fault(folder, NAME)):
            raise DataError(f"{folder}: the bundle is damaged ({wrong}); save it again")
        self.parts: dict[str, ConfiguredComponent[Any]] = {}
        for kind, saved in self.facts["components"].items():
            try:
                entry = _entry(kind, saved, registry)
            except ConfigError as error:
                raise ConfigError(f"{error}; this bundle needs {_needed(saved)}") from None
            self.parts[kind] = configured(entry, saved["config"])
        self.edited = [
            name for kind, saved in self.facts["components"].items() for name in _edited(saved, self.parts[kind])
        ]
        self.protocol = EvaluationProtocol.of(self.facts["protocol"])
        self.short_limit: int = self.facts["short_limit"]
        self.vocabulary = Vocabulary.restore(
            self.parts["parser"].build(), self.facts["vocabulary"], self.facts["templates"]
        )
        self.usual: UsualCounts | None = None
        if (folder / USUAL).exists():  # bundles of older versions have none
            self.usual = UsualCounts(pl.read_parquet(folder / USUAL), self.facts["training_units"])
        self.embedding: Embedding | None = None
        if "embedding" in self.parts:
            self.embedding = self.parts["embedding"].build()
            fit_embedding(self.embedding, self.parts["embedding"].name, self.facts["texts"])
        self.model = self.parts["model"].build()
        self.model.load(folder / "model")

    def sessions_of(self, grouped: GroupedLines) -> Sessions:
        """Sessions of new lines as the model takes them, with vectors if it takes any."""
        sessions = sessions_of(grouped, self.vocabulary, np.ones(len(grouped)))
        if self.embedding is None:
            return sessions
        need = vectors_of(self.parts["model"].entry.item.traits.needs)
        return embed(sessions, grouped, self.vocabulary, need, self.embedding, self.facts["texts"]).sessions


def _entry(kind: Kind, saved: Mapping[str, Any], registry: Registry) -> RegisteredComponent[Any]:
    """The component that was saved; one in a file is looked for where it was, and in the working directory."""
    if kind == "dataset":
        return stored_dataset(saved["name"], saved["config"], registry)
    if "file" not in saved:
        return registry.get(kind, saved["name"])
    here = [_found(member) for member in saved["file"].split("+")]
    return registry.get(kind, "+".join(here))


def _found(address: str) -> str:
    file, colon, name = address.rpartition(":")
    other = Path(file).name
    return f"{other}:{name}" if colon and not Path(file).exists() and Path(other).exists() else address


def _needed(saved: Mapping[str, Any]) -> str:
    if "file" in saved:
        return f"the file {saved['distribution']}, there or in the working directory"
    return f"{saved['distribution']} {saved['version']}"


def _edited(saved: Mapping[str, Any], part: ConfiguredComponent[Any]) -> Iterator[str]:
    """Plugins of a component whose code has changed, if both versions are known."""
    before = {(one["distribution"], one["plugin"]): one["code"] for one in saved.get("plugins", ())}
    for one in component(part)["plugins"]:
        code = before.get((one["distribution"], one["plugin"]))
        if code and one["code"] and code != one["code"]:
            yield f"{one['plugin']} ({one['distribution']})"
