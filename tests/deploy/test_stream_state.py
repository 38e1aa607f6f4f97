"""A stream that is stopped anywhere and begun again with its state gives what the file gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import logbench
from logbench.components.registry import Registry
from logbench.deploy.alarm_desk import AlarmDesk
from logbench.deploy.alarms import AlarmBook
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_state import ScoreState, opened
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle

REGISTRY = Registry()
COLUMNS = ("unit", "score", "verdict", "events", "unseen", "line", "at", "template", "time", "node", "first")
TIMED = 'time = "Time"\ntime_format = "epoch"\n'
LOGS = {
    "sessions": (
        "".join(f"{100 + at} n{at % 3} s{at % 7} {'begin' if at < 7 else 'work'}\n" for at in range(60))
        + "170 n1 s3 kernel panic\n",
        f'pattern = "<Time> <Node> <Session> <Content>"\nnode = "Node"\nid = "Session"\n{TIMED}',
    ),
    "ids that come again": (
        "".join(f"{100 + at * 7 + 100 * (at // 9)} w{at % 3} step {at % 4}\n" for at in range(60)),
        f'pattern = "<Time> <Session> <Content>"\nid = "Session"\ngap = "50s"\n{TIMED}',
    ),
    "windows of time": (
        "".join(f"{100 + 4 * at} s{at} begin\nno time\n" for at in range(30)),
        f'pattern = "<Time> s<Session> <Content>"\nwindow = "10s"\n{TIMED}',
    ),
    "lines that come late": (
        "".join(f"{100 + 4 * at - 45 * (at % 9 == 8)} step {at % 5}\n" for at in range(60)),
        f'pattern = "<Time> <Content>"\nwindow = "20s"\n{TIMED}',
    ),
    "a table after comments": (
        "#separator tab\n#made by hand\n#fields\tts\tid\ttext\n#types\ttime\tstring\tstring\n"
        + "".join(f"{100 + at}\ts{at % 7}\tstep {at % 4}\n" for at in range(60)),
        'format = "zeek"\nid = "id"\nmessage = "text"\ntime = "ts"\n',
    ),
    "windows of lines": (
        "".join(f"{100 + 4 * at + 9000 * (at // 8)} step {at % 5}\n" for at in range(40)),
        f'pattern = "<Time> <Content>"\nwindower = "count"\nwindow = "6"\n{TIMED}',
    ),
    "traces": (
        "".join(f"INFO s{at} started\n  at a\n  at b\nINFO s{at} done\n" for at in range(12)),
        'pattern = "<Level> <Session> <Content>"\nmultiline = true\nid = "Session"\n',
    ),
    "a table": (
        "Session,Content\n" + "".join(f's{at},"one, ""two"""\ns{at},"three\nfour"\n' for at in range(12)),
        'format = "csv"\nmultiline = true\nid = "Session"\n',
    ),
}  # fmt: skip


@dataclass
class Saved:
    """A saved model, a log of its kind, and what the log gives as a file."""

    folder: Path
    log: Path
    whole: list[tuple[Any, ...]]

    @property
    def bundle(self) -> Bundle:
        return Bundle(self.folder, REGISTRY)


@pytest.fixture(scope="module", params=list(LOGS))
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    folder, (text, form) = tmp_path_factory.mktemp("state"), LOGS[request.param]
    (folder / "a.log").write_text(text)
    (folder / "my.toml").write_text(f'files = "a.log"\nparser = "none"\n{form}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        (record,) = logbench.run(
            "new-event", dataset=str(folder / "my.toml"), out=folder / "runs", save=folder / "saved",
            registry=REGISTRY, settings={"protocol": {"train_ratio": 0.4, "held_out": 0.3}},
        )  # fmt: skip
        assert record.error is None
        whole = score_bundle(Bundle(folder / "saved", REGISTRY), folder / "a.log", "cpu", lambda *_: None)
        yield Saved(folder / "saved", folder / "a.log", rows(whole))


def rows(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return frame.sort("unit").select(COLUMNS).rows()


def scored(saved: Saved, file: Path, blocks: list[bytes], finish: bool) -> list[pl.DataFrame]:
    """One call, up to its end."""
    bundle = saved.bundle
    with opened(file, bundle.facts["run_id"]) as state:
        desk = AlarmDesk(AlarmBook(300, state.alarmed, state.incidents), 0.0, "m", state)
        found = score_stream(bundle, iter(blocks), 1e9, "cpu", lambda: 0.0, keeper=desk, finish=finish)
        return list(found)


@pytest.mark.parametrize(("share", "replayed"), [(0.37, False), (0.81, True)])
def test_two_calls_give_what_the_file_gives(saved: Saved, tmp_path: Path, share: float, replayed: bool) -> None:
    """Cut in the middle of a line or of an event; the second stream has the rest, or begins anew."""
    text, file = saved.log.read_bytes(), tmp_path / "s.json"
    cut = int(len(text) * share)
    first = scored(saved, file, [text[:cut]], finish=False)
    second = scored(saved, file, [text if replayed else text[cut:]], finish=True)
    assert rows(pl.concat([*first, *second])) == saved.whole


def test_a_stream_of_small_blocks_that_is_killed_goes_on_from_what_was_saved(saved: Saved, tmp_path: Path) -> None:
    """What came since the last save is read again, as a source that begins anew gives it."""
    text, file, bundle = saved.log.read_bytes(), tmp_path / "s.json", saved.bundle
    blocks = [text[at : at + 97] for at in range(0, len(text), 97)]
    state = ScoreState(file, bundle.facts["run_id"])
    desk, frames, kept = AlarmDesk(AlarmBook(300), 0.0, "m", state), [], 0
    killed = score_stream(bundle, dying(blocks[: len(blocks) // 2]), 1e9, "cpu", lambda: 0.0, keeper=desk)
    checkpoint = state.checkpoint

    def seldom(values: Callable[[], dict[str, Any]], now: bool) -> bool:
        nonlocal kept
        kept += 1
        return checkpoint(values, now=kept % 3 == 1)

    state.checkpoint = seldom  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        frames += list(killed)
    again = [*frames, *scored(saved, file, blocks, finish=True)]
    assert rows(pl.concat(again)) == saved.whole


class KilledError(Exception):
    """Ends a stream with nothing done at its end."""


def dying(blocks: list[bytes]) -> Iterator[bytes]:
    yield from blocks
    raise KilledError
