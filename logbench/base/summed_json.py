"""JSON in a file with its checksum: a changed bit is noticed."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def text_of(value: Any) -> str:
    """A line of JSON, in ASCII since names of files may be no UTF-8, and a line with its SHA-256."""
    line = json.dumps(value)
    return f"{line}\n{_sum(line)}\n"


def value_of(text: str) -> Any:
    """The value of a text that `text_of` made.

    Raises:
        ValueError: it is another text. RecursionError: it is nested too deeply.
    """
    line, _, rest = text.partition("\n")
    if rest != f"{_sum(line)}\n":
        raise ValueError("damaged, or of another version")
    return json.loads(line)


def _sum(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()
