"""Describe the machine, versions, and the git revision of logbench, for records."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from ..api.record_sections import EnvironmentFacts, SourceFacts
from ..base.code_digests import core
from ..base.system import psutil

PACKAGES = ("numpy", "polars", "scikit-learn", "torch", "pluggy")


@cache
def environment() -> EnvironmentFacts:
    """Python, packages, processor and memory."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mb": _memory_mb(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


@cache
def source() -> SourceFacts:
    """Version and code digest of logbench, and in a git checkout its revision and whether it is dirty."""
    folder = Path(__file__).parents[1]
    facts: SourceFacts = {
        "version": _version("logbench-harness"),
        "code": None if core().edited else core().files,
        "revision": None,
        "dirty": None,
    }
    if (folder.parent / ".git").exists():
        facts["revision"] = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", str(folder.parent))
        facts["dirty"] = None if changed is None else bool(changed)
    return facts


def forget_peaks() -> float | None:
    """Count largest memory from now on, where the system can (`clear_refs` of Linux, proc(5)).

    Returns:
        Resident memory of this process now, MB; None where the system cannot tell.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_mb("VmRSS")


def peak_rss_mb() -> float:
    """Largest resident memory of this process, MB, since `forget_peaks` or its start."""
    if (found := _status_mb("VmHWM")) is not None:  # ru_maxrss forgets nothing
        return found
    memory = psutil.Process().memory_info()
    if sys.platform != "win32":
        with contextlib.suppress(ImportError):
            import resource

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
    return float(getattr(memory, "peak_wset", memory.rss)) / 2**20


def _status_mb(name: str) -> float | None:
    """A figure of Linux's `/proc/self/status`, MB; None elsewhere."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 2**10
    return None


def peak_gpu_mb() -> float | None:
    """Largest GPU memory of torch, MB, since `forget_peaks` or its start; None without torch or GPU."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.max_memory_allocated()) / 2**20


def gpu_name() -> str | None:
    """Name of the GPU whose memory torch took since `forget_peaks` or its start; None where it took none."""
    if not peak_gpu_mb():
        return None
    return str(sys.modules["torch"].cuda.get_device_name())


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _memory_mb() -> int | None:
    with contextlib.suppress(psutil.Error, OSError):
        return int(psutil.virtual_memory().total) // 2**20
    return None
