"""Whether the user asked for a tracker, and what becomes of its faults."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import ConfigError, LogbenchError

if TYPE_CHECKING:
    from logbench import RunRecord

# Names of trackers, separated by commas: what `--track` sets.
VARIABLE = "LOGBENCH_TRACK"


def asked(name: str) -> bool:
    """Whether the user turned a tracker on."""
    return name in (one.strip() for one in os.environ.get(VARIABLE, "").split(","))


def package(name: str) -> Any:
    """A tracker's package.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"{name} cannot be loaded ({error}): pip install 'logbench-harness[{name}]'") from None


def failed(name: str, record: RunRecord, out: Path | None, error: Exception) -> LogbenchError:
    """An error in one line that says how to hand the run over later, if it is stored."""
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    if out is None:
        return LogbenchError(said)
    where = "" if out == Path("runs") else f" --out {shlex.quote(str(out))}"
    return LogbenchError(
        f"{said}; the run is stored, hand it over later: logbench track {name} {record.run_id}{where}"
    )


def tell(text: str) -> None:
    """Say where a run went."""
    sys.stderr.write(f"{text}\n")
