"""A model's files as JSON values: what a model that learns on has become."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..base.errors import DataError
from ..base.file_names import path_below
from ..base.stored_formats import faulty_file
from ..base.temporary_folders import temporary_folder


def files_of(model: Any) -> dict[str, str]:
    """The files that `model.save` writes, name → content in base64."""
    with temporary_folder() as folder:
        model.save(folder)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        return {
            file.relative_to(folder).as_posix(): base64.b64encode(file.read_bytes()).decode() for file in files
        }


def load_files(model: Any, files: Mapping[str, str]) -> None:
    """Load a model from what `files_of` gave.

    Raises:
        DataError: a file is of a format that may run code.
    """
    with temporary_folder() as folder:
        for name, content in files.items():
            file: Path = path_below(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(base64.b64decode(content))
        if wrong := faulty_file(folder):
            raise DataError(f"the state holds a file that no saved model may have: {wrong}")
        model.load(folder)
