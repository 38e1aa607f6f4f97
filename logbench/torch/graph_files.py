"""Make a graph of a model, as ONNX or by torch.export, and write it with what its user must know."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..base.errors import IncompatibleError
from .exporting import exporting
from .graphs import Graph, unexported
from .recurrent import OnnxLayers, Whole, replaced

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from ..api.optional_models import RunsGraph

# Name of the metadata in both formats.
METADATA = "logbench"


class OnnxGraph:
    """A graph in the format of ONNX, see `api.optional_models.ExportedGraph`."""

    def __init__(self, graph: Graph, name: str) -> None:
        replaced(graph.module, OnnxLayers)
        columns = torch.export.Dim.AUTO if graph.any_columns else None
        batch = torch.export.Dim.DYNAMIC
        shapes = {"rows": {0: batch, 1: columns} if columns else {0: batch}, "vectors": {0: batch}}
        names = list(graph.inputs)
        with _quiet(name):
            made = torch.onnx.export(
                graph.module,
                tuple(graph.inputs.values()),
                dynamo=True,
                verbose=False,
                input_names=names,
                output_names=list(graph.outputs),
                dynamic_shapes=tuple(shapes[name] for name in names),
            )
        assert made is not None
        self._made = made
        self.facts: Mapping[str, Any] = {**graph.facts, "any_columns": _loose(made.model.graph.inputs[0].shape)}

    def save(self, file: Path, metadata: Mapping[str, Any], limit: float) -> None:
        """See `api.optional_models.ExportedGraph.save`."""
        import onnx_ir

        (weight,) = [one for name, one in self._made.model.graph.initializers.items() if name == "limit"]
        weight.const_value = onnx_ir.tensor(torch.tensor(limit, dtype=torch.float64).numpy(), name="limit")
        self._made.model.metadata_props[METADATA] = json.dumps(metadata)
        self._made.save(file)

    def opened(self, file: Path) -> None:
        """See `api.optional_models.ExportedGraph.opened`."""
        return


class TorchGraph:
    """A graph by torch.export, see `api.optional_models.ExportedGraph`. Its rows have all columns."""

    def __init__(self, graph: Graph, name: str) -> None:
        replaced(graph.module, Whole)
        batch = {0: torch.export.Dim.DYNAMIC}
        with _quiet(name):
            self._made: ExportedProgram = torch.export.export(
                graph.module, tuple(graph.inputs.values()), dynamic_shapes=(batch,) * len(graph.inputs)
            )
        self._outputs = graph.outputs
        self.facts: Mapping[str, Any] = {**graph.facts, "any_columns": False}

    def save(self, file: Path, metadata: Mapping[str, Any], limit: float) -> None:
        """See `api.optional_models.ExportedGraph.save`."""
        self._made.state_dict["limit"].fill_(limit)
        torch.export.save(self._made, file, extra_files={METADATA: json.dumps(metadata)})

    def opened(self, file: Path) -> RunsGraph:
        """See `api.optional_models.ExportedGraph.opened`."""
        module: Any = torch.export.load(file).module()

        def run(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
            with torch.inference_mode():
                answers = module(*(torch.from_numpy(value) for value in inputs.values()))
            return dict(zip(self._outputs, (answer.numpy() for answer in answers), strict=True))

        return run


def _loose(shape: Any) -> bool:
    """Whether the second dimension of an input may be of any size."""
    return shape is not None and len(shape) > 1 and not isinstance(shape[1], int)


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Within, torch says nothing of its own; what it cannot export is one line.

    Raises:
        IncompatibleError: the network does what no graph can.
    """
    loggers = [logging.getLogger(one) for one in ("torch.onnx", "torch.export", "onnxscript", "torch._dynamo")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with exporting(), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise IncompatibleError(f"{name} cannot be exported: {unexported(error.__cause__ or error)}") from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
