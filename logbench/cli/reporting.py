"""The reporter that shows records, kept from ending the command."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.errors import DataError, PluginError
from ..base.no_exit import no_exit
from ..base.options import fields_of
from ..components.configured import configured
from ..components.registry import Registry
from ..running.reporting import reported
from ..studies.stored_runs import StoredRuns
from . import State
from .shared_options import note


def reporter_of(
    state: State, name: str | None, out: Path, each_seed: bool = False, metric: str = "f1"
) -> GuardedReporter:
    """Build the reporter `name`, or the default one; it shows `metric` if it has such an option.

    Args:
        out: the folder of the records.

    Raises:
        ConfigError: the reporter is unknown, or cannot show each seed.
    """
    if name is None:
        offered = state.registry.components["reporter"]
        name = next((n for n, entry in offered.items() if entry.item.default), next(iter(offered), "table"))
    entry = state.registry.get("reporter", name)
    options: dict[str, Any] = {"each_seed": True} if each_seed else {}
    if metric != "f1" and "metric" in fields_of(entry.item.config):
        options["metric"] = metric
    part = configured(entry, options)
    return GuardedReporter(part.name, part.build(), out, state.registry)


class GuardedReporter:
    """Wraps a reporter so that its faults become errors of one line; the runs are already recorded."""

    def __init__(self, name: str, own: Any, out: Path, registry: Registry | None = None) -> None:
        self.name, self.own, self.out, self.registry = name, own, out, registry

    def show(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Print what the reporter says of the records, and name the files that it wrote.

        Raises:
            PluginError: the reporter fails; its traceback goes to standard error.
            DataError: it asked for scores that were not kept.
        """
        runs = StoredRuns(self.out, self.name, registry=self.registry)
        try:
            with no_exit():
                text = reported(self.own, records, runs)
        except DataError as error:
            raise DataError(f"reporter {self.name!r}: {error}") from None
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            said = f"{type(error).__name__}: {error}"
            raise PluginError(
                f"reporter {self.name!r} failed: {said}; the runs are recorded (logbench runs)"
            ) from None
        if not isinstance(text, str):
            raise PluginError(f"reporter {self.name!r} must return a text, got {type(text).__name__}")
        print(text)
        for path in runs.written:
            note(f"wrote {path}")
