"""Copy a definition, with the place of its files written in; comments and everything else stay."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import logbench
from logbench import ConfigError, DataError


def with_folder(path: Path, folder: str) -> str:
    """The text of a definition with another `folder`, read again to see that nothing else changed.

    Raises:
        ConfigError: it cannot be written anew without a loss.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    before = logbench.toml_values(path, str(path), "utf-8-sig")
    text = path.read_text(encoding="utf-8-sig")
    try:
        document = tomlkit.parse(text if text.endswith("\n") else text + "\n")
        document["folder"] = folder
        made = tomlkit.dumps(document)
        same = tomlkit.parse(made).unwrap() == {**before, "folder": folder}
    except (TOMLKitError, ValueError, RecursionError):
        same = False
    if not same:
        raise ConfigError(
            f"{path}: cannot be copied without a loss; write it in a plainer way, or use it in place"
        )
    return made


def write(target: Path, text: str) -> None:
    """Write a file whole or not at all, never through a link.

    Raises:
        DataError: it cannot be written.
    """
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(prefix=".new-", dir=target.parent)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(target)
    except OSError as error:
        with suppress(OSError):
            Path(temporary or target.parent / ".none").unlink()
        reason = error.strerror or str(error)
        raise DataError(
            f"{target}: cannot be written: {reason}; free some space or choose another place"
        ) from None
