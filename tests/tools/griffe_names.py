"""For the API pages: split `a, b: text` in a docstring into one entry a name, as Google's style has them."""

from __future__ import annotations

import re
from typing import Any

import griffe

# Names, and their text to the line before the next entry.
ENTRY = re.compile(r"^    (\w+(?:, \w+)+): (.*\n?(?: {8}.*\n?)*)", re.M)


class Names(griffe.Extension):
    """Rewrite `Args:` and `Attributes:` before griffe reads them."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring and not obj.is_module:
            obj.docstring.value = separated(obj.docstring.value, set(names_of(obj)))


def names_of(obj: griffe.Object) -> list[str]:
    """Parameters of a function, attributes of a class."""
    if isinstance(obj, griffe.Function):
        return [one.name for one in obj.parameters]
    return [name for name, member in obj.members.items() if member.is_attribute]


def separated(text: str, names: set[str]) -> str:
    """Give a docstring one name an entry; `names` says which words are names."""
    return re.sub(
        r"^(?:Args|Attributes):\n(?:    .*\n?)+", lambda found: _entries(found[0], names), text, flags=re.M
    )


def _entries(section: str, names: set[str]) -> str:
    after = rf"\. (?=(?:{'|'.join(map(re.escape, names)) or '$'})(?:, \w+)*: )"  # `one: text. another: text`
    return ENTRY.sub(lambda found: _one_each(found, names), re.sub(after, ".\n    ", section))


def _one_each(entry: re.Match[str], names: set[str]) -> str:
    shared = entry[1].split(", ")
    text = entry[2].rstrip("\n")
    return "\n".join(f"    {name}: {text}" for name in shared) + "\n" if names.issuperset(shared) else entry[0]
