"""Archives that are cut, damaged, hostile or bombs: every line, or one line of error, or the missing counted."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile_tries import tries

from logbench import DataError, LineFormat, open_layout, open_lines
from logbench.base import unpack_limits

MEMBERS = 12
TEXTS = {f"logs/{i:02}.log": "".join(f"unit {i} line {k}\n" for k in range(9)).encode() for i in range(MEMBERS)}
LINES = sorted(line for text in TEXTS.values() for line in text.decode().splitlines())
WHOLE = b"".join(TEXTS.values())


def tar(pack: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{pack}") as archive:
        for name, text in TEXTS.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return made.getvalue()


def zipped(**others: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**TEXTS, **others}.items():
            archive.writestr(name, text)
    return made.getvalue()


FORMS: dict[str, Callable[[], bytes]] = {
    "a.tar": lambda: tar(""),
    "a.tar.gz": lambda: tar("gz"),
    "a.tgz": lambda: tar("gz"),
    "a.tar.bz2": lambda: tar("bz2"),
    "a.tar.xz": lambda: tar("xz"),
    "a.zip": zipped,
    "a.log.gz": lambda: gzip.compress(WHOLE),
    "a.log.bz2": lambda: bz2.compress(WHOLE),
    "a.log.xz": lambda: lzma.compress(WHOLE),
}


def lines_of(path: Path) -> list[str] | None:
    """The lines, sorted; None where they are refused in one line, or members are left out and counted."""
    try:
        lines = open_lines(path, ["**/*.log*"], LineFormat())
        read = sorted(lines.frame.collect()["raw"])
        return None if lines.counted is not None and lines.counted().get("left_out_members") else read
    except DataError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
        return None


def cuts(data: bytes) -> Iterator[bytes]:
    """The beginning alone: at places of every kind, and without the last bytes."""
    ends = (1, 3, 512, 1024, 1536, len(data) // 1024 * 512, len(data) // 512 * 512 - 512)
    yield from (data[:end] for end in ends)
    yield from (data[: rng.randrange(1, len(data))] for rng in tries(10))
    yield from (data[:-end] for end in (1, 2, 4, 8, 12, 22))


@pytest.mark.parametrize("name", FORMS)
def test_a_cut_archive_is_never_a_shorter_log(name: str, tmp_path: Path) -> None:
    path, data = tmp_path / name, FORMS[name]()
    path.write_bytes(data)
    assert lines_of(path) == LINES
    end = len(data.rstrip(b"\0")) if name == "a.tar" else len(data)
    for part in cuts(data):
        path.write_bytes(part)
        found = lines_of(path) if len(part) < len(data) else None
        assert found is None or (found == LINES and len(part) >= end + 512), f"{len(part)} of {len(data)} bytes"


@pytest.mark.parametrize("name", [name for name in FORMS if name != "a.tar"])
def test_a_flipped_bit_is_noticed_or_changes_no_line(name: str, tmp_path: Path) -> None:
    path, data = tmp_path / name, FORMS[name]()
    for rng in tries(15):
        spoiled = bytearray(data)
        spoiled[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(spoiled)
        assert lines_of(path) in (None, LINES)


def test_a_damaged_header_is_not_the_end_of_a_tar(tmp_path: Path) -> None:
    path, data = tmp_path / "a.tar", tar("")
    for at in range(0, len(data), 512):
        if data[at : at + 6] == b"logs/0" or not data[at : at + 512].strip(b"\0"):
            for spoiled in (b"\0" * 512, b"\xff" * 512, data[at : at + 200] + b"9" + data[at + 201 : at + 512]):
                path.write_bytes(data[:at] + spoiled + data[at + 512 :])
                if path.read_bytes() != data:
                    assert lines_of(path) is None, at
    path.write_bytes(data + data)
    assert lines_of(path) is None, "two archives in one file"


def slipping() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, text in {**TEXTS, "../out.log": b"x\n", "/abs.log": b"x\n", "fine.txt": b"x\n"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
        for kind, name in (
            (tarfile.SYMTYPE, "link.log"),
            (tarfile.CHRTYPE, "device.log"),
            (tarfile.DIRTYPE, "d.log"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "count"),
    [
        ("a.tar", slipping(), 4),
        ("a.zip", zipped(**{"../out.log": b"x\n", "C:/x.log": b"", "..\\x.log": b"", "__MACOSX/y.log": b""}), 3),
    ],
)
def test_members_that_lead_out_are_counted(name: str, data: bytes, count: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    lines = open_lines(path, ["*.log"], LineFormat())
    assert sorted(lines.frame.collect()["raw"]) == LINES
    assert lines.counted is not None and lines.counted() == {"left_out_members": count}
    with pytest.raises(DataError, match="leads out of the archive"):
        open_layout(path, ["out.log"])
    with pytest.raises(DataError, match="1 left out: links, devices, names that lead out"):
        open_lines(path, ["out.log"], LineFormat()).frame.collect()


@pytest.mark.parametrize("name", ["a.log.gz", "a.log.bz2", "a.log.xz", "a.zip", "a.tar.gz", "a.tar.xz"])
def test_a_bomb_is_refused_unless_the_user_raises_the_ratio(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack_limits, "SMALL", 100_000)
    monkeypatch.setitem(TEXTS, "logs/00.log", b"0\n" * 400_000)
    path = tmp_path / name
    compressors: dict[str, Callable[[bytes], bytes]] = {
        "a.log.gz": gzip.compress, "a.log.bz2": bz2.compress, "a.log.xz": lzma.compress
    }  # fmt: skip
    path.write_bytes(compressors[name](TEXTS["logs/00.log"]) if name in compressors else FORMS[name]())
    monkeypatch.setenv(unpack_limits.VARIABLE, "100")
    with pytest.raises(DataError, match=r"unpacks to more than .*logbench --unpack-ratio 1000 …"):
        open_lines(path, ["**/*.log*"], LineFormat()).frame.collect()
    monkeypatch.setenv(unpack_limits.VARIABLE, "1e6")
    assert len(lines_of(path) or ()) >= 400_000
    monkeypatch.setenv(unpack_limits.VARIABLE, "lots")
    assert lines_of(path) is None


def test_an_xz_file_takes_no_more_memory_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several streams with padding between them, the last one with a dictionary of 1 GB."""
    path = tmp_path / "a.log.xz"
    usual = [lzma.compress(WHOLE), b"\0" * 8, lzma.compress(b""), lzma.compress(WHOLE, preset=9)]
    path.write_bytes(b"".join(usual))
    assert lines_of(path) == sorted(LINES * 2)
    packed = lzma.compress(WHOLE)
    at = packed.index(bytes([0x21, 1]))  # the filter, the size of its properties, the dictionary's size
    head = bytearray(packed[12 : 12 + 4 * (packed[12] + 1)])
    head[at - 12 + 2] = 36  # 1 GB, by the table of the format
    head[-4:] = zlib.crc32(bytes(head[:-4])).to_bytes(4, "little")
    path.write_bytes(b"".join([*usual, packed[:12], head, packed[12 + len(head) :]]))
    with pytest.raises(DataError, match=r"wants more than 256 MB .*logbench --unpack-ratio 10000"):
        open_lines(path, ["*"], LineFormat()).frame.collect()
    monkeypatch.setenv(unpack_limits.VARIABLE, "10000")
    assert lines_of(path) == sorted(LINES * 3)


