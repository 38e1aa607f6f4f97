"""What tox runs in `pkg`: the wheel's top level, and the main job from a clean environment."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path


def top_level(wheel: Path) -> set[str]:
    """Top-level names in a wheel, its own metadata left out."""
    with zipfile.ZipFile(wheel) as archive:
        return {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" not in name}


def main(dist: str, clean: str) -> None:
    (wheel,) = Path(dist).glob("*.whl")
    found = top_level(wheel)
    plugins = {folder.parent.name for root in ("plugins", "datasets") for folder in
               (Path(__file__).parents[2] / root).glob("*/__init__.py")}  # fmt: skip
    expected = {"logbench", *plugins}
    if found != expected:
        sys.exit(f"{wheel.name}: top level is {sorted(found)}, expected {sorted(expected)}")
    venv.create(clean, with_pip=True, clear=True)
    binaries = Path(clean) / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([binaries / "pip", "install", "--quiet", wheel], check=True)
    for words in (
        ["list"],
        ["run", "deeplog", "new-event+length", "--dataset", "hdfs-sim", "--out", f"{clean}/runs"],
    ):
        subprocess.run([binaries / "logbench", *words], check=True)
    print(f"{wheel.name}: top level {', '.join(sorted(found))}; installed and run")


if __name__ == "__main__":
    main(*sys.argv[1:])
