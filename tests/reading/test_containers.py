"""Raw files give the same lines from every container, damaged ones one clear line."""

from __future__ import annotations

import gzip
import io
import os
import random
import string
import tarfile
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packed_logs import containers, one_line, reference, zipped

from logbench import DataError
from logbench.reading import byte_streams
from logbench.reading.layout import Member, open_layout, scan


@pytest.mark.parametrize("size", [1, 40, *range(50, 100), 159])
def test_a_line_without_end_is_refused_in_every_way(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_streams, "CHUNK", 16)
    monkeypatch.setattr(byte_streams, "LONGEST", 64)
    path = tmp_path / "a.log"
    path.write_bytes(b"short\n" + b"x" * size + b"\nshort\n")
    member = Member("a", path, byte_streams.Stream("a", partial(path.open, "rb")))

    def refused(read: Callable[[], object]) -> bool:
        try:
            read()
        except (DataError, pl.exceptions.ComputeError) as error:
            assert "a line of more than 64 bytes" in str(error)
            return True
        return False

    in_bytes = refused(lambda: [*member.valid()])
    assert in_bytes == refused(member.scan().collect)
    assert in_bytes == (size > 80) or 48 < size <= 80


PIECES = st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"blk_-1 x", b"\0", b"\xe9", "é".encode(), b"\xef\xbf\xbd"])
PACKED_LIKE = st.sampled_from([b"\n", b"x^", b"x\x01", b"\x1f\x8b\x08", b"(\xb5\x2f\xfd", b"x\xda\x80"])


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | PACKED_LIKE | st.binary(max_size=3), max_size=30).map(b"".join), st.integers(1, 9))
@example(b"", 4)
@example(b"\n", 4)
@example(b"\xff", 4)
@example(b"a\n\xff", 1)
@example(b"a\r\r\n\r", 2)
@example(b"x^ is how a zlib file starts\nx\x01\n\x1f\x8b\x08\n(\n", 1)
def test_every_container_gives_the_lines_of_the_file(data: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_streams, "CHUNK", size)
        files = containers(Path(folder), data)
        if data.startswith((b"\x1f\x8b\x08", b"(\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06")):
            del files["a.log"]  # rightly taken for a packed file
        for path in files.values():
            for engine in ("in-memory", "streaming"):
                frame = scan(path).collect(engine=engine)
                assert frame.schema == {"line": pl.UInt32(), "raw": pl.String()}
                assert frame["raw"].to_list() == reference(data)
                assert frame["line"].to_list() == list(range(frame.height))


@pytest.mark.parametrize("data", [b"first\nsecond\r\n" * 5000, b"first\ncaf\xe9\r\n" * 5000])
def test_pipelines_push_down_and_read_again(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_streams, "CHUNK", 1000)
    expected = reference(data)
    for path in containers(tmp_path, data).values():
        lines = scan(path)
        for _ in range(2):
            assert lines.head(3).collect()["raw"].to_list() == expected[:3]
            assert lines.head(0).collect().height == 0
            assert lines.slice(700, 5).collect(engine="streaming")["line"].to_list() == [*range(700, 705)]
            some = lines.filter(pl.col("line").is_in([0, 777, 9999])).select("raw").collect(engine="streaming")
            assert some.to_series().to_list() == [expected[i] for i in (0, 777, 9999)]
            head = lines.head(5).filter(pl.col("raw") == "first").collect()
            assert head["line"].to_list() == [0, 2, 4]
            late = lines.filter(pl.col("line") > 3).head(2).collect(engine="streaming")
            assert late["line"].to_list() == [4, 5]
        assert lines.select(pl.len()).collect(engine="streaming").item() == len(expected)
        batches = list(lines.collect_batches(chunk_size=4096, maintain_order=True))
        assert pl.concat(batches)["raw"].to_list() == expected
        words = lines.select(pl.col("raw").str.extract_all("[a-z]+").explode().alias("word"))
        counts = dict(words.group_by("word").len().collect(engine="streaming").iter_rows())
        assert counts["first"] == 5000


def test_undecodable_lines_are_counted_and_none_is_lost(tmp_path: Path) -> None:
    good = b"line number 0123456789\n" * 400_000
    data = good + b"caf\xe9 \xff\n\xef\xbf\xbd valid\n" + good + b"\xe9"
    for path in containers(tmp_path, data).values():
        member = open_layout(path, ["a.log"])["a.log"]
        for _ in range(2):
            frame = member.scan().collect(engine="streaming")
            assert frame.height == 800_003
            assert frame["line"].to_list() == [*range(800_003)]
            assert frame["raw"][400_000] == "caf\ufffd \ufffd"
            assert member.undecodable == 2
        member.stream.undecodable = 0
        assert b"".join(member.valid()).decode().splitlines() == frame["raw"].to_list()
        assert member.undecodable == 2
    clean = tmp_path / "clean.log"
    clean.write_bytes("café\n".encode() * 10)
    member = open_layout(clean, ["clean.log"])["clean.log"]
    assert member.scan().collect().height == 10
    assert member.undecodable == 0


