"""The reporter that shows records, kept from ending the command."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from ..base.errors import PluginError
from ..base.no_exit import no_exit
from ..base.options import fields_of
from . import State


def reporter_of(state: State, name: str | None, each_seed: bool = False, metric: str = "f1") -> Any:
    """Build the reporter `name`, or the default one; it shows `metric` if it has such an option.

    Raises:
        ConfigError: the reporter is unknown, or cannot show each seed.
    """
    from ..components.configured import configured

    if name is None:
        offered = state.registry.components["reporter"]
        name = next((n for n, entry in offered.items() if entry.item.default), next(iter(offered), "table"))
    entry = state.registry.get("reporter", name)
    options: dict[str, Any] = {"each_seed": True} if each_seed else {}
    if metric != "f1" and "metric" in fields_of(entry.item.config):
        options["metric"] = metric
    part = configured(entry, options)
    return GuardedReporter(name, part.build())


class GuardedReporter:
    """Wraps a reporter so that its faults become errors of one line; the runs are already recorded."""

    def __init__(self, name: str, own: Any) -> None:
        self.name, self.own = name, own

    def report(self, records: Sequence[Mapping[str, Any]]) -> str:
        """See `Reporter.report`.

        Raises:
            PluginError: the reporter fails; its traceback goes to standard error.
        """
        try:
            with no_exit():
                text = self.own.report(records)
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            said = f"{type(error).__name__}: {error}"
            raise PluginError(
                f"reporter {self.name!r} failed: {said}; the runs are recorded (logbench runs)"
            ) from None
        if not isinstance(text, str):
            raise PluginError(f"reporter {self.name!r} must return a text, got {type(text).__name__}")
        return text
