"""What `--over` says: options of a model or of the protocol, and the values that each takes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ...api.protocol import EvaluationProtocol, late_fields
from ...base.errors import ConfigError
from ...base.options import fields_of, suggest
from ...running.resolve import ResolvedPlan

NUMBER = r"(?:\d+\.?\d*|\.\d+)"
SPAN = re.compile(rf"(-?{NUMBER}):(-?{NUMBER})(?::({NUMBER}))?")
# Where another choice begins.
NEXT = re.compile(r",\s*(?=[\w.-]+\s*=)")
# Fields of a plan that are no option of a component.
WHOLE = ("seed", "embedding")
# Most values of one choice.
MOST = 10_000


@dataclass(frozen=True)
class Choice:
    """One option and the values it takes.

    Attributes:
        name: as typed. component, key: as in `--set component.key=value`; a field of the plan has no component.
        late: it acts after scoring, so that all its values share one run.
    """

    name: str
    component: str
    key: str
    values: tuple[str, ...]
    late: bool


def choices(texts: Sequence[str], resolved: ResolvedPlan) -> list[Choice]:
    """What `--over` means for a model: `g=1:15`, `protocol.alpha=0.01,0.05`, `g=1:15,passes=20,60`, `seed=0:4`.

    Raises:
        ConfigError: not of this form, or no such option.
    """
    found = [_choice(part, resolved) for text in texts for part in NEXT.split(text)]
    if twice := next((c.name for c in found if [o.name for o in found].count(c.name) > 1), None):
        raise ConfigError(f"--over {twice} is given twice")
    return found


def _choice(text: str, resolved: ResolvedPlan) -> Choice:
    name, equals, values = text.partition("=")
    name = name.strip()
    listed = tuple(itertools.islice(_values(values), MOST + 1))
    if len(listed) > MOST:
        raise ConfigError(f"--over {text}: more than {MOST:,} values")
    if not (name and equals and listed):
        raise ConfigError(f"--over {text}: expected KEY=VALUES, such as g=1:15 or passes=20,60")
    component, _, key = name.rpartition(".")
    options, protocol = fields_of(resolved.model.entry.item.config), fields_of(EvaluationProtocol)
    if not component and (key in options or key not in WHOLE):
        component = "model" if key in options else "protocol"
        if key not in options and key not in protocol:
            known = {*options, *protocol, *WHOLE}
            raise ConfigError(
                f"--over {name}: neither {resolved.model.name} nor the protocol has it{suggest(key, known)}"
            )
    if (
        not component
        and key == "seed"
        and (wrong := next((value for value in listed if not value.isdecimal()), None))
    ):
        raise ConfigError(f"--over {text}: a seed is a whole number from 0, not {wrong}")
    own = component in ("model", resolved.model.name) and key in options
    if (component, key) == ("protocol", "value") and resolved.is_rule:
        raise ConfigError(
            f"--over {text}: {resolved.model.name} only says yes or no, so it has no threshold to set"
        )
    late = (component == "protocol" and key in late_fields(resolved.uses_alpha)) or (
        own and bool(options[key].metadata.get("late"))
    )
    return Choice(name, component, key, listed, late)


def _values(text: str) -> Iterator[str]:
    for part in text.split(","):
        if span := SPAN.fullmatch(part.strip()):
            first, last, step = (Decimal(number or 1) for number in span.groups())
            while step and first <= last:
                yield str(first)
                first += step
        elif part.strip():
            yield part.strip()


def combinations(several: Sequence[Choice]) -> list[dict[str, str]]:
    """Every combination of their values, by the names of the choices; one empty one where there is no choice."""
    every = itertools.product(*(choice.values for choice in several))
    return [dict(zip((choice.name for choice in several), values, strict=True)) for values in every]
