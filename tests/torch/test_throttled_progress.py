"""Progress is passed on, and not too often."""

from __future__ import annotations

from dataclasses import replace

import pytest
from next_key import SMALL, fitted

from logbench.torch import ThrottledProgress


def test_progress_reaches_the_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[float, float | None, str]] = []
    clock = iter(range(10**6))
    monkeypatch.setattr("logbench.torch.throttled_progress.time.monotonic", lambda: next(clock))
    fitted(
        replace(SMALL, steps=20), progress=lambda done, total=None, detail="": calls.append((done, total, detail))
    )
    assert [done for done, *_ in calls] == list(range(1, 21))
    assert all(total == 20 and detail.startswith("loss ") for _, total, detail in calls)


def test_what_comes_too_soon_is_dropped_and_its_words_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[float, float | None, str]] = []
    times = iter([0.0, 0.1, 0.2, 0.3, 0.5])
    monkeypatch.setattr("logbench.torch.throttled_progress.time.monotonic", lambda: next(times))
    progress = ThrottledProgress(
        lambda done, total=None, detail="": calls.append((done, total, detail)), 9, every=0.15
    )
    asked: list[int] = []
    for done in range(1, 5):
        progress(done, lambda done=done: str(asked.append(done) or done))  # type: ignore[misc, func-returns-value]
    assert calls == [(2, 9, "2"), (4, 9, "4")] and asked == [2, 4]
