"""What tox runs in `pkg`: the wheel's top level, and without torch all but deep models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

SMALL = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=2000", "--set", "protocol.train_units=500")
Logbench = Callable[..., "subprocess.CompletedProcess[str]"]


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
    with zipfile.ZipFile(wheel) as archive:
        built = "logbench/base/kernel.library" in archive.namelist()
    if built == wheel.name.endswith("-any.whl") or (shutil.which("cc") and not built):
        sys.exit(f"{wheel.name}: {'has' if built else 'has not'} the compiled kernel")
    venv.create(clean, with_pip=True, clear=True)
    binaries = Path(clean) / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([binaries / "pip", "install", "--quiet", wheel], check=True)

    def logbench(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [binaries / "logbench", *words], cwd=clean, check=False, text=True, capture_output=True
        )
        if done.returncode != code:
            sys.exit(f"logbench {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    said = logbench("--version", "-v").stdout
    if ("compiled kernel" in said) != built:
        sys.exit(f"{wheel.name}: {said}")
    without_torch(logbench, binaries / "python")
    by_uvx(wheel, Path(clean))
    print(f"{wheel.name}: top level {', '.join(sorted(found))}; installed without torch and run")


def by_uvx(wheel: Path, folder: Path) -> None:
    """`uvx --from WHEEL logbench` runs, with what the wheel alone asks for."""
    uvx = [sys.executable, "-m", "uv", "tool", "run", "--python", sys.executable, "--from", str(wheel)]
    done = subprocess.run([*uvx, "logbench", "--version"], cwd=folder, check=False, text=True, capture_output=True)
    if done.returncode or not done.stdout.startswith("logbench "):
        sys.exit(f"uvx --from {wheel.name} logbench: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


def without_torch(logbench: Logbench, python: Path) -> None:
    """Everything but deep models works, and those say in one line what to install."""
    missing = "import importlib.util; assert importlib.util.find_spec('torch') is None, 'torch is installed'"
    subprocess.run([python, "-c", missing], check=True)
    needs = {row["name"]: row["needs"] for row in map(json.loads, logbench("list", "--json").stdout.splitlines())}
    assert needs["deeplog"] == "torch" and not needs["ecvc"], needs
    assert "deeplog.g" in logbench("options", "deeplog").stdout
    line = "model deeplog needs torch, which is not installed: pip install 'logbench-harness[deep]'"
    for words in (["run", "deeplog", *SMALL], ["check", "deeplog"], ["ladder"]):
        refused = logbench(*words, code=2)
        assert refused.stderr == f"error: {line}\n" and not refused.stdout, refused
    rows = json.loads(logbench("leaderboard", *SMALL, "--format", "json", "--seeds", "1").stdout)
    models = {row["name"]: (row["status"], row["reason"]) for row in rows if row["kind"] == "model"}
    deep = [name for name, need in needs.items() if need == "torch" and name in models]  # heavy ones are no rows
    assert {"deeplog", "cnn", "logbert-small"} <= set(deep), models
    for name in deep:
        assert models.pop(name) == ("skipped", line.replace("deeplog", name)), models
    assert any(status == "ok" for status, _ in models.values()), models
    assert all(status == "ok" or "needs labelled" in why for status, why in models.values()), models
    logbench("sweep", "ecvc", "--over", "protocol.alpha=0.01,0.05", *SMALL)


if __name__ == "__main__":
    main(*sys.argv[1:])
