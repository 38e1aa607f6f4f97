"""Lines coded by the compiled kernel, and by polars: equal groups, whatever the bytes and wherever they lie."""

from __future__ import annotations

import gzip
import random
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from built_kernel import built_kernel

from logbench import DataError, LineFormat, Lines, open_lines
from logbench.base.kernel import VARIABLE
from logbench.base.progress import silent
from logbench.pipeline import coding
from logbench.pipeline.coded_lines import coder_of
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines
from logbench_datasets.hdfs import Hdfs
from logbench_ownlogs.definition import load
from logbench_ownlogs.named import named, names
from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser
from logbench_parsers.hdfs import parser as statements
from logbench_parsers.none import Verbatim
from logbench_windowers import CountConfig, SessionConfig, _count, _session
from logbench_windowers.session import Session

BY_ID = Session("", "id")
PARSERS = (DrainParser(DrainConfig()), statements(), Verbatim())
PIECES = (
    b"081109 203530 143 INFO dfs.DataNode: ", b"081109 2035", b"blk_1", b"blk_-22", b"blk_", b": ", b" ",
    b"10.0.0.1:80", b"word", b"\xff", b"\xc3", "é".encode(), b"\0", b"\r", b"\x1b[0m", b"Received block ",
    b"9" * 30, b"y" * 300, b"\xef\xbb\xbf",
)  # fmt: skip


@pytest.fixture
def by_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(built_kernel()))


def content(grouped: GroupedLines) -> list[object]:
    """All that a run sees of grouped lines."""
    arrays = (grouped.offsets, grouped.codes, grouped.lines, grouped.times, grouped.line_labels)
    return [
        grouped.units.to_dict(as_series=False),
        grouped.messages.to_list(),
        [(None, None) if one is None else (one.tolist(), one.dtype) for one in arrays],
        dict(grouped.facts),
    ]


def grouped(lines: Lines, windower: object, parser: object) -> list[object]:
    try:
        read = read_lines(lines, windower, parser, silent, times=True)
        counted = dict(lines.counted() if lines.counted else {})
        return [*content(group_lines(read, parser)), read.shapes.to_list(), counted]
    except DataError as error:
        return [str(error)]


def log(random_: random.Random) -> bytes:
    ends = random_.choice(([b"\n"], [b"\r\n"], [b"\n", b"\r\n", b"\r\r\n", b"\r"]))
    lines = [
        b"".join(random_.choices(PIECES, k=random_.randrange(8))) + random_.choice(ends)
        for _ in range(random_.randrange(80))
    ]
    return b"".join(lines).removesuffix(random_.choice((b"\n", b"")))


def packed(folder: Path, data: bytes, how: str) -> Path:
    if how == "zip":
        with zipfile.ZipFile(folder / "HDFS_v1.zip", "w") as archive:
            archive.writestr("HDFS.log", data)
        return folder / "HDFS_v1.zip"
    if how == "gz":
        (folder / "HDFS.log.gz").write_bytes(gzip.compress(data))
    else:
        (folder / "HDFS.log").write_bytes(data)
    return folder


def test_fuzzed_bytes_have_equal_groups_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random_, used = random.Random(18), 0
    for number in range(60):
        (folder := tmp_path / str(number)).mkdir()
        path = packed(folder, log(random_), random_.choice(("plain", "zip", "gz")))
        parser, answers = random_.choice(PARSERS), []
        for way in (str(built_kernel()), "off"):
            monkeypatch.setenv(VARIABLE, way)
            lines = Hdfs().read(path)
            used += coder_of(lines, BY_ID, parser) is not None
            answers.append(grouped(lines, BY_ID, parser))
        assert answers[0] == answers[1], path
    assert used == 60


def test_the_kernels_groups_are_those_of_a_loop_in_python(tmp_path: Path, by_kernel: None) -> None:
    random_ = random.Random(3)
    for number in range(10):
        data = log(random_).decode("utf-8", "replace") + "\nblk_7: 8"
        texts = [line.removesuffix("\r") for line in data.split("\n")]
        (folder := tmp_path / str(number)).mkdir()
        lines = Hdfs().read(packed(folder, data.encode(), "plain"))
        units: dict[str, list[tuple[int, str]]] = {}
        for at, text in enumerate(texts):
            message = text.partition(": ")[2] if ": " in text else text
            for block in dict.fromkeys(re.findall("blk_-?[0-9]+", text)):
                units.setdefault(block, []).append((at, re.sub("[0-9]+", "0", message)))
        read = read_lines(lines, BY_ID, statements(), silent, times=False)
        assert read.units.to_list() == list(units) and read.lines == len(texts)
        columns = read.buffer.sorted(read.sizes)
        shapes = read.shapes.gather(columns["shape"]).to_list()
        assert list(zip(columns["line"].tolist(), shapes, strict=True)) == [
            one for rows in units.values() for one in rows
        ]


