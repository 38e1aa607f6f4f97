"""When `--jobs auto` starts another worker: where the models that wait take longer than its start."""

from __future__ import annotations

from collections import namedtuple

import pytest

from logbench.running import more_workers
from logbench.running.more_workers import Pays


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pays(monkeypatch: pytest.MonkeyPatch) -> Pays:
    memory = namedtuple("memory", "available")(1000 << 20)
    monkeypatch.setattr(more_workers.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(more_workers.psutil, "getloadavg", lambda: (0.0, 0.0, 0.0))
    return Pays(Clock())


def at(pays: Pays, now: float) -> None:
    pays.clock.now = now  # type: ignore[attr-defined]


def test_another_worker_waits_until_the_models_take_longer_than_its_start(pays: Pays) -> None:
    pays.given(0)
    at(pays, 10)
    assert not pays.another(5, 100), "nothing is known before a model begins"
    pays.begun(0)
    at(pays, 11)
    assert not pays.another(10, 100), "ten models of one second do not pay ten seconds twice"
    at(pays, 12.1)
    assert pays.another(10, 100) and not pays.another(9, 100), "this one already takes two"
    at(pays, 13)
    pays.ended(0)
    assert pays.another(7, 100) and not pays.another(6, 100), "models take three seconds"
    assert not pays.another(0, 100)


def test_another_worker_needs_room_in_memory(pays: Pays) -> None:
    pays.given(0)
    pays.begun(0)
    at(pays, 100)
    assert pays.another(5, 600) and not pays.another(5, 700)


def test_another_worker_needs_an_idle_core(pays: Pays, monkeypatch: pytest.MonkeyPatch) -> None:
    pays.given(0)
    pays.begun(0)
    at(pays, 100)
    assert pays.another(5, 100)
    monkeypatch.setattr(more_workers.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(more_workers.psutil, "getloadavg", lambda: (3.6, 0.0, 0.0))
    assert not pays.another(5, 100)
    monkeypatch.setattr(more_workers.psutil, "getloadavg", lambda: (3.4, 0.0, 0.0))
    assert pays.another(5, 100)


def test_short_models_never_pay_the_start_of_a_process(pays: Pays) -> None:
    for number in range(8):
        pays.given(number)
        pays.begun(number)
        at(pays, 0.01 * (number + 1))
        pays.ended(number)
        assert not pays.another(8, 100)
