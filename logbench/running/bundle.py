"""Save a model with everything needed to score new logs, and load it again, without pickle."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..api.bundle_sections import SavedComponent
from ..api.components import Kind
from ..api.contracts import Embedding
from ..api.protocol import EvaluationProtocol
from ..base import checksums
from ..base.errors import PluginError
from ..base.files import check_free, whole
from ..base.jsonable import to_jsonable
from ..base.stored_formats import faulty_file
from ..components.configured import ConfiguredComponent, configured
from ..data.lines import KeySequences, Lines
from ..data.sessions import Sessions
from ..data.usual_counts import UsualCounts
from ..evaluation.verdicts import Decision
from ..pipeline.embedding import embed, fit_embedding, training_texts
from ..pipeline.grouping import GroupedLines
from ..pipeline.parsing import Vocabulary, sessions_of
from ..reading.data_parts import open_data
from ..reading.found_files import only_below
from .bundle_checks import BUNDLE_VERSION, FILE, NAME, checked_facts, fitting, shortened
from .bundle_parts import edited_since, entry_of, saved_part
from .held_out import held_out_units, load_held_out, save_held_out, units_a_day
from .needs import vectors_of
from .resolve import ResolvedPlan

if TYPE_CHECKING:
    import polars as pl

    from ..components.registry import Registry
    from .prepared import Prepared

USUAL, HELD_OUT = "usual_counts.npz", "held_out.npz"
KINDS: tuple[Kind, ...] = ("dataset", "parser", "windower", "embedding", "model")


def save_bundle(
    folder: Path,
    resolved: ResolvedPlan,
    prepared: Prepared,
    model: Any,
    run_id: str,
    decided: Decision,
    usual: UsualCounts,
    overwrite: bool = False,
) -> None:
    """Write parser state, vocabulary, windower, threshold and protocol as JSON, next to the model's own files.

    Args:
        usual: how often the training has each key, to say what is unusual about new units.
        overwrite: replace the bundle that is there.

    Raises:
        DataError: the folder exists, or cannot be written.
        PluginError: the model saves a file that no bundle may have, such as a pickle.
    """
    check_free("--save", folder, overwrite, FILE)
    facts = {
        "bundle_version": BUNDLE_VERSION,
        "run_id": run_id,
        "log": prepared.digest,
        "components": {kind: saved_part(part) for kind, part in resolved.single.items()},
        "protocol": dataclasses.asdict(resolved.protocol),
        "short_limit": resolved.short_limit,
        "threshold": {**decided.threshold, **resolved.model.own.as_dict()},
        "units_a_day": units_a_day(len(prepared.sessions), prepared.sessions.times),
        "templates": list(prepared.vocabulary.templates),
        "vocabulary": prepared.vocabulary.state(),
    }
    if resolved.embedding is not None:
        facts["texts"] = training_texts(prepared.vocabulary, vectors_of(resolved.needs))
    with whole(folder, overwrite) as target:
        (target / "model").mkdir()
        model.save(target / "model")
        if wrong := faulty_file(target / "model"):
            raise PluginError(f"model {resolved.model.name!r} cannot be saved in a bundle: {wrong}")
        save_held_out(target / HELD_OUT, held_out_units(decided.frame, prepared, resolved.protocol))
        (target / FILE).write_text(json.dumps(to_jsonable(facts), ensure_ascii=False, indent=1), encoding="utf-8")
        usual.save(target / USUAL)
        checksums.write(target, NAME)


class Bundle:
    """A saved model, loaded. Nothing in its folder runs code, and files of code that it names are not loaded.

    Args:
        folder: that `--save` wrote, perhaps a stranger's.
        code: files with components of the user's own that the bundle may name, each by its name.
        engine: loads the model of this folder in place of its own code, such as its exported graph.

    Attributes:
        edited: plugins whose code has changed since the model was saved.
        usual: how often the training has each key.
        slack: how far above a threshold scores may be by the engine's rounding; it is added to thresholds.
        embedding: fitted on the texts of the training; None where the model takes no vectors.

    Raises:
        DataError: `folder` holds no bundle, a damaged one, or one of another version.
        ConfigError: a component of the bundle is not installed, or is code of a file that is not named.
    """

    def __init__(
        self,
        folder: Path,
        registry: Registry,
        code: Sequence[Path] = (),
        engine: Callable[[Path], Any] | None = None,
    ) -> None:
        self.facts = checked_facts(folder)
        components = cast(Mapping[Kind, SavedComponent], self.facts["components"])
        with fitting(f"{folder}: the bundle does not fit its components"):
            self.parts: dict[Kind, ConfiguredComponent[Any]] = {
                kind: configured(entry_of(kind, components[kind], registry, code), components[kind]["config"])
                for kind in KINDS
                if kind in components
            }
            self.edited = [
                name for kind, part in self.parts.items() for name in edited_since(components[kind], part)
            ]
            self.protocol = EvaluationProtocol.of(self.facts["protocol"])
            self.short_limit: int = self.facts["short_limit"]
            self.vocabulary = Vocabulary.restore(
                self.parts["parser"].build(), self.facts["vocabulary"], self.facts["templates"]
            )
            self.embedding: Embedding | None = None
            if "embedding" in self.parts and self.facts["texts"]:  # none where the model does without
                self.embedding = self.parts["embedding"].build()
                fit_embedding(self.embedding, self.parts["embedding"].name, self.facts["texts"])
        self.usual = UsualCounts.load(folder / USUAL)
        self.slack = 0.0
        if engine is not None:
            self.model = engine(folder)
            self.slack = self.model.slack
        else:
            self.model = self.parts["model"].build()
            with fitting(f"{folder}: the saved model cannot be read"):
                self.model.load(folder / "model")
        self._held_out = folder / HELD_OUT

    @property
    def held_out(self) -> pl.DataFrame:
        """Scores of held-out units, see `held_out_units`.

        Raises:
            DataError: they are missing or damaged.
        """
        return load_held_out(self._held_out, self.vocabulary.templates)

    def read(self, data: Path) -> Lines | KeySequences:
        """New logs as the saved data set reads them, see `Dataset.read`.

        Raises:
            DataError: they cannot be read, or the bundle names files outside of `data`.
        """
        with only_below(), shortened():
            return open_data(self.parts["dataset"].build(), self.parts["dataset"].name, data)

    def sessions_of(self, grouped: GroupedLines) -> Sessions:
        """Sessions of new lines as the model takes them, with vectors if it takes any."""
        with fitting("the saved parser cannot match these lines"):
            sessions = sessions_of(grouped, self.vocabulary, np.ones(len(grouped)))
        if self.embedding is None:
            return sessions
        need = vectors_of(self.parts["model"].entry.item.traits.shown)
        with fitting("the saved embedding does not fit these lines"):
            return embed(sessions, grouped, self.vocabulary, need, self.embedding, self.facts["texts"]).sessions