def test_batches_of_the_kernel_join_seamlessly(
    tmp_path: Path, by_kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        f"081109 2035{n % 60:02} 1 INFO a: {'Received' if n % 3 else 'Served'} blk_{n % 41} blk_{n % 7}"
        for n in range(999)
    ]
    lines = [line if n % 10 else "no block" for n, line in enumerate(lines)]
    path = packed(tmp_path, "\n".join(lines).encode(), "plain")
    whole = grouped(Hdfs().read(path), BY_ID, PARSERS[0])
    monkeypatch.setattr("logbench.reading.byte_streams.CHUNK", 700)
    seen: list[float] = []
    read = read_lines(Hdfs().read(path), BY_ID, PARSERS[0], lambda done, *_: seen.append(done), times=True)
    assert content(group_lines(read, PARSERS[0])) == whole[:4]
    assert seen[-1] == 999 and seen == sorted(seen) and len(seen) > 50
    with_times = read_lines(Hdfs().read(path), BY_ID, PARSERS[0], silent, times=False)
    assert with_times.first_time is None and read.first_time is not None


def test_all_formats_have_equal_groups_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windower = _count(CountConfig(size=4))
    for name in names():
        example = named(name).example
        text = "\n".join(example.replace("an event", f"event {n} of 10.0.0.{n % 3}") for n in range(9))
        (tmp_path / f"{name}.log").write_text(f"{text}\nno such line 7\n  at trace 12\n", encoding="utf-8")
        definition = tmp_path / f"{name}.toml"
        definition.write_text(f'files = ["{name}.log"]\nformat = "{name}"\n', encoding="utf-8")
        own, answers = load(definition), []
        for way in (str(built_kernel()), "off"):
            monkeypatch.setenv(VARIABLE, way)
            lines = open_lines(Path(own.folder), own.files, own.line_format)
            answers.append(grouped(lines, windower, PARSERS[0]))
        assert answers[0] == answers[1] and len(answers[0]) > 1, name


def test_several_files_with_messages_of_several_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        text = "".join(f"{n} req-{n % 5} said {n}\r\n  at line {n}\n\n" for n in range(40))
        (tmp_path / f"{number}.log").write_text(text, encoding="utf-8", newline="")
    form = LineFormat(
        "regex", r"^(?P<N>\d+) (?P<Content>.*)$", multiline=True, id="message", id_pattern="req-[0-9]+"
    )
    answers = []
    for way in (str(built_kernel()), "off"):
        monkeypatch.setenv(VARIABLE, way)
        answers.append([grouped(open_lines(tmp_path, ["*.log"], form), BY_ID, parser) for parser in PARSERS])
    assert answers[0] == answers[1] and "\n" in answers[0][0][4][0]


def test_an_empty_log_and_one_without_ids_end_with_the_same_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, data in enumerate((b"", b"no block\n", b"\n")):
        (folder := tmp_path / str(number)).mkdir()
        path, answers = packed(folder, data, "plain"), []
        for way in (str(built_kernel()), "off"):
            monkeypatch.setenv(VARIABLE, way)
            answers.append(grouped(Hdfs().read(path), BY_ID, PARSERS[0]))
        assert answers[0] == answers[1] and len(answers[0]) == 1


class Reversed(Session):
    """Assigns otherwise, and says nothing of it."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return super().assign(lines)


def test_polars_reads_what_the_kernel_cannot(
    tmp_path: Path, by_kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Hdfs().read(packed(tmp_path, b"a: blk_1\n", "plain"))
    assert coder_of(lines, BY_ID, PARSERS[0]) is not None
    others = [
        (replace(lines, frame=lines.frame.head(3)), BY_ID, PARSERS[0]),
        (replace(lines, shown=["time"]), BY_ID, PARSERS[0]),
        (replace(lines, rules=None), BY_ID, PARSERS[0]),
        (lines, Session("blk_[0-9]+", "id"), PARSERS[0]),
        (lines, Session("", "message"), PARSERS[0]),
        (lines, _session(SessionConfig(gap="10m")), PARSERS[0]),
        (lines, Reversed("", "id"), PARSERS[0]),
        (lines, _count(CountConfig()), PARSERS[0]),
        (lines, BY_ID, Verbatim(shape=((r"\d+", "0"),))),
        (lines, BY_ID, Verbatim(shape=(("[0-9]+", "$0"),))),
        (lines, BY_ID, Verbatim(shape=(("[0-9]+", "0"), ("a", "b")))),
    ]
    for read, windower, parser in others:
        assert coder_of(read, windower, parser) is None, (read, windower, parser)
    monkeypatch.setenv(VARIABLE, "off")
    assert coder_of(lines, BY_ID, PARSERS[0]) is None


def test_more_lines_than_numbers_are_refused(
    tmp_path: Path, by_kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Hdfs().read(packed(tmp_path, b"a: blk_1\nb: blk_2\n", "plain"))
    monkeypatch.setattr("logbench.pipeline.coded_lines.MOST", 1)
    with pytest.raises(DataError, match=r"HDFS\.log: more than 1 lines; read it in parts"):
        read_lines(lines, BY_ID, PARSERS[0], silent, times=True)


def test_a_run_on_hdfs_takes_the_kernel(tmp_path: Path, by_kernel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import logbench

    taken: list[object] = []
    monkeypatch.setattr(coding, "coder_of", lambda *given: taken.append(found := coder_of(*given)) or found)
    record = logbench.run("ecvc", dataset="hdfs-sim", settings={"dataset": {"blocks": 300}}, out=tmp_path / "runs")
    assert taken and record and np.all([one is not None for one in taken])
