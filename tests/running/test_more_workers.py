"""When `--jobs auto` starts another worker: where the models that wait take longer than its start."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest

from logbench.running import more_workers
from logbench.running.more_workers import Pays

Times = namedtuple("Times", "idle")


class Clock:
    """Seconds, and those that cores were idle.

    Attributes:
        cores: idle ones.
    """

    now, idle, cores = 0.0, 0.0, 1.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pays(monkeypatch: pytest.MonkeyPatch) -> Pays:
    memory, clock = namedtuple("memory", "available")(1000 << 20), Clock()
    monkeypatch.setattr(more_workers.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(more_workers.psutil, "cpu_times", lambda: Times(clock.idle))
    return Pays(clock)


def at(pays: Pays, now: float) -> None:
    clock: Any = pays.clock
    clock.idle += clock.cores * (now - clock.now)
    clock.now = now


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


def test_another_worker_needs_an_idle_core_now_whatever_the_load_was(pays: Pays) -> None:
    clock: Any = pays.clock
    clock.cores = 0.0
    pays.given(0)
    at(pays, 50)  # reading takes all cores
    pays.begun(0)
    at(pays, 200)
    assert not pays.another(5, 100), "others take them since"
    for idle, pay in ((0.6, True), (0.4, False), (2.0, True)):
        clock.cores = idle
        at(pays, clock.now + 10)
        assert pays.another(5, 100) == pay
        clock.cores = 0.0
        at(pays, clock.now + 0.5)
        assert pays.another(5, 100) == pay, "half a second is too short to tell"


def test_an_idle_core_is_not_known_at_once(pays: Pays) -> None:
    pays.given(0)
    pays.begun(0)
    at(pays, 0.9)
    assert not pays.another(1000, 100)
    at(pays, 1.1)
    assert pays.another(1000, 100)


def test_short_models_never_pay_the_start_of_a_process(pays: Pays) -> None:
    for number in range(8):
        pays.given(number)
        pays.begun(number)
        at(pays, 0.01 * (number + 1))
        pays.ended(number)
        assert not pays.another(8, 100)
