"""Small wrong plugins, by kind: what each does wrong, the rule that finds it, and how it is built.

No rule that stood before found any of them. What no rule can decide is in `UNDECIDABLE`, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mutants_evaluators import EVALUATORS
from mutants_models import MODELS
from mutants_parsers import PARSERS
from mutants_reporters import REPORTERS
from mutants_windowers import WINDOWERS

Cases = Mapping[str, tuple[str, Any, Mapping[str, Any]]]
MUTANTS: Mapping[str, Cases] = {
    "model": MODELS,
    "parser": PARSERS,
    "windower": WINDOWERS,
    "evaluator": EVALUATORS,
    "reporter": REPORTERS,
}