def test_a_damaged_second_stream_is_not_the_end(tmp_path: Path) -> None:
    for pack, name in ((bz2.compress, "a.log.bz2"), (lzma.compress, "a.log.xz"), (gzip.compress, "a.log.gz")):
        path, first, second = tmp_path / name, pack(WHOLE), pack(WHOLE)
        path.write_bytes(first + second)
        assert lines_of(path) == sorted(LINES * 2)
        for at in range(4 if name != "a.log.gz" else 3):
            path.write_bytes(first + second[:at] + bytes([second[at] ^ 4]) + second[at + 1 :])
            assert lines_of(path) is None, (name, at)


def test_links_and_devices_in_a_zip_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped())
    with zipfile.ZipFile(path, "a") as archive:
        for name, kind in (("link.log", 0o120777), ("device.log", 0o020666), ("pipe.log", 0o010666)):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, kind << 16
            archive.writestr(info, "/etc/passwd")
    lines = open_lines(path, ["*.log"], LineFormat())
    assert sorted(lines.frame.collect()["raw"]) == LINES
    assert lines.counted is not None and lines.counted() == {"left_out_members": 3}
    with pytest.raises(DataError):
        open_layout(path, ["link.log"])


def zstd(*blocks: tuple[int, int, bytes], window: int = 17) -> bytes:
    """A frame of blocks, by the format's description: kind (0 raw, 1 one byte repeated), size, bytes."""
    last = len(blocks) - 1
    heads = [
        (size << 3 | kind << 1 | (at == last)).to_bytes(3, "little") for at, (kind, size, _) in enumerate(blocks)
    ]
    body = b"".join(head + block for head, (_, _, block) in zip(heads, blocks, strict=True))
    return b"\x28\xb5\x2f\xfd\0" + bytes([window - 10 << 3]) + body


