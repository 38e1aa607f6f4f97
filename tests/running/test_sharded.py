"""A log read in shards is, to the bit, what one pass gives: units that cross shards, times, lines, messages."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logbench import DataError, IncompatibleError, Plan
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.pipeline import grouped_cache
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines
from logbench.reading.shards import cut, laid_out, lines_in
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime, made_current
from logbench.running.sharded import ShardPlan, keep, read_shard, shards_of
from logbench.running.workers import READING
from logbench.studies.sharded_reading import read_in_shards
from logbench.studies.workbench import Workbench

REGISTRY = Registry()


def hdfs(folder: Path, lines: int, *, end: str = "\n") -> Path:
    """Lines of blocks that go on through the whole log; some of two blocks, some of none, some without a time."""
    rng, folder = random.Random(lines), folder / "hdfs"
    folder.mkdir(parents=True)
    texts = []
    for number in range(lines):
        stamp = (
            "nonsense 000000"
            if number < 3 or rng.random() < 0.1
            else f"081109 {number // 60 % 24:02}{number % 60:02}00"
        )
        blocks = " ".join(f"blk_{rng.randrange(-9, 40 + number // 9)}" for _ in range(rng.choice((0, 1, 1, 1, 2))))
        what = rng.choice(("Receiving block", "Deleting", "PacketResponder", f"Ünusual{number % 17}"))
        texts.append(f"{stamp} {number} INFO dfs.DataNode: {what} {blocks} from 10.0.0.{rng.randrange(9)}")
    (folder / "HDFS.log").write_bytes((end.join(texts) + end).encode())
    (folder / "preprocessed").mkdir()
    rows = "".join(f"blk_{n},{'Anomaly' if n % 7 == 0 else 'Normal'}\n" for n in range(-9, 41))
    (folder / "preprocessed" / "anomaly_label.csv").write_text(f"BlockId,Label\n{rows}")
    return folder


def in_one_pass(plan: Plan) -> GroupedLines:
    resolved = resolve(plan, REGISTRY)
    assert plan.data is not None
    opened = resolved.dataset.build().read(plan.data)
    parser, windower = resolved.parser.build(), resolved.windower.build()
    read = read_lines(opened, windower, parser, lambda *_: None, times=True)
    return group_lines(read, parser, opened.labels, windower)


def in_shards(plan: Plan, shards: int) -> GroupedLines:
    bench = Workbench.here(REGISTRY)
    made = read_in_shards(plan, shards, bench)
    found = grouped_cache.load(made["key"], pytest.fail)
    assert found is not None and (made["lines"], made["units"]) == (found.facts["lines"], len(found))
    return found


def check_equal(one: GroupedLines, other: GroupedLines) -> None:
    assert one.units.equals(other.units)
    for name in ("offsets", "codes", "lines", "times", "line_labels"):
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None) == (second is None), name
        assert first is None or (first.dtype == second.dtype and np.array_equal(first, second)), name
    assert one.messages.to_list() == other.messages.to_list()
    assert {name: other.facts[name] for name in one.facts} == one.facts


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(("lines", "shards"), [(500, 1), (500, 8), (9, 40)])
def test_shards_give_what_one_pass_gives(lines: int, shards: int, tmp_path: Path) -> None:
    plan = Plan(model="length", dataset="hdfs", data=hdfs(tmp_path, lines))
    whole, parts = in_one_pass(plan), in_shards(plan, shards)
    check_equal(whole, parts)
    if shards > 1:
        assert (np.diff(whole.lines[whole.offsets[:-1]].astype(np.int64)) >= 0).all()
        first, last = whole.units["first_line"], whole.units["last_line"]
        assert ((last - first) > lines / shards).any(), "units must cross shards, or equality shows little"


@pytest.mark.parametrize("change", ["CRLF", "no last end", "mark", "bytes", "empty lines"])
def test_odd_ends_and_bytes_are_read_as_in_one_pass(change: str, tmp_path: Path) -> None:
    folder = hdfs(tmp_path, 200, end="\r\n" if change == "CRLF" else "\n")
    log = folder / "HDFS.log"
    content = log.read_bytes()
    if change == "no last end":
        content = content[:-1]
    elif change == "mark":
        content = b"\xef\xbb\xbf" + content
    elif change == "bytes":
        content = content.replace(b"Deleting", b"Dele\xff\x00\rting")
    elif change == "empty lines":
        content = content.replace(b"\n", b"\n\n", 20) + b"\n\n"
    log.write_bytes(content)
    plan = Plan(model="length", dataset="hdfs", data=folder)
    check_equal(in_one_pass(plan), in_shards(plan, 7))


def test_a_log_that_changes_between_cut_and_merge_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a later run would take the old lines for those of the new log."""
    folder = hdfs(tmp_path, 60)
    plan = Plan(model="length", dataset="hdfs", data=folder)

    def grown(shard: object, place: Path) -> None:
        keep(shard, place)  # type: ignore[arg-type]
        with (folder / "HDFS.log").open("a") as log:
            log.write("081109 203518 143 INFO dfs.DataNode: Deleting blk_1\n")

    monkeypatch.setattr("logbench.studies.sharded_reading.keep", grown)
    with pytest.raises(DataError, match="changed while they were read"):
        read_in_shards(plan, 3, Workbench.here(REGISTRY))


