"""The command `logbench`, also as `python -m logbench`: its worker starts first, then everything else loads."""

from __future__ import annotations

import os
import sys

from .base import INTERRUPTED

TYPE_CHECKING = False  # as of `typing`, which loads below
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command, see `cli.main`."""
    # Spinning threads would take the cores from other processes. OpenMP reads this when a model first loads it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from .base.loading import loading
        from .running.first_worker import start_early

        start_early(sys.argv[1:])
        with loading():
            from .cli import main as run
        run()
    except KeyboardInterrupt:  # nothing has begun, so there is nothing to say
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
