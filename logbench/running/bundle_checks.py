"""Check the folder of a saved model before anything of it is used: it may be a stranger's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from ..api.bundle_sections import BundleFacts
from ..base import checksums
from ..base.errors import DataError, LogbenchError
from ..base.regular_files import read_text
from ..base.stored_formats import faulty_file

BUNDLE_VERSION = 3
FILE = "bundle.json"
# Name of every bundle in its checksums, so that users may rename its folder.
NAME = "bundle"
# Letters of a name, and the largest key.
LONGEST, LARGEST_KEY = 300, 2**31 - 1
# Letters of an error, which may repeat an option.
LONGEST_ERROR = 1000
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def checked_facts(folder: Path) -> BundleFacts:
    """The description of a saved model, whose files are as they were saved and of formats that run no code.

    Raises:
        DataError: there is no bundle, or one that is damaged, of another version, or made by hand; in one line.
    """
    path = folder / FILE
    try:
        facts = json.loads(text := read_text(path))
        if _HALF.search(text):  # of a pair; `--save` writes no such escape
            json.dumps(facts, ensure_ascii=False).encode()
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or (
            "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
        )
        raise DataError(f"{path}: no bundle to read ({reason}); give the folder that --save wrote") from None
    version = facts.get("bundle_version") if isinstance(facts, dict) else None
    if version != BUNDLE_VERSION or isinstance(version, bool):
        shown = version if isinstance(version, int) and abs(version) < 10**9 else "none"
        raise DataError(
            f"{path}: bundle version {shown}, this logbench reads {BUNDLE_VERSION}; save the model anew: "
            "logbench run … --save"
        )
    if wrong := checksums.fault(folder, NAME) or faulty_file(folder):
        raise DataError(f"{folder}: the bundle is damaged ({wrong}); save it again")
    if wrong := _schema_fault(facts) or next(_value_faults(cast(BundleFacts, facts)), ""):
        raise DataError(f"{path}: made by hand or damaged: {wrong}; save the model anew")
    return cast(BundleFacts, facts)


def _schema_fault(facts: Any) -> str:
    """Where the facts are not of their type, and why; empty if they are."""
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(BundleFacts).validate_python(facts, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:LONGEST]
        return f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}"[:LONGEST]
    return ""


def _value_faults(facts: BundleFacts) -> Iterator[str]:
    """What no run writes although it is of the right type."""
    for where, name in _names({"run_id": facts["run_id"], "components": facts["components"]}):
        if len(name) > LONGEST or not name.isprintable():
            yield f"{where}: a name of signs that cannot be seen, or of more than {LONGEST}"
    vocabulary, threshold = facts["vocabulary"], facts["threshold"]
    if len(vocabulary["messages"]) != len(vocabulary["keys"]):
        yield "vocabulary: not one key a message"
    if not all(-1 <= key < len(facts["templates"]) <= LARGEST_KEY for key in vocabulary["keys"]):
        yield "vocabulary.keys: a key without a template"
    if not 0 <= facts["short_limit"] <= LARGEST_KEY:
        yield "short_limit: no number of events"
    if "embedding" in facts["components"] and "texts" not in facts:
        yield "texts: missing, but the model has an embedding"
    try:
        exact = float(threshold["exact"])
    except (KeyError, ValueError):
        yield "threshold.exact: no number"
        return
    if (a_day := facts.get("units_a_day")) is not None and not (math.isfinite(a_day) and a_day > 0):
        yield "units_a_day: no number of units"
    if math.isnan(exact) or threshold.get("value") != (exact if math.isfinite(exact) else None):
        yield f"threshold: value {threshold.get('value')} is not {exact:g}, which would be used"


def _names(facts: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text and where it stands; what is an option is checked by the component itself."""
    if isinstance(facts, str):
        yield where.removeprefix("."), facts
    elif isinstance(facts, Mapping):
        for key, value in facts.items():
            if key != "config":
                yield from _names(value, f"{where}.{key}"[:LONGEST] if key.isprintable() else where)
    elif isinstance(facts, list):
        for value in facts:
            yield from _names(value, where)


@contextmanager
def fitting(what: str) -> Iterator[None]:
    """Turn what a component raises on a saved state into one line; the error itself stays its cause.

    A component is code that was written for its own state, not for what a stranger made of it.
    """
    try:
        with shortened():
            yield
    except LogbenchError:
        raise
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise DataError(f"{what} ({said}); save the model anew") from error


@contextmanager
def shortened() -> Iterator[None]:
    """Cut errors that repeat an option of a bundle, which may be a book."""
    try:
        yield
    except LogbenchError as error:
        if len(text := str(error)) <= LONGEST_ERROR:
            raise
        raise type(error)(f"{text[:LONGEST_ERROR]}…") from error
