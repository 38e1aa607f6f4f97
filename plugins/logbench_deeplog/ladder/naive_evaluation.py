"""Evaluation as the optimisation report found it, and with each of its points: what the ladder's rungs run.

The points stand as fields of `EvaluationSettings`, so that one loop serves all rungs and a rung is the one below
plus one.
"""

from __future__ import annotations

import bisect
import multiprocessing
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from logbench import Histories, max_per_unit
from logbench.torch import (
    Precision,
    full_fp32,
    logits_of,
    score_distinct,
    score_windows,
    threads_for,
    to_device,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions
    from logbench.torch import Amp, NextKeyConfig

Item = tuple[Tensor, Tensor, int]


@dataclass(frozen=True)
class EvaluationSettings:
    """How to evaluate.

    Attributes:
        batch: windows a forward.
        passes: 3 walk over the data to detect, to aggregate and to count; 1 does all at once.
        maps: window → session and session → label as arrays; else looked up one by one.
        tensors: windows as one tensor made beforehand; else a tensor an item.
        pinned: batches in page-locked memory, copied without waiting.
        workers: processes that make batches.
        forwards: 2 run the network once for the rank and once for the likelihood; 1 takes both from its logits.
        amp: mixed precision.
    """

    batch: int = 1
    passes: int = 3
    maps: bool = False
    tensors: bool = False
    pinned: bool = False
    workers: int = 0
    forwards: int = 2
    amp: Amp = "off"


class Items(Dataset[Item]):
    """Windows of h keys, the key that came, and the window's number; a tensor each time one is asked for."""

    def __init__(self, histories: Histories) -> None:
        self.keys, self.starts, self.h = histories.keys, histories.starts, histories.h

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, number: int) -> Item:
        window = self.keys[self.starts[number] : self.starts[number] + self.h + 1].tolist()
        return torch.tensor(window[:-1]), torch.tensor(window[-1]), number


class Tensors(Dataset[Item]):
    """The same from tensors made once: 8 (h + 1) bytes a window."""

    def __init__(self, histories: Histories) -> None:
        self.windows = torch.from_numpy(histories.windows(np.arange(len(histories))).astype(np.int64))

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, number: int) -> Item:
        window = self.windows[number]
        return window[:-1], window[-1], number


def loader(items: Dataset[Any], batch: int, pinned: bool, workers: int, shuffle: bool = False) -> DataLoader[Any]:
    """A DataLoader; workers are forked, as they then share the windows."""
    fork = multiprocessing.get_context("fork") if workers else None
    return DataLoader(
        items, batch, shuffle=shuffle, pin_memory=pinned, num_workers=workers, multiprocessing_context=fork
    )