def test_a_zstd_file_takes_no_more_memory_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, raw = tmp_path / "a.log.zst", (0, len(WHOLE), WHOLE)
    path.write_bytes(zstd(raw) + b"\0" * 9 + zstd(raw, window=28))
    assert lines_of(path) == sorted(LINES * 2)
    path.write_bytes(zstd(raw) + zstd(raw, window=31))
    with pytest.raises(DataError, match=r"wants more than 256 MB .*logbench --unpack-ratio 10000"):
        open_lines(path, ["*"], LineFormat()).frame.collect()
    monkeypatch.setenv(unpack_limits.VARIABLE, "10000")
    assert lines_of(path) == sorted(LINES * 2)


def test_a_zstd_file_is_read_to_its_end_and_in_any_encoding(tmp_path: Path) -> None:
    path, text = tmp_path / "a.log.zst", b"caf\xe9\n"
    path.write_bytes(zstd((0, len(text), text)))
    assert open_lines(path, ["*"], LineFormat(encoding="latin-1")).frame.collect()["raw"].to_list() == ["café"]
    first, second = zstd((0, len(WHOLE), WHOLE)), zstd((1, 100, b"\n"))
    for spoiled in (second[:-1], second[:3], b"\x29" + second[1:], b"garbage"):
        path.write_bytes(first + spoiled)
        assert lines_of(path) is None, spoiled


def test_a_zstd_bomb_is_refused_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack_limits, "SMALL", 1 << 20)
    path = tmp_path / "a.log.zst"
    path.write_bytes(zstd(*[(1, 1 << 17, b"\n")] * 800))
    assert path.stat().st_size < 4000
    with pytest.raises(DataError, match="unpacks to more than"):
        open_lines(path, ["*"], LineFormat()).frame.collect()


@pytest.mark.parametrize("name", ["**/*.log", "logs/00.log"])
def test_a_zip_takes_no_more_memory_than_allowed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("logs/00.log", TEXTS["logs/00.log"])

    def found() -> list[str]:
        return [*(open_layout(path, [name])[name].scan() if "*" not in name
                  else open_lines(path, [name], LineFormat()).frame).collect()["raw"]]  # fmt: skip

    assert len(found()) == 9
    data = bytearray(path.read_bytes())
    at = 30 + len("logs/00.log") + 5
    data[at : at + 4] = (1 << 31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"logs/00.log: wants more than 256 MB .*logbench --unpack-ratio 10000"):
        found()
    monkeypatch.setenv(unpack_limits.VARIABLE, "10000")
    assert len(found()) == 9


def test_members_that_share_their_bytes_are_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack_limits, "SMALL", 10_000)
    data = zipped()
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    monkeypatch.setenv(unpack_limits.VARIABLE, "0.1")
    assert lines_of(path) == LINES, "few bytes are always right"
    monkeypatch.setattr(unpack_limits, "SMALL", 1_000)
    assert lines_of(path) is None


def headers(kind: bytes, size: int, count: int) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT) * count


@pytest.mark.parametrize(
    "data",
    [
        headers(tarfile.GNUTYPE_LONGNAME, 0, 5000),
        headers(tarfile.XHDTYPE, 1 << 40, 1),
        headers(tarfile.XHDTYPE, 20, 1) + b"99999 size=-5\n".ljust(512, b"\0"),
        headers(tarfile.XHDTYPE, 20, 1) + b"20 size=99999999999\n".ljust(512, b"\0"),
        headers(tarfile.REGTYPE, -512, 3),
        headers(tarfile.GNUTYPE_SPARSE, 1 << 50, 3),
        b"\0" * 100_000,
        b"",
    ],
    ids=[
        "names within names",
        "a huge name",
        "a wrong length",
        "a wrong size",
        "backwards",
        "sparse",
        "zeros",
        "empty",
    ],
)
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_made_up_headers_end_in_one_line(data: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    assert lines_of(path) is None
    with pytest.raises(DataError) as error:
        open_layout(path, ["x"])
    assert "\n" not in str(error.value)
