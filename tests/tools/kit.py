"""What tox runs in `kit`: beside the wheel, each kind of plugin is scaffolded, installed and put through tox."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from logbench.cli.newplugin import LISTED
from logbench.testing.names import CHECKED


def main(dist: str, clean: str) -> None:
    (wheel,) = Path(dist).absolute().glob("*.whl")
    folder = Path(clean).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    venv.create(folder / "venv", with_pip=True, clear=True)
    binaries = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    env = {**os.environ, "LOGBENCH_REQUIREMENT": str(wheel), "LOGBENCH_CACHE": str(folder / "cache")}

    def run(program: str, *words: str, cwd: Path = folder) -> str:
        done = subprocess.run(
            [binaries / program, *words], cwd=cwd, env=env, check=False, text=True, stdout=subprocess.PIPE
        )
        if done.returncode:
            sys.exit(f"{done.stdout}\n{program} {' '.join(words)} in {cwd}: exit {done.returncode}")
        return done.stdout

    run("pip", "install", "--quiet", str(wheel), "tox")
    for kind in CHECKED:
        run("logbench", "new-plugin", f"kit-{kind}", "--kind", kind)
        made = folder / f"logbench-kit-{kind}"
        run("pip", "install", "--quiet", "--editable", ".", cwd=made)
        if f"kit-{kind}" not in run(*LISTED.get(kind, f"logbench list {kind}").split()):
            sys.exit(f"the {kind} is not listed")
        run("tox", "--workdir", str(folder / "tox"), cwd=made)  # one environment for all, as they ask for the same
        print(f"{kind}: listed; its tests, style and types pass", flush=True)
    for env_name in ("bench-update", "bench"):
        run("tox", "--workdir", str(folder / "tox"), "-e", env_name, cwd=folder / "logbench-kit-model")
    print("model: its figures are written and gated")


if __name__ == "__main__":
    main(*sys.argv[1:])
