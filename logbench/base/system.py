"""psutil, also where Python lacks the module `resource`, which its part for Linux imports but does not need."""

from __future__ import annotations

import sys
from types import ModuleType

try:
    import psutil
except ImportError as error:
    if error.name != "resource":
        raise
    sys.modules["resource"] = ModuleType("resource")
    import psutil

    del sys.modules["resource"]

__all__ = ["psutil"]