def test_character_across_blocks_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"a" * (byte_streams.CHUNK - 1) + "é\n".encode())
    assert byte_streams.scannable(path)
    path.write_bytes(b"a" * (byte_streams.CHUNK - 1) + "é".encode()[:1])
    assert not byte_streams.scannable(path)


def test_long_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"x" * 1_000_000 + b"\nshort\n"
    for path in containers(tmp_path, data).values():
        assert scan(path).select(pl.col("raw").str.len_bytes()).collect().to_series().to_list() == [1_000_000, 5]
    monkeypatch.setattr(byte_streams, "CHUNK", 1000)
    monkeypatch.setattr(byte_streams, "LONGEST", 100_000)
    with pytest.raises(DataError, match="text log") as error:
        scan(tmp_path / "c.zip").collect()
    one_line(error)


def test_bombs_are_refused(tmp_path: Path) -> None:
    data = b"0\n" * 500_000
    paths = containers(tmp_path, data)
    with pytest.raises(DataError, match="1,000,000 bytes, more than the 999,999 allowed"):
        open_layout(paths["c.zip"], ["a.log"], max_bytes=999_999)
    bomb = open_layout(paths["b.log.gz"], ["a.log"], max_bytes=999_999)["a.log"]
    with pytest.raises(DataError, match="unpacks to more than the 999,999"):
        bomb.scan().collect(engine="streaming")
    for path in paths.values():
        member = open_layout(path, ["a.log"], max_bytes=1_000_000)["a.log"]
        assert member.scan().collect().height == 500_000
        assert member.bytes(1_000_000) == data
        with pytest.raises(DataError, match="more than the 999,999"):
            member.bytes(999_999)


def noise(size: int) -> bytes:
    return "".join(random.Random(0).choices(string.ascii_letters + "\n", k=size)).encode()


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    paths = containers(tmp_path, noise(100_000))
    whole = {name: path.read_bytes() for name, path in paths.items()}
    for cut in (0, 3, 500, len(whole["c.zip"]) - 1):
        paths["c.zip"].write_bytes(whole["c.zip"][:cut])
        with pytest.raises(DataError, match=r"c\.zip.*fetch it again") as error:
            scan(paths["c.zip"])
        one_line(error)
    for cut in (0, 3, 500, len(whole["b.log.gz"]) - 4):
        paths["b.log.gz"].write_bytes(whole["b.log.gz"][:cut])
        with pytest.raises(DataError, match=r"b\.log\.gz.*fetch it again") as error:
            scan(paths["b.log.gz"]).collect(engine="streaming")
        one_line(error)
    for name in ("b.log.gz", "c.zip"):
        flipped = bytearray(whole[name])
        flipped[len(flipped) // 2] ^= 0xFF
        paths[name].write_bytes(flipped)
        with pytest.raises(DataError, match="cannot be read") as error:
            scan(paths[name]).collect()
        assert name in one_line(error)


def test_what_is_no_log_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        scan(tmp_path / "absent")
    tar = tmp_path / "x.tar.gz"
    tar.write_bytes(gzip.compress(b"x"))
    with pytest.raises(DataError, match="cannot be read"):
        scan(tar)
    page = tmp_path / "page.zip"
    page.write_bytes(b"<!doctype html>")
    with pytest.raises(DataError, match="no zip file"):
        scan(page)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="neither a regular file"):
        scan(tmp_path / "pipe")
    zstd = tmp_path / "x.log.zst"
    zstd.write_bytes(b"x")
    with pytest.raises(DataError, match="no zstd file"):
        scan(zstd)
    with pytest.raises(DataError, match="archive inside"):
        zipped(tmp_path / "H.log", a=b"")
        open_layout(tmp_path, ["H.log"])


# Two lines, `a` and `b`, as a raw block of zstandard.
ZSTD = b"\x28\xb5\x2f\xfd\x20\x04\x21\x00\x00a\nb\n"


def test_zstandard_and_tar_are_read_like_any_other(tmp_path: Path) -> None:
    tar = tmp_path / "deep.tar.gz"
    with tarfile.open(tar, "w:gz") as archive:
        info = tarfile.TarInfo("./x/H.log")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"a\nb\n"))
    assert open_layout(tar, ["H.log"])["H.log"].scan().collect()["raw"].to_list() == ["a", "b"]
    path = tmp_path / "x.log.zst"
    path.write_bytes(ZSTD)
    assert scan(path).collect()["raw"].to_list() == ["a", "b"]
