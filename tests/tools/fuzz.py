"""Broken files of every format through reading and grouping: `python tests/tools/fuzz.py N SEED`.

Each of N files is a valid log of some data set or line format, damaged (bits flipped, cut, random bytes, huge
lines, mixed encodings), then packed, and perhaps damaged again. Only a `LogbenchError` may come out of it, and
every line that lies in it must be accounted for, counted here from the bytes that were written.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import sys
import tarfile
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from logbench.base.errors import LogbenchError
from logbench.base.options import make
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.data.line_format import LineFormat
from logbench.data.lines import KeySequences
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import group_lines, group_sequences
from logbench.reading.line_reader import open_lines
from logbench.running.resolve import dataset_called
from logbench_ownlogs.definition import load

Files = dict[str, bytes]
PACKINGS = ("plain", "plain", "plain", "gz", "zip", "tar", "tar.gz", "bz2", "xz", "tar.xz", "tar.bz2")
ALONE = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
WINDOWERS = {"session": "id", "time": "time", "file": "file", "node": "node"}
STRANGE = (b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b"\xe9", b'"', b"'", b"\\", b"{", b"\x1a", b"\x85",
           "\u2028".encode(), "é".encode("utf-16"), b"x^", b"PK\x03\x04", b"\x1f\x8b")  # fmt: skip


@dataclass
class Case:
    """One file or folder and how it is read.

    Attributes:
        windower: from 0 to 1, which of those that serve.
        lines: log lines that lie in it, None where that is not told from its bytes.
    """

    kind: str
    path: Path
    read: Callable[[Path], Any]
    windower: float
    lines: int | None = None


@dataclass
class Outcome:
    """What came of the cases: how many were read, refused by which kind of message, and what must not be."""

    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def simple(rng: random.Random, count: int) -> bytes:
    lines = [
        f"2024-01-{rng.randint(1, 28):02d} 10:00:{rng.randint(0, 59):02d},{rng.randint(0, 999):03d} n{i % 3} "
        f"{rng.choice(['INFO', '-', 'KERN'])} app{i % 4}: request {rng.randint(0, 5)} took {rng.random():.3f}"
        for i in range(count)
    ]
    for _ in range(rng.randint(0, 3)):
        lines.insert(rng.randint(0, len(lines)), "    at some.place(File.java:12)")
    return "\n".join(lines).encode() + rng.choice([b"\n", b""])


def objects(rng: random.Random, count: int) -> bytes:
    rows = [
        {"msg": f"up {i}", "t": 1.7e9 + i, "ctx": {"id": str(i % 4)}, "y": rng.choice([0, 1])}
        for i in range(count)
    ]
    return "\n".join(map(json.dumps, rows)).encode()


def table(separator: str) -> Callable[[random.Random, int], bytes]:
    def rows(rng: random.Random, count: int) -> bytes:
        head = separator.join(["LineId", "Date", "Content", "EventId", "Label"])
        body = [
            separator.join([str(i), "2024-01-01", f'"a ""b"" {i}, c"', f"E{i % 5}", "-"]) for i in range(count)
        ]
        return "\n".join([head, *body]).encode()

    return rows


LOGS: dict[str, tuple[Callable[[random.Random, int], bytes], dict[str, Any]]] = {
    "pattern": (simple, {
        "pattern": "<Date> <Time> <Node> <Label> <Component>: <Content>", "time": ("Date", "Time"),
        "time_format": ("%Y-%m-%d %H:%M:%S,%f",), "node": "Node", "component": "Component", "label": "Label",
        "normal": ("-", "INFO"), "id": "message", "id_pattern": r"request (\d)",
    }),
    "regex": (simple, {
        "format": "regex", "pattern": r"^(?P<Date>\S+ \S+) (?P<Node>\w+) (?P<Content>.*)", "time": ("Date",),
        "time_format": ("%d.%m.%Y", "%Y-%m-%d %H:%M:%S,%f"), "node": "Node", "id": "raw", "id_pattern": r"app\d",
    }),
    "json": (objects, {
        "format": "json", "message": "msg", "id": "ctx.id", "time": ("t",), "time_format": ("epoch",),
        "label": "y", "anomalous": ("1",),
    }),
    "csv": (table(","), {"format": "csv", "id": "EventId", "label": "Label", "normal": ("-",)}),
    "tsv": (table("\t"), {"format": "tsv", "message": "EventId", "id": "file"}),
}  # fmt: skip

BGL = b"- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.675872 R02-M1 RAS KERNEL INFO cache parity error %d\n"
HADOOP = (
    b"2015-10-18 18:01:47,978 INFO [main] org.apache.App: Created %d\njava.io.IOException\n\tat x.y(Z.java:1)\n"
)
OPENSTACK = (b"nova-api.log 2017-05-16 00:00:00.008 25746 INFO nova.server [req-1 - -] "
             b"[instance: 544fd51c-4edc-4780-baae-ba1d80a0ac%02d] done\n")  # fmt: skip
HDFS = b"081109 203615 148 INFO dfs.DataNode: PacketResponder 1 for block blk_%d terminating\n"
TBIRD = b"- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: session %d closed\n"
HADOOP_LABELS = b"### WordCount\nNormal:\n+ application_1_1\nMachine down:\n+ application_1_2\n"


def repeated(line: bytes, rng: random.Random, count: int) -> bytes:
    return b"".join(line % rng.randint(0, 9) for _ in range(count))


def datasets(rng: random.Random) -> dict[str, Files]:
    """Files of each first-party data set, valid still."""
    count = rng.randint(1, 30)
    trace = b"6 6 63 6 42 120 6 195 %d\n"
    parquet = io.BytesIO()
    messages = [f"m {i}" for i in range(count)]
    events = pl.DataFrame({"m_message": messages, "seq_id": ["a"] * count, "anomaly": [False] * count})
    events.write_parquet(parquet)
    traces = b"".join(b"1,2,%d,%s\n" % (i, b"Clean" if i % 2 else b"Trojan") for i in range(count))
    labels = b"BlockId,Label\n" + b"".join(b"blk_%d,%s\n" % (i, b"Normal" if i else b"Anomaly") for i in range(10))
    return {
        "bgl": {"BGL.log": repeated(BGL, rng, count)},
        "thunderbird": {"Thunderbird.log": repeated(TBIRD, rng, count)},
        "spirit": {"spirit2": repeated(TBIRD, rng, count)},
        "liberty": {"liberty2": repeated(TBIRD, rng, count)},
        "hdfs": {"HDFS.log": repeated(HDFS, rng, count), "preprocessed/anomaly_label.csv": labels},
        "hadoop": {
            "abnormal_label.txt": HADOOP_LABELS,
            "application_1_1/container_1.log": repeated(HADOOP, rng, count),
            "application_1_2/container_1.log": repeated(HADOOP, rng, count),
        },
        "openstack": {
            "openstack_normal1.log": repeated(OPENSTACK, rng, count),
            "openstack_normal2.log": repeated(OPENSTACK, rng, count),
            "openstack_abnormal.log": repeated(OPENSTACK, rng, count),
            "anomaly_labels.txt": b"These are anomalous:\n544fd51c-4edc-4780-baae-ba1d80a0ac01\n",
        },
        "adfa-ld": {
            "Training_Data_Master/UTD-0001.txt": repeated(trace, rng, 1),
            "Validation_Data_Master/UVD-0001.txt": repeated(trace, rng, 1),
            "Attack_Data_Master/Adduser_1/UAD-Adduser-1-1.txt": repeated(trace, rng, 1),
        },
        "awsctd": {"a.csv": traces},
        "loghub-structured": {"X_2k.log_structured.csv": table(",")(rng, count)},
        "loglead": {"events.parquet": parquet.getvalue()},
        "ait-sequences": {
            "x_train": b"s1,1 2 3\n" * count, "x_test_normal": b"s2,1 2\n", "x_test_abnormal": b"s3,4\n"
        },
        "deeplog-archive": {
            "hdfs_train": b"5 5 22\n" * count, "hdfs_test_normal": b"5 22\n", "hdfs_test_abnormal": b"9\n"
        },
    }  # fmt: skip


def damaged(data: bytes, rng: random.Random) -> bytes:
    """`data` with up to four things gone wrong."""
    text = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at = rng.randint(0, len(text))
        match rng.randint(0, 8):
            case 0 if text:
                for _ in range(rng.randint(1, 20)):
                    text[rng.randrange(len(text))] ^= 1 << rng.randint(0, 7)
            case 1:
                del text[at:]
            case 2:
                text[at:at] = rng.randbytes(rng.randint(1, 200))
            case 3:
                text[at:at] = rng.choice(STRANGE) * rng.choice([1, 1, 5])
            case 4:
                text[at:at] = rng.choice([b"x", b"\0", b"1 ", b"a,"]) * rng.choice([1000, 70_000])
            case 5:
                text = bytearray(bytes(text).replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n"])))
            case 6:
                lines = bytes(text).splitlines(keepends=True)
                rng.shuffle(lines)
                text = bytearray(b"".join(lines))
            case 7:
                other = rng.choice(["utf-16", "latin-1", "cp037"])
                text = bytearray(bytes(text).decode("utf-8", "replace").encode(other, "replace"))
            case 8:
                text[:0] = rng.choice(STRANGE)
    return bytes(text)


def packed(files: Files, kind: str, folder: Path, rng: random.Random) -> Path:
    """The files written as a folder, or as one packed file; where the point to is."""
    if kind == "plain":
        for name, data in files.items():
            target = folder / "d" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        alone = len(files) == 1 and rng.random() < 0.5
        return folder / "d" / next(iter(files)) if alone else folder / "d"
    out = io.BytesIO()
    if kind in ALONE:
        name, data = next(iter(files.items()))
        out.write(ALONE[kind](data))
        target = folder / f"{name.replace('/', '_')}.{kind}"
    elif kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(rng.choice(["", "", "top/"]) + name, data)
        target = folder / "a.zip"
    else:
        mode: Any = f"w:{kind.removeprefix('tar').removeprefix('.')}"
        with tarfile.open(fileobj=out, mode=mode) as tar:
            for name, data in files.items():
                info = tarfile.TarInfo(f"top/{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        target = folder / f"a.{kind}"
    target.write_bytes(out.getvalue())
    return target


def line_count(files: Files) -> int:
    return sum(data.count(b"\n") + (not data.endswith(b"\n") and bool(data)) for data in files.values())


def case_of(rng: random.Random, folder: Path, registry: Registry) -> Case:
    """One case, all of it from `rng`."""
    kind = rng.choice(PACKINGS)
    if rng.random() < 0.5:
        what = rng.choice(list(LOGS))
        write, options = LOGS[what]
        multiline, encoding = rng.random() < 0.4, rng.choice(["utf-8", "utf-8", "latin-1", "utf-16"])
        form = LineFormat(**options, multiline=multiline, encoding=encoding)
        count = rng.randint(0, 40)
        files = {
            f"{i}.log": damaged(write(rng, count), rng) for i in range(1 if kind in ALONE else rng.randint(1, 3))
        }
        lines = line_count(files) if encoding != "utf-16" else None

        def read(path: Path) -> Any:
            return open_lines(path, ["*.log"], form)
    elif rng.random() < 0.3:
        what = "own"
        files = {"0.log": damaged(simple(rng, rng.randint(0, 40)), rng)}
        lines = None
        toml = 'files = ["*.log"]\n' + "".join(
            f"{name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}\n"
            for name, value in rng.choice(list(LOGS.values()))[1].items()
        )
        if rng.random() < 0.3 and "label" not in toml and "id" in toml:
            toml += 'labels = "l.csv"\n'
            (folder / "l.csv").write_bytes(damaged(b"unit,label\n0,normal\n1,bad\napp1,bad\n0.log,x\n", rng))
        (folder / "my.toml").write_bytes(damaged(toml.encode(), rng) if rng.random() < 0.5 else toml.encode())

        def read(path: Path) -> Any:
            load(folder / "my.toml")
            name = str(folder / "my.toml")
            item = dataset_called(name, registry).item
            return item.build(make(item.config, {}, name)).read(path)
    else:
        every = datasets(rng)
        what = rng.choice(list(every))
        files = every[what]
        for name in rng.sample(list(files), rng.randint(0, min(2, len(files)))):
            files[name] = damaged(files[name], rng)
        if rng.random() < 0.1:
            del files[rng.choice(list(files))]
        lines = line_count(files) if what in ("bgl", "thunderbird", "spirit", "liberty") else None
        item = registry.get("dataset", what).item

        def read(path: Path) -> Any:
            return (item.build(item.config()) if item.config else item.build()).read(path)

    path = packed(files, kind, folder, rng) if files else folder
    if path.is_file() and rng.random() < 0.2:
        path.write_bytes(damaged(path.read_bytes(), rng))
        lines = None
    return Case(f"{what}, {kind}", path, read, rng.random(), lines)


def check(case: Case, registry: Registry) -> None:
    """Read and group it.

    Raises:
        LogbenchError: it cannot be read.
        AssertionError: a line was lost, or an event belongs nowhere.
    """
    opened = case.read(case.path)
    if isinstance(opened, KeySequences):
        grouped = group_sequences(opened)
        assert grouped.offsets[-1] == len(grouped.codes)
        return
    schema = opened.frame.collect_schema()
    fits = ["count", *(name for name, need in WINDOWERS.items() if need in schema)]
    windower = registry.get("windower", fits[int(case.windower * len(fits))]).item
    parser = registry.get("parser", "drain").item
    built = windower.build(windower.config()) if windower.config else windower.build()
    drain = parser.build(parser.config())
    read = read_lines(opened, built, drain, silent, True)
    grouped = group_lines(read, drain, opened.labels)
    facts = dict(opened.counted()) if opened.counted else {}
    inside = len(set(grouped.lines.tolist()))
    assert read.lines == inside + read.without, f"{read.lines} lines, {inside} in units, {read.without} in none"
    if case.lines is not None:
        assert facts.get("file_lines", read.lines) == case.lines, f"{case.lines} lines are there: {facts}"
        accounted = read.lines + facts.get("joined_lines", 0) + facts.get("header_lines", 0)
        assert accounted == case.lines, f"{case.lines} lines are there: {read.lines} events, {facts}"


def fuzz(count: int, seed: int, registry: Registry | None = None) -> Outcome:
    """Make and check `count` cases; case i of a seed is always the same."""
    registry = registry or Registry()
    outcome = Outcome()
    for number in range(count):
        rng = random.Random(f"{seed}-{number}")
        with tempfile.TemporaryDirectory() as folder:
            case = case_of(rng, Path(folder), registry)
            try:
                check(case, registry)
                outcome.read += 1
            except LogbenchError as error:
                outcome.refused[_shape(str(error), folder)] += 1
                if "\n" in str(error):
                    outcome.failures.append(f"{number} ({case.kind}): more than one line: {error}")
            except (KeyboardInterrupt, MemoryError):
                raise
            except BaseException as error:
                where = traceback.format_exc().strip().splitlines()[-4:]
                outcome.failures.append(
                    f"{number} ({case.kind}): {type(error).__name__}: {str(error)[:300]}\n" + "\n".join(where)
                )
    return outcome


def _shape(message: str, folder: str) -> str:
    """A message without what differs from case to case."""
    import re

    return re.sub(r"'.*|[0-9]+", "…", message.replace(folder, ""))[:70]


def _shown(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.read:,} read, {sum(outcome.refused.values()):,} refused, {len(outcome.failures):,} failures"
    for message, times in outcome.refused.most_common(25):
        yield f"{times:6} {message}"
    for failure in outcome.failures[:20]:
        yield f"\nFAILURE {failure}"


if __name__ == "__main__":
    found = fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 150, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print("\n".join(_shown(found)))
    sys.exit(bool(found.failures))
