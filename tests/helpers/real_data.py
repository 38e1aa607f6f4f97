"""Where real data lie: the folder that `LOGBENCH_DATA` names, by default `shared/data` beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

# The checkout.
ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LOGBENCH_DATA") or ROOT.parent / "shared" / "data")
