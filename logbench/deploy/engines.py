"""onnxruntime, which runs an exported graph: where it can, and what it gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..api.optional_models import RunsGraph
from ..base.errors import DataError, IncompatibleError

# Name of the metadata of a graph.
METADATA = "logbench"
PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
    "mps": ("CoreMLExecutionProvider", "CPUExecutionProvider"),
}


def onnx_device(choice: str) -> str:
    """The device that onnxruntime runs a graph on; `auto` is the fastest that it was built for.

    Raises:
        IncompatibleError: onnxruntime is not installed, or not built for the device.
    """
    if find_spec("onnxruntime") is None:
        raise IncompatibleError("engine onnxruntime is not installed: pip install 'logbench-harness[onnx]'")
    import onnxruntime

    there = set(onnxruntime.get_available_providers())
    devices = [name for name in ("cuda", "mps", "cpu") if name == "cpu" or there & set(PROVIDERS[name][:-1])]
    if choice == "auto":
        return "cuda" if "cuda" in devices else "cpu"
    if choice not in devices:
        raise IncompatibleError(f"device {choice}: this onnxruntime has only {', '.join(devices)}")
    return choice


def onnx_engine(file: Path, device: str) -> tuple[RunsGraph, dict[str, Any]]:
    """What runs a graph in the format of ONNX, and its metadata.

    Args:
        device: see `onnx_device`.

    Raises:
        DataError: onnxruntime cannot read the file, or it has no metadata of logbench.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, too
    available = onnxruntime.get_available_providers()
    providers = [name for name in PROVIDERS[device] if name in available]
    try:  # from bytes, so that the file can name no other
        session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=providers)
        found = session.get_modelmeta().custom_metadata_map[METADATA]
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise DataError(f"{file}: no graph that logbench export wrote ({_first(error)})") from None
    names = [one.name for one in session.get_outputs()]

    def run(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return dict(zip(names, session.run(None, dict(inputs)), strict=True))

    return run, _metadata(file, found)


def _metadata(file: Path, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise DataError(f"{file}: no graph that logbench export wrote (no metadata)")
    return values


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
