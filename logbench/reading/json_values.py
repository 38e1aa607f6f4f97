"""Values of JSON that polars does not tell: bytes as lists of numbers, objects within texts, lists of events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

# How deep objects within texts are followed.
DEEPEST = 16


def value_at(line: str, names: Sequence[str]) -> str | None:
    """The text at the first of some paths that a JSON line has, also across objects that stand in texts."""
    whole = _read(line)
    for name in names:
        for keys in ([name], name.split(".")):
            if (found := text_of(_walk(whole, keys))) is not None:
                return found
    return None


def text_of(value: Any) -> str | None:
    """A JSON value as a text: a list of byte values is the text that they encode."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(type(one) is int and 0 <= one < 256 for one in value):
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _walk(value: Any, keys: Sequence[str]) -> Any:
    for place, key in enumerate(keys[:DEEPEST]):
        whole = _read(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else value
        if not isinstance(whole, dict):
            return None
        if (rest := ".".join(keys[place:])) in whole:
            return whole[rest]
        value = whole.get(key)
    return value


def records(line: str, path: str) -> list[str] | None:
    """The events of a JSON line as JSON texts, each with what stands beside the lists that it is in.

    Lists of `{"key": …, "value": {"stringValue": …}}`, as OpenTelemetry writes attributes, become objects.

    Args:
        path: keys by dots, `*` for each item of a list; the last one may leave it out.

    Returns:
        None where the line has no such list.
    """
    found = list(_records(_read(line), path.split("."), {}))
    return [json.dumps(one, ensure_ascii=False) for one in found] if found else None


def _records(value: Any, keys: Sequence[str], beside: dict[str, Any]) -> Iterator[Any]:
    if isinstance(value, list):
        rest = keys[1:] if keys and keys[0] == "*" else keys
        for item in value:
            yield from _records(item, rest, beside)
    elif not keys:
        yield {**beside, **_plain(value)} if isinstance(value, dict) else {**beside, "message": value}
    elif isinstance(value, dict) and keys[0] in value:
        others = {key: one for key, one in _plain(value).items() if key != keys[0]}
        yield from _records(value[keys[0]], keys[1:], {**beside, **others})


def _plain(value: Any) -> Any:
    """A value without OpenTelemetry's wrapping of attributes and texts."""
    if isinstance(value, list) and value and all(isinstance(one, dict) and "key" in one for one in value):
        return {str(one["key"]): _plain(one.get("value")) for one in value}
    if isinstance(value, dict):
        if len(value) == 1 and (name := next(iter(value))).endswith("Value"):
            return _plain(value[name])
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