def no_workers() -> str:
    """Why there can be no workers, or nothing."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return "processes cannot be forked here"
    return "" if (os.cpu_count() or 1) > 1 else "one core"


@dataclass(frozen=True)
class Evaluation:
    """A trained network and what it alarms at."""

    network: nn.Module
    config: NextKeyConfig
    context: Context

    @torch.inference_mode()
    def by(self, way: EvaluationSettings, sessions: Sessions) -> NDArray[np.bool_]:
        """Verdicts on labelled sessions, bool [units], the report's way."""
        histories = Histories.of(sessions, self.config.h, self.config.pad)
        items: Dataset[Item] = Tensors(histories) if way.tensors else Items(histories)
        aggregate = (Mapped if way.maps else LookedUp)(sessions, histories)
        with warnings.catch_warnings(), full_fp32(), threads_for(way.batch, self.context.device):
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: forking beside threads
            return self._passes(way, items, aggregate)

    def _passes(self, way: EvaluationSettings, items: Dataset[Item], aggregate: Aggregate) -> NDArray[np.bool_]:
        walk = loader(items, way.batch, way.pinned, way.workers)
        if way.passes == 1:
            for alarms, nll, numbers in self._detect(way, walk):
                aggregate.add(alarms, nll, numbers)
            aggregate.count()
            return aggregate.verdicts()
        found = [(alarms, nll) for alarms, nll, _ in self._detect(way, walk)]
        for (alarms, nll), (_, _, numbers) in zip(found, walk, strict=True):
            aggregate.add(alarms, nll, numbers)
        for _, _, numbers in walk:
            aggregate.see(numbers)
        aggregate.count()
        return aggregate.verdicts()

    def _detect(self, way: EvaluationSettings, walk: DataLoader[Any]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Alarms bool [B], negative log-likelihoods float [B] and numbers int64 [B] of each batch."""
        device, precision = self.context.device, Precision.of(way.amp, self.context.device)
        for histories, came, numbers in walk:
            rows = histories.to(device, non_blocking=way.pinned)
            target = came.to(device, non_blocking=way.pinned)
            with precision.autocast():
                logits = logits_of(self.network, rows)
                again = logits_of(self.network, rows) if way.forwards == 2 else logits
            yield *judged(logits.float(), again.float(), target, self.config.g), numbers

    @torch.inference_mode()
    def plain(self, sessions: Sessions, distinct: bool = False) -> NDArray[np.bool_]:
        """The fastest loop over single windows: one walk, one forward each, no DataLoader, arrays as maps.

        `distinct`: only one of equal windows, which have one answer: to check all sessions in bearable time.
        """
        histories = Histories.of(sessions, self.config.h, self.config.pad)
        keys, device = torch.from_numpy(histories.keys.astype(np.int64)), self.context.device
        alarms, nlls = [torch.empty(0, dtype=torch.bool)], [torch.empty(0)]
        with full_fp32(), threads_for(1, device):
            starts = histories.starts[histories.distinct.first] if distinct else histories.starts
            for start in starts.tolist():
                window = keys[None, start : start + self.config.h + 1].to(device)
                logits = self.network(window[:, :-1])
                alarm, nll = judged(logits, logits, window[:, -1], self.config.g)
                alarms.append(alarm)
                nlls.append(nll)
        back = histories.distinct.inverse if distinct else slice(None)
        return _vectorised(torch.cat(alarms).numpy()[back], torch.cat(nlls).numpy()[back], sessions, histories)

    def distinct(self, sessions: Sessions) -> NDArray[np.bool_]:
        """Each distinct window once, by the plain network, joined back."""
        histories = Histories.of(sessions, self.config.h, self.config.pad)
        windows = histories.distinct_windows
        alarms, nlls = [torch.empty(0, dtype=torch.bool)], [torch.empty(0)]
        batch = self.config.eval_batch if isinstance(self.config.eval_batch, int) else 512
        with torch.inference_mode(), full_fp32(), threads_for(batch, self.context.device):
            for begin in range(0, len(windows), batch):
                rows = to_device(windows[begin : begin + batch].astype(np.int64), self.context.device)
                logits = self.network(rows[:, :-1])
                alarm, nll = judged(logits, logits, rows[:, -1], self.config.g)
                alarms.append(alarm)
                nlls.append(nll)
        inverse = histories.distinct.inverse
        return _vectorised(
            torch.cat(alarms).numpy()[inverse], torch.cat(nlls).numpy()[inverse], sessions, histories
        )

    def prefix(self, sessions: Sessions) -> NDArray[np.bool_]:
        """Each distinct prefix once: what `deeplog` does by default."""
        histories = Histories.of(sessions, self.config.h, self.config.pad)
        found = score_distinct(self.network, histories, self.config, self.context)
        inverse = histories.distinct.inverse
        return _vectorised((found.rank > self.config.g)[inverse], found.nll[inverse], sessions, histories)

    def brute(self, sessions: Sessions) -> NDArray[np.bool_]:
        """Every window, gathered on the device from the flat keys: `deeplog.dedup=false`."""
        histories = Histories.of(sessions, self.config.h, self.config.pad)
        found = score_windows(self.network, histories, self.config, self.context)
        return _vectorised(found.rank > self.config.g, found.nll, sessions, histories)


def judged(logits: Tensor, again: Tensor, came: Tensor, g: int) -> tuple[Tensor, Tensor]:
    """Alarms bool [B] by `logits` [B, K], and negative log-likelihoods [B] by `again` [B, K]; both on the host.

    A tie counts against the key that came; a key out of vocabulary alarms and has +∞.
    """
    known = came < logits.shape[1]
    place = came.clamp(max=logits.shape[1] - 1).unsqueeze(1)
    rank = (logits >= logits.gather(1, place)).sum(1)
    nll = -again.log_softmax(1).gather(1, place).squeeze(1)
    return ((rank > g) | ~known).cpu(), torch.where(known, nll, torch.inf).cpu()


class LookedUp:
    """Sessions and labels found window by window: by bisection, then by name."""

    def __init__(self, sessions: Sessions, histories: Histories) -> None:
        self.ends, self.ids = histories.offsets[1:].tolist(), sessions.ids.to_list()
        assert sessions.labels is not None
        self.label = dict(zip(self.ids, sessions.labels.tolist(), strict=True))
        self.alarm: dict[str, bool] = {}
        self.nll: dict[str, float] = {}
        self.seen: dict[str, int] = {}
        self.counts: NDArray[np.int64] | None = None

    def _unit(self, number: int) -> str:
        unit: str = self.ids[bisect.bisect_right(self.ends, number)]
        return unit

    def add(self, alarms: Tensor, nll: Tensor, numbers: Tensor) -> None:
        for alarm, loss, number in zip(alarms.tolist(), nll.tolist(), numbers.tolist(), strict=True):
            unit = self._unit(number)
            self.alarm[unit] = self.alarm.get(unit, False) or alarm
            self.nll[unit] = max(self.nll.get(unit, 0.0), loss)

    def see(self, numbers: Tensor) -> None:
        for number in numbers.tolist():
            unit = self._unit(number)
            self.seen[unit] = self.label[unit]

    def count(self) -> None:
        labels = self.seen or {unit: self.label[unit] for unit in self.alarm}
        pairs = np.array([[labels[unit], self.alarm[unit]] for unit in self.alarm]).reshape(-1, 2)
        self.counts = confusion(pairs[:, 0], pairs[:, 1].astype(bool))

    def verdicts(self) -> NDArray[np.bool_]:
        return np.array([self.alarm[unit] for unit in self.ids])


class Mapped:
    """The same by arrays made once."""

    def __init__(self, sessions: Sessions, histories: Histories) -> None:
        self.sessions, self.histories = sessions, histories
        self.alarm = np.zeros(len(histories), dtype=bool)
        self.nll = np.zeros(len(histories), dtype=np.float32)
        self.result = np.zeros(0, dtype=bool)

    def add(self, alarms: Tensor, nll: Tensor, numbers: Tensor) -> None:
        where = numbers.numpy()
        self.alarm[where], self.nll[where] = alarms.numpy(), nll.numpy()

    def see(self, numbers: Tensor) -> None: ...

    def count(self) -> None:
        self.result = _vectorised(self.alarm, self.nll, self.sessions, self.histories)

    def verdicts(self) -> NDArray[np.bool_]:
        return self.result


Aggregate = LookedUp | Mapped


def _vectorised(
    alarms: NDArray[np.bool_], nll: NDArray[np.float32], sessions: Sessions, histories: Histories
) -> NDArray[np.bool_]:
    """Verdicts of units from the alarms [windows]; likelihoods and counts are made as well."""
    verdicts = max_per_unit(alarms, histories.offsets, False)
    max_per_unit(nll, histories.offsets, 0.0)
    assert sessions.labels is not None
    confusion(sessions.labels, verdicts)
    return verdicts


def confusion(labels: NDArray[Any], verdicts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Counts [label, verdict] of units with label 0 or 1, int64 [2, 2]."""
    known = labels >= 0
    cells = np.bincount(labels[known].astype(np.int64) * 2 + verdicts[known], minlength=4)
    return cells.reshape(2, 2).astype(np.int64)
