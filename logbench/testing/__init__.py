"""Contract checks for components: `logbench check NAME`, `pytest --logbench NAME`, or from Python

    from logbench.testing import check
    assert not [outcome for outcome in check("model", "mine") if outcome.status == "violation"]

and the small material that the checks use, for tests of your own (`tiny`, or pytest's fixture `tiny_dataset`);
`registry(models=[…])` offers components that are not installed.
Names load on first use: pytest reads this package's plugin in every project where logbench is installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .command import Done
    from .material import Tiny, tiny
    from .names import kinds_of
    from .outcome import Outcome, ViolationError
    from .registries import registry
    from .rule import Rule, Subject
    from .rules import check, rules_of

_LAZY = {
    **dict.fromkeys(("Outcome", "ViolationError"), "outcome"),
    **dict.fromkeys(("Rule", "Subject"), "rule"),
    **dict.fromkeys(("check", "rules_of"), "rules"),
    **dict.fromkeys(("Tiny", "tiny"), "material"),
    "Done": "command",
    "kinds_of": "names",
    "registry": "registries",
}
__all__ = [
    "Done",
    "Outcome",
    "Rule",
    "Subject",
    "Tiny",
    "ViolationError",
    "check",
    "kinds_of",
    "registry",
    "rules_of",
    "tiny",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'logbench.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
