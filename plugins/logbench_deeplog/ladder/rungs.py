"""Ways to make a trained DeepLog smaller or faster: pruned, taught, quantised, compiled."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from logbench.torch import full_fp32, ranks, threads_for

from . import smaller

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions

    from ..model import DeepLog

# Windows int64 [B, h + 1] → rank of the last key of each, int64 [B].
Ranks = Callable[["NDArray[np.int64]"], "NDArray[np.int64]"]
# A model → what ranks windows, bytes of its weights, and a note.
Made = tuple[Ranks, int, str]
# Nodes of ONNX that compute in INT8, or bring values to it.
INTEGER = ("MatMulInteger", "QLinearMatMul", "QuantizeLinear")
# Windows that calibrate static INT8.
CALIBRATED = 512


@dataclass(frozen=True)
class Rung:
    """One way. `skip`: why it cannot be shown here."""

    name: str
    make: Callable[[], Made] | None = None
    skip: str = ""


def rungs(
    model: DeepLog, train: Sessions, windows: NDArray[np.int64], context: Context, folder: Path
) -> Iterator[Rung]:
    """All ways, the trained network itself first."""
    network, hidden = model.network, model.config.hidden
    assert network is not None
    device, keys = context.device, model.keys
    yield Rung("torch, fp32", lambda: _torch(network, keys, device))
    yield Rung("bf16", lambda: _torch(copy.deepcopy(network).to(torch.bfloat16), keys, device))
    on_gpu = "" if device == "cuda" else f"CUDA only; this is {device}"
    yield Rung("fp16", None if on_gpu else lambda: _torch(copy.deepcopy(network).half(), keys, device), on_gpu)
    compiler = "" if shutil.which("g++") or shutil.which("clang++") else "no C++ compiler on this machine"
    compiled = partial(_compiled, network, keys, device, windows.shape[1] - 1)
    yield Rung("torch.compile", None if compiler else compiled, compiler)
    yield Rung("torch INT8, dynamic", partial(_torch_int8, network, keys))
    absent = "" if find_spec("torchao") else "pip install torchao"
    yield Rung("torchao INT8", None if absent else partial(_torchao, network, keys), absent)
    missing = [one for one in ("onnx", "onnxscript", "onnxruntime") if not find_spec(one)]
    lacking, file = f"pip install {' '.join(missing)}" if missing else "", folder / "graph.onnx"
    graphs: dict[str, Callable[[], Made]] = {
        "onnxruntime, fp32": partial(_onnx, model, file),
        "onnxruntime INT8, dynamic": partial(_onnx_dynamic, file),
        "onnxruntime INT8, static": partial(_onnx_static, file, windows),
    }
    for name, make in graphs.items():
        yield Rung(name, None if lacking else make, lacking)

    def trained(note: str, way: Callable[..., DeepLog], *more: Any) -> Callable[[], Made]:
        return lambda: _of(way(model, train, context, *more), device, note)

    for share in (0.5, 0.8):
        yield Rung(f"pruned, {share:.0%} of weights", trained("trained on", smaller.pruned, share))
    for share in (0.25, 0.5):
        yield Rung(f"pruned, {share:.0%} of units", trained("trained on", smaller.narrowed, share))
    for part in (2, 4):
        units = max(hidden // part, 1)
        yield Rung(f"student, {units} units", trained("taught by the first", smaller.student, units))
    gru = trained("taught by the first", smaller.student, hidden, smaller.GruNetwork)
    yield Rung(f"student, GRU of {hidden}", gru)


def _of(model: DeepLog, device: str, note: str) -> Made:
    assert model.network is not None
    rank, size, _ = _torch(model.network, model.keys, device)
    weights = torch.cat([one.detach().flatten() for one in model.network.parameters()])
    zeros = int((weights == 0).sum())
    sparse = f"{zeros / len(weights):.0%} zeros, kept dense; " if zeros > len(weights) // 10 else ""
    return rank, size, f"{sparse}{note}"


def _torch(network: nn.Module, keys: int, device: str, note: str = "") -> Made:
    network = network.to(device).eval()

    def rank(windows: NDArray[np.int64]) -> NDArray[np.int64]:
        with torch.inference_mode(), full_fp32(), threads_for(len(windows), device):
            given = torch.from_numpy(windows).to(device)
            found = ranks(network(given[:, :-1])[:, :keys].float(), given[:, -1])
        values: NDArray[np.int64] = found.long().cpu().numpy()
        return values

    return rank, _bytes(network), note


def _compiled(network: nn.Module, keys: int, device: str, h: int) -> Made:
    made: Any = torch.compile(copy.deepcopy(network), dynamic=True)
    rank, _, _ = _torch(made, keys, device)
    rank(np.zeros((2, h + 1), dtype=np.int64))
    return rank, _bytes(network), "compiled outside the clock"


def _torch_int8(network: nn.Module, keys: int) -> Made:
    copied = copy.deepcopy(network).cpu()
    quantize: Any = torch.ao.quantization.quantize_dynamic
    made = quantize(copied, {nn.LSTM}, dtype=torch.qint8)
    return _torch(made, keys, "cpu", "its LSTM, on the CPU")


def _torchao(network: nn.Module, keys: int) -> Made:
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_

    made = copy.deepcopy(network).cpu()
    quantize_(made, Int8DynamicActivationInt8WeightConfig())
    return _torch(made, keys, "cpu", "its linear layer alone; torchao has no LSTM")


def _onnx(model: DeepLog, file: Path) -> Made:
    graph = model.exported("onnx", float(model.config.g))
    graph.save(file, {}, float(model.config.g))
    return _session(file, "")


def _onnx_dynamic(file: Path) -> Made:
    from onnxruntime.quantization import quantize_dynamic

    made = file.with_name("dynamic.onnx")
    quantize_dynamic(file, made)
    return _session(made, _quantized(made))


def _onnx_static(file: Path, windows: NDArray[np.int64]) -> Made:
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        given = iter(np.array_split(windows[:CALIBRATED], 4))

        def get_next(self) -> dict[str, Any] | None:
            part = next(self.given, None)
            return None if part is None else {"rows": part}

    made = file.with_name("static.onnx")
    quantize_static(file, made, Reader())
    return _session(made, _quantized(made))


def _quantized(file: Path) -> str:
    import onnx

    nodes = [node.op_type for node in onnx.load(file).graph.node]
    lstm = "LSTM quantised" if "DynamicQuantizeLSTM" in nodes else "LSTM in fp32"
    return f"{lstm}; {sum(name in INTEGER for name in nodes)} nodes for INT8"


def _session(file: Path, note: str) -> Made:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def rank(windows: NDArray[np.int64]) -> NDArray[np.int64]:
        values: NDArray[np.int64] = session.run(["rank"], {"rows": windows})[0]
        return values

    return rank, file.stat().st_size, note or "on the CPU"


def _bytes(network: nn.Module) -> int:
    """Of the weights, as they are in memory; packed ones of INT8 as they are written."""
    import io

    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    dense = sum(value.nbytes for value in network.state_dict().values() if isinstance(value, torch.Tensor))
    packed = any(not isinstance(value, torch.Tensor) for value in network.state_dict().values())
    return buffer.tell() if packed else dense
