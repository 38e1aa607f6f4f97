"""Shared prefixes against torch's own LSTM."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from logbench.torch import SharedPrefixLSTM, sort_windows


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=30),
    st.integers(1, 3),
)
def test_shared_prefixes_give_the_logits_of_torch_lstm(rows: list[list[int]], layers: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        lstm, output = nn.LSTM(4, 12, layers, batch_first=True), nn.Linear(12, 3)
    windows = np.array(rows, dtype=np.int32)
    windows = windows[sort_windows(windows)]
    assert windows.tolist() == sorted(rows)
    histories = torch.from_numpy(windows).long()
    with torch.no_grad():
        logits, place = SharedPrefixLSTM(lstm, output, torch.eye(4))(histories)
        states, _ = lstm(F.one_hot(histories, 4).float())
        torch.testing.assert_close(logits[place], output(states[:, -1]), atol=1e-5, rtol=1e-5)
    assert len(logits) == len({tuple(row) for row in rows})
