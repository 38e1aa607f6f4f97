"""What can be told before anything is read, so that no one waits for 11 million lines to hear it."""

from __future__ import annotations

import sys
from pathlib import Path

from ..base.errors import IncompatibleError
from ..evaluation.thresholds import check_held_out
from .resolve import ResolvedPlan


def check_fit(resolved: ResolvedPlan) -> None:
    """Refuse what cannot work: see the module.

    Raises:
        IncompatibleError: the device is not to be had, or model, protocol and data set do not go together.
    """
    resolve_device(resolved.plan.device)
    _ = resolved.short_limit
    if resolved.protocol.label_noise and "line_labels" in resolved.model.entry.item.traits.needs:
        raise IncompatibleError(
            "protocol.label_noise: the model learns from labels of lines, and only those of units flip"
        )
    if resolved.supervision == "supervised" and resolved.protocol.content != "labelled":
        raise IncompatibleError(
            "supervised: it needs protocol.content=labelled, so add --set protocol.content=labelled"
        )
    check_held_out(resolved.protocol, resolved.model.own)


def resolve_device(choice: str) -> str:
    """`auto` as `cuda`, `mps` or `cpu`; torch is imported only where an accelerator may be there.

    Raises:
        IncompatibleError: the device asked for is not to be had.
    """
    maybe = sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()
    if choice == "cpu" or (choice == "auto" and not maybe):
        return "cpu"
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return next((name for name, there in found.items() if there), "cpu")
    if not found.get(choice, False):
        raise IncompatibleError(f"device {choice} is not available here; use --device cpu")
    return choice
