"""Apply the rules of a kind to a component."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ..api.components import BaseComponent, Kind
from ..base.errors import ConfigError
from ..base.options import suggest
from ..base.temporary_folders import temporary_folder
from ..components.at_hand import admit
from ..components.configured import ConfiguredComponent, configured
from ..components.registry import KINDS, Registry
from ..components.requirements import lack
from ..testing import common_rules
from .names import Checked, entry_of
from .outcome import InapplicableError, Outcome
from .rule import RULES, Rule, Subject

# Modules of this package with the rules of a kind, in order.
FILES: Mapping[Checked, tuple[str, ...]] = {
    "model": (
        "model",
        "model_units",
        "model_material",
        "model_symmetry",
        "model_updates",
        "model_labels",
        "model_events",
        "model_effects",
        "model_process",
    ),
    "parser": ("parser", "parser_templates", "parser_large"),
    "windower": ("windower", "windower_pieces", "windower_names"),
    "embedding": ("embedding",),
    "evaluator": ("evaluator", "evaluator_frames", "evaluator_meaning"),
    "dataset": ("dataset", "dataset_labels", "dataset_facts", "dataset_listing"),
    "reporter": ("reporter", "reporter_rows", "reporter_columns", "reporter_escapes"),
    "preset": ("published",),
    "table": ("published",),
    "command": ("subcommand",),
    "notification": ("notification",),
}


def rules_of(kind: Checked) -> list[Rule]:
    """Rules of a kind: its own, then those for all; `options` are of components alone."""
    for name in FILES[kind]:
        importlib.import_module(f".{name}", __package__)
    common = [Rule(name, summary, check) for name, summary, check in common_rules.RULES]
    return [*RULES[kind], *(one for one in common if kind in KINDS or one.name != "options")]


def rules_for(one: Subject) -> list[Rule]:
    """Rules to apply to a subject: those of its kind, or a skipped one if what it requires is missing."""
    entry = one.part.entry
    if not (isinstance(entry.item, BaseComponent) and (lacking := lack(entry))):
        return rules_of(one.kind)

    def installed(_: Subject) -> None:
        raise InapplicableError(lacking)

    return [Rule("requires", "what it requires is installed", installed)]


def expectations(words: Sequence[str]) -> dict[str, str]:
    """Parse `RULE=WHY` arguments: rule → why it is violated on purpose.

    Raises:
        ConfigError: a reason is missing.
    """
    found = dict(word.partition("=")[::2] for word in words)
    if missing := [name for name, why in found.items() if not (name and why.strip())]:
        raise ConfigError(f"{missing[0]!r} is not RULE=WHY; give the reason why the rule is violated on purpose")
    return found


@contextlib.contextmanager
def subject(
    kind: Checked,
    name: str,
    registry: Registry,
    settings: Mapping[str, Any] | None = None,
    data: Path | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Iterator[Subject]:
    """A subject for rules: the component with its options, and a temporary folder.

    Raises:
        ConfigError: an unknown name, option, value or rule.
    """
    entry = entry_of(registry, kind, name)
    part = configured(entry, settings) if kind in KINDS else ConfiguredComponent(entry, None)
    own = getattr(getattr(entry.item, "traits", None), "expected_failures", {})
    expected = {**(own(part.config) if callable(own) else own), **(expected_failures or {})}
    known = [rule.name for rule in rules_of(kind)]
    if unknown := [one for one in expected if one not in known]:
        raise ConfigError(f"{name} is expected to fail a rule {unknown[0]!r}{suggest(unknown[0], known)}")
    with temporary_folder() as folder:
        yield Subject(kind, part, registry, folder, data.absolute() if data else None, expected)


def check(
    kind: Checked,
    name: object,
    *,
    registry: Registry | None = None,
    settings: Mapping[str, Any] | None = None,
    data: Path | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Apply the rules of a kind to a component, one outcome a rule.

    If what it requires is not installed there is one outcome, a skipped rule `requires`.

    Args:
        kind: kind of component, or `preset`, `table`, `command` or `notification` (its name is the plugin's).
        name: what the user types, `./my_model.py` among it; or a class, instance or factory at hand.
        registry: finds the component; by default all installed plugins.
        settings: options of the component, such as `{"steps": 5}`.
        data: raw files of a data set.
        expected_failures: rule → why it is violated on purpose: `{"labels": "it is an oracle on purpose"}`. If
            such a rule holds, that is a violation.

    Raises:
        ConfigError: an unknown name, option, value or rule.
    """
    registry = registry or Registry()
    if not isinstance(name, str):
        registry = registry.copy()
        name = admit(registry, cast(Kind, kind), name)
    with subject(kind, name, registry, settings, data, expected_failures) as one:
        for each in rules_for(one):
            yield each.judge(one)
