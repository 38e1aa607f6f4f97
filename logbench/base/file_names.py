"""Join names that users, records and plugins give to a folder, so that none leads out of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

from .errors import ConfigError, DataError

# Bytes of a name; file systems allow 255, and suffixes are added.
LONGEST = 200
# Signs that part folders, name drives or are forbidden on some system.
FORBIDDEN = frozenset('/\\:*?"<>|')
# Devices, which Windows finds in every folder, whatever the suffix.
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})


def name_fault(name: str) -> str:
    """Why a name cannot be that of one file on every system, to be read after "is no name: "; empty if it can."""
    if not name:
        return "it is empty"
    if len(name.encode(errors="surrogatepass")) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    if bad := sorted(FORBIDDEN & set(name)):
        return f"it holds {bad[0]!r}"
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in name):
        return "it holds a sign that cannot be seen"
    if name[0] in ".-" or name[-1] in ". " or name[0].isspace():
        return "it begins with a dot, a hyphen or a space, or ends in a dot or a space"
    return "it is a device on Windows" if name.partition(".")[0].lower() in DEVICES else ""


def named_file(folder: Path, name: str, suffix: str = "") -> Path:
    """Path of the file called `name + suffix` in a folder. Every name that a user gives is joined by this.

    Example:

        logbench.named_file(folder, "my-logs", ".toml")  # folder/my-logs.toml; "../x" is refused

    Raises:
        ConfigError: the name holds a separator, a drive or a sign that cannot be seen, is `..` or a device of
            Windows, begins with a dot or hyphen, or is longer than 200 bytes.
    """
    if wrong := name_fault(name):
        raise ConfigError(f"{name[:LONGEST]!r} is no name for a file: {wrong}; choose another one")
    return folder / f"{name}{suffix}"


def path_below(folder: Path, relative: str) -> Path:
    """Path of a file that a record names, below the folder of the record.

    Args:
        relative: with `/` between folders.

    Raises:
        DataError: it is absolute or leads out of the folder, as in a record that someone edited.
    """
    parts = PurePosixPath(relative).parts if isinstance(relative, str) else ()
    if not parts or any(name_fault(part) for part in parts):
        raise DataError(
            f"{folder}: a record names the file {str(relative)[:LONGEST]!r}, which is none of its folder"
        )
    return folder.joinpath(*parts)