def test_files_of_a_folder_are_read_in_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("a.log", "b.log", "c.log"):
        rows = (f"2024-01-01 10:00:{n % 60:02} user{n % 5} does thing {n % 3} in {name[0]}\n" for n in range(40))
        (folder / name).write_text("".join(rows))
    form = tmp_path / "mine.toml"
    form.write_text(
        'files = ["*.log"]\npattern = "<Date> <Time> <User> <Content>"\ntime = ["Date", "Time"]\n'
        'time_format = ["%Y-%m-%d %H:%M:%S"]\nid = "User"\n'
    )
    plan = Plan(model="length", dataset=str(form), data=folder)
    opened = resolve(plan, REGISTRY).dataset.build().read(folder)
    pieces = cut(list(opened.files), folder, 5)
    assert pieces[0][0].name == "a.log" and pieces[-1][-1].name == "c.log"
    check_equal(in_one_pass(plan), in_shards(plan, 5))


def test_cuts_lose_and_repeat_no_byte(tmp_path: Path) -> None:
    files = []
    for at, text in enumerate(("a\nbb\n", "", "c" * 50 + "\n" + "d", "\n\n\ne\n", "no end")):
        files.append(tmp_path / f"{at}.log")
        files[-1].write_text(text)
    whole = b"".join(file.read_bytes() for file in files)
    for shards in range(1, 40):
        pieces = cut(files, tmp_path, shards)
        assert len(pieces) <= shards
        parts = []
        for shard in pieces:
            with laid_out(tmp_path, shard, []) as folder:
                parts.append(b"".join((folder / piece.name).read_bytes() for piece in shard))
            for piece in shard:
                before = (tmp_path / piece.name).read_bytes()[: piece.begin]
                assert not before or before.endswith(b"\n"), "a line is cut"
        assert b"".join(parts) == whole
        assert sum(lines_in(tmp_path, shard) for shard in pieces) == 9


def test_what_a_cut_would_change_is_refused(tmp_path: Path) -> None:
    folder = hdfs(tmp_path, 30)
    asked = {"model": "length", "dataset": "hdfs", "data": folder}
    bench = Workbench.here(REGISTRY)
    with pytest.raises(IncompatibleError, match="may look at more than one line"):
        read_in_shards(Plan(**asked, windower="count"), 2, bench)
    log = folder / "HDFS.log"
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "HDFS.log").write_bytes(gzip.compress(log.read_bytes()))
    with pytest.raises(DataError, match="packed, so it cannot be read in shards; unpack it"):
        read_in_shards(Plan(**{**asked, "data": packed}), 2, bench)


def test_another_worker_may_start_while_a_shard_is_read(tmp_path: Path) -> None:
    """Else one process after another would read them."""
    told: list[str] = []

    class Told(Bars):
        def stage(self, name: str) -> Any:
            told.append(name)
            return super().stage(name)

    asked = ShardPlan(model="length", dataset="hdfs", data=hdfs(tmp_path, 60), shards=2)
    with made_current(replace(Runtime.here(REGISTRY), bars=Told(enabled=False))):
        digest, pieces = shards_of(asked)
        read_shard(replace(asked, pieces=pieces[0], digest=digest))
    assert told[-1] not in READING
