"""Every deep network: neither batches, nor other units, nor their order, nor how often they come move a score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_thread import one_thread  # noqa: F401 (a fixture)

from logbench import Context, Sessions
from logbench_deeplog import DeepLogConfig, FullConfig
from logbench_deeplog.full import DeepLogFull
from logbench_deeplog.model import DeepLog
from logbench_masked import LogBertConfig
from logbench_masked.logbert import LogBert
from logbench_nextkey import LogAnomalyConfig, LogGptConfig, LstmNextConfig, TransformerNextConfig
from logbench_nextkey.loganomaly import LogAnomaly
from logbench_nextkey.loggpt import LogGpt
from logbench_nextkey.lstm_next import LstmNext
from logbench_nextkey.transformer_next import TransformerNext
from logbench_oneclass import LogTadConfig
from logbench_oneclass.logtad import LogTad
from logbench_reconstruction import AutoencoderConfig
from logbench_reconstruction.autoencoder import Autoencoder
from logbench_supervised import CnnConfig, LogRobustConfig, MlpConfig, NeuralLogConfig, PleLogConfig
from logbench_supervised.cnn import Cnn
from logbench_supervised.logrobust import LogRobust
from logbench_supervised.mlp import Mlp
from logbench_supervised.neurallog import NeuralLog
from logbench_supervised.plelog import PleLog

KEYS, WIDTH = 5, 4
TEMPLATES = tuple(f"key {key} took <*> ms" for key in range(KEYS))
VECTORS = np.random.default_rng(3).normal(size=(KEYS + 1, WIDTH)).astype(np.float32)
FEW: dict[str, Any] = {"batch": 16, "steps": 6}
ROWS: dict[str, Any] = {"batch": 16, "stop": "passes", "passes": 2}
FULL = FullConfig(h=3, hidden=4, layers=1, value_h=2, value_hidden=3, value_steps=6, **FEW)
MODELS: dict[str, Any] = {
    "deeplog": DeepLog(DeepLogConfig(h=3, hidden=4, layers=1, pad=True, **FEW)),
    "deeplog-full": DeepLogFull(FULL),
    "loganomaly": LogAnomaly(LogAnomalyConfig(h=3, hidden=4, layers=1, **FEW)),
    "lstm-next": LstmNext(LstmNextConfig(h=3, embedding=4, hidden=4, layers=1, **FEW)),
    "transformer-next": TransformerNext(TransformerNextConfig(h=3, embedding=4, feedforward=4, layers=1, **FEW)),
    "loggpt": LogGpt(LogGptConfig(length=8, hidden=4, heads=2, layers=1, **ROWS)),
    "logbert": LogBert(LogBertConfig(length=8, hidden=4, heads=2, layers=1, draws=3, **ROWS)),
    "autoencoder": Autoencoder(AutoencoderConfig(hidden=6, narrow=3, **ROWS)),
    "autoencoder, sequence": Autoencoder(
        AutoencoderConfig(input="sequence", hidden=4, narrow=3, embedding=3, length=8, **ROWS)
    ),
    "cnn": Cnn(CnnConfig(length=8, heights=(2, 3), filters=4, embedding=4, **ROWS)),
    "logrobust": LogRobust(LogRobustConfig(length=8, hidden=4, **ROWS)),
    "mlp": Mlp(MlpConfig(**ROWS)),
    "neurallog": NeuralLog(NeuralLogConfig(length=8, heads=2, feedforward=8, dense=4, **ROWS)),
    "plelog": PleLog(PleLogConfig(length=8, hidden=4, layers=1, components=3, cluster=5, **ROWS)),
    "logtad": LogTad(LogTadConfig(length=8, hidden=4, layers=1, **ROWS)),
}


def drawn(seed: int, count: int, kinds: int = KEYS) -> list[list[int]]:
    """Units of 1 … 10 events, some equal ones among them."""
    rng = np.random.default_rng(seed)
    units = [rng.integers(kinds, size=rng.integers(1, 11)).tolist() for _ in range(count)]
    return [*units, *units[: count // 4]]


def told(units: list[list[int]]) -> Sessions:
    """Units of keys, with all that a model may ask for; those with key 2 are anomalous."""
    values = np.random.default_rng(5).normal(50, 3, KEYS + 1).round(1)  # of an entry, by its key
    return Sessions.of(
        units,
        KEYS,
        labels=np.array([2 in unit for unit in units], np.int8),
        templates=TEMPLATES,
        messages=[f"key {key} took {values[key] + at % 3} ms" for unit in units for at, key in enumerate(unit)],
        vectors=VECTORS,
        vector_ids=np.array([key for unit in units for key in unit], np.int32),
    )


def scores(model: Any, units: list[list[int]]) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = model.score(told(units).unlabelled(), Context()).primary
    return found


@pytest.mark.parametrize("name", MODELS)
def test_no_batch_no_other_unit_and_no_order_moves_a_score(name: str, tmp_path: Path) -> None:
    model, units = MODELS[name], drawn(2, 24, KEYS + 1)
    model.fit(told(drawn(1, 40)), Context(held_out=told(drawn(4, 12))))
    usual = scores(model, units)
    assert len(set(usual)) > 3
    order = np.random.default_rng(0).permutation(len(units))
    np.testing.assert_array_equal(scores(model, [units[at] for at in order]), usual[order])
    np.testing.assert_array_equal(scores(model, units * 2), np.tile(usual, 2))
    np.testing.assert_array_equal([scores(model, [unit])[0] for unit in units[:8]], usual[:8])
    model.save(tmp_path)
    for batch in (1, 7):
        again = type(model)(replace(model.config, eval_batch=batch))
        again.load(tmp_path)
        np.testing.assert_array_equal(scores(again, units), usual)
