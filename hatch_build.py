"""Build the compiled kernel beside its sources: for a wheel, an editable install, or by `python hatch_build.py`.

Without a compiler the package is built without it, and logbench reads by polars.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script
    BuildHookInterface = object  # type: ignore[assignment, misc]

ROOT = Path(__file__).parent
FOLDER = ROOT / "logbench" / "base"
SOURCES = tuple(sorted(FOLDER.glob("kernel*.[ch]")))
LIBRARY = FOLDER / "kernel.library"
OPTIONS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden")


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the kernel to the wheel, whose tag then names the system."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds a wheel, `editable` or `standard`."""
        self._folder = Path(mkdtemp())
        library = LIBRARY if version == "editable" else self._folder / LIBRARY.name
        if reason := build(library):
            self.app.display_warning(f"without the compiled kernel: {reason}")
        elif version != "editable":
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{re.sub('[-.]', '_', sysconfig.get_platform())}"
            build_data["force_include"][str(library)] = LIBRARY.relative_to(ROOT).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel is written."""
        shutil.rmtree(self._folder, ignore_errors=True)


def build(library: Path, *options: str) -> str:
    """Compile the kernel; return why it could not be, or nothing.

    Args:
        options: further ones for the compiler, which is `CC`, or the first found of cc, gcc and clang.
    """
    named = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), "")
    if not named:
        return "there is no C compiler (cc, gcc, clang, or CC)"
    read = b"".join(path.read_bytes() for path in SOURCES)
    digest = sha256(read.replace(b"\r\n", b"\n")).hexdigest()[:16]
    files = [str(path) for path in SOURCES if path.suffix == ".c"]
    made = library.with_name(f"{library.name}.{os.getpid()}")
    words = [*shlex.split(named), *OPTIONS, *options, f'-DSOURCE="{digest}"', *files, "-o", str(made)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{words[0]} does not run ({error.strerror})"
    if done.returncode:
        made.unlink(missing_ok=True)
        return f"{words[0]} failed: {' '.join(done.stderr.split())[:300]}"
    made.replace(library)
    return ""


if __name__ == "__main__":
    sys.exit(build(LIBRARY) or None)
