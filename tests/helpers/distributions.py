"""What `pip install` leaves of a distribution with plugins, made by hand: modules and metadata in a folder."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def distribution(site: Path, name: str, code: str, version: str = "0.1") -> None:
    """A distribution `dist-NAME` of one module, which is its plugin."""
    site.mkdir(parents=True, exist_ok=True)
    (site / f"{name}.py").write_text(code, encoding="utf-8")
    announce(site, f"dist-{name}", version, {name: name})


def install(project: Path, site: Path) -> None:
    """The project in a folder: the modules that its `pyproject.toml` names, and what it says of itself.

    Setuptools finds modules by itself only where there is one and no folder beside it, such as `runs`; so they
    have to be named.
    """
    told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    site.mkdir(parents=True, exist_ok=True)
    for module in _modules(told["tool"]):
        shutil.copy(project / module, site)
    facts = told["project"]
    announce(site, facts["name"], facts["version"], facts["entry-points"]["logbench"])


def _modules(tool: Mapping[str, Any]) -> list[str]:
    """Files that the build of setuptools or of hatchling takes."""
    if "hatch" in tool:
        return list(tool["hatch"]["build"]["targets"]["wheel"]["only-include"])
    return [f"{module}.py" for module in tool["setuptools"]["py-modules"]]


def announce(site: Path, name: str, version: str, points: Mapping[str, str], more: str = "") -> None:
    """Metadata of a distribution, without a list of its files, as an editable installation leaves it.

    Args:
        more: further lines of METADATA, such as `Requires-Dist: torch`.
    """
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}")
    lines = (f"{point} = {module}\n" for point, module in points.items())
    (info / "entry_points.txt").write_text("[logbench]\n" + "".join(lines))
