"""Fail early: check requirements, device, protocol and supervision before any data are read."""

from __future__ import annotations

import sys
from pathlib import Path

from ..api.protocol import EDITS
from ..base.errors import ConfigError, IncompatibleError
from ..components.requirements import lack
from ..data.message_needs import NEEDS
from ..evaluation.threshold_traits import check_threshold
from .resolve import ResolvedPlan


def check_fit(resolved: ResolvedPlan) -> None:
    """Refuse a plan that cannot work.

    Raises:
        IncompatibleError: the device or what a component requires is not there, or model, protocol and data set do
            not fit together.
    """
    if lacking := lacking_in(resolved):
        raise IncompatibleError(lacking)
    resolve_device(resolved.plan.device)
    _ = resolved.short_limit
    if resolved.protocol.label_noise and "line_labels" in resolved.model.entry.item.traits.needs:
        raise IncompatibleError(
            "protocol.label_noise flips only labels of units, but the model learns from labels of lines"
        )
    kind = resolved.protocol.unstable
    if kind in EDITS and (asked := sorted(resolved.needs & NEEDS)):
        raise IncompatibleError(
            f"protocol.unstable={kind} edits what is parsed, but model {resolved.model.name} reads the log as it "
            f"stands (needs {', '.join(asked)}); try unstable=remove, repeat, swap, shuffle or delay"
        )
    if resolved.source is not None and (asked := sorted(resolved.needs & NEEDS)):
        raise IncompatibleError(
            f"model {resolved.model.name} reads the log as it stands (needs {', '.join(asked)}), which is not "
            "kept where another data set trains"
        )
    if resolved.plan.save is not None and resolved.protocol.template_match is not None:
        raise IncompatibleError(
            "--save: a saved model does not match templates; leave protocol.template_match out"
        )
    if resolved.supervision == "supervised" and resolved.protocol.content != "labelled":
        raise IncompatibleError(
            "a supervised model needs labelled training units: add --set protocol.content=labelled"
        )
    check_threshold(resolved.protocol, resolved.model.own)


def check_installed(resolved: ResolvedPlan) -> None:
    """Refuse a plan whose components lack what they require. Where several run, check_fit makes it a skipped row.

    Raises:
        ConfigError: one line that says what to install.
    """
    if lacking := lacking_in(resolved):
        raise ConfigError(lacking)


def lacking_in(resolved: ResolvedPlan) -> str:
    """What the first component of a plan requires that is not installed, in one line; empty if nothing."""
    return next(filter(None, (lack(part.entry) for part in resolved.parts)), "")


def resolve_device(choice: str) -> str:
    """Resolve `auto` to `cuda`, `mps` or `cpu`; import torch only if there may be an accelerator.

    Without torch, `auto` is `cpu`.

    Raises:
        IncompatibleError: the requested device is not available.
    """
    maybe = sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()
    if choice == "cpu" or (choice == "auto" and not maybe):
        return "cpu"
    try:
        import torch
    except ModuleNotFoundError:
        if choice == "auto":
            return "cpu"
        raise IncompatibleError(f"device {choice} needs torch, which is not installed; use --device cpu") from None
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return next((name for name, there in found.items() if there), "cpu")
    if not found.get(choice, False):
        raise IncompatibleError(f"device {choice} is not available here; use --device cpu")
    return choice
