"""Find the components that a saved model names, among what is installed; load no file of code unasked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from ..api.bundle_sections import SavedComponent
from ..api.components import Kind
from ..base.errors import ConfigError
from ..components.configured import ConfiguredComponent
from ..components.entry import RegisteredComponent
from .identity import component
from .resolve import stored_dataset

if TYPE_CHECKING:
    from ..components.registry import Registry

# Copies of a model in a combination; `random*1000000000` would build as many.
MOST_COPIES = 1000


def saved_part(part: ConfiguredComponent[Any]) -> dict[str, Any]:
    """What a bundle holds of a component."""
    facts, entry = component(part), part.entry
    placed = {} if entry.address == part.name else {"file": entry.address}
    return {"config": part.as_dict(), **facts["plugins"][0], **facts, **placed}


def entry_of(
    kind: Kind, saved: SavedComponent, registry: Registry, code: Sequence[Path]
) -> RegisteredComponent[Any]:
    """The component that was saved.

    Args:
        code: files of code that may be loaded; one that a bundle names is looked for among them by its name.

    Raises:
        ConfigError: it is not installed, or is in a file that is not among `code`.
    """
    address = "+".join(_allowed(member, code) for member in saved.get("file", saved["name"]).split("+"))
    try:
        if kind == "dataset" and "file" not in saved:
            return stored_dataset(address, saved["config"], registry)
        return registry.get(kind, address)
    except ConfigError as error:
        raise ConfigError(f"{error}; this bundle was saved with {_needed(saved)}") from None


def _allowed(member: str, code: Sequence[Path]) -> str:
    """The name of one component as it is looked for: in its place in `code` where it is in a file."""
    if (copies := member.rpartition("*")[2]).isdigit() and "*" in member and int(copies[:9]) > MOST_COPIES:
        raise ConfigError(f"this bundle names {copies[:20]} copies of a model; {MOST_COPIES:,} are the most")
    file, colon, name = member.rpartition(":") if ".py:" in member else (member, "", "")
    if not file.endswith(".py"):
        return member
    called = PureWindowsPath(PurePosixPath(file).name).name
    for path in code:
        if path.name == called:
            return f"{path}{colon}{name}"
    raise ConfigError(
        f"this bundle needs code that is not part of it, {called}; if you trust that file: --code {called}"
    )


def _needed(saved: SavedComponent) -> str:
    if "file" in saved:
        return f"the file {saved['distribution']}"
    version = f" {saved['version']}" if saved["version"] else ""
    return f"{saved['distribution']}{version}, which runs code: install it only if you trust it"


def edited_since(saved: SavedComponent, part: ConfiguredComponent[Any]) -> Iterator[str]:
    """Plugins of a component whose code has changed, if both versions are known."""
    before: Mapping[tuple[str, str], str | None] = {
        (one["distribution"], one["plugin"]): one["code"] for one in saved["plugins"]
    }
    for one in component(part)["plugins"]:
        code = before.get((one["distribution"], one["plugin"]))
        if code and one["code"] and code != one["code"]:
            yield f"{one['plugin']} ({one['distribution']})"
