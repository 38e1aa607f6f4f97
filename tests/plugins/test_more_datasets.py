"""HDFS_100k, OpenStack of Kalaki, MultiLog, Nezha: what their readers make of files in the given format."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import logbench
from logbench import DataError, KeySequences, Lines
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.running.records import scores

UUIDS = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(3)]


def read(name: str, path: Path) -> Lines | KeySequences:
    opened = configured(Registry().get("dataset", name)).build().read(path)
    assert isinstance(opened, Lines | KeySequences)
    return opened


def test_hdfs_100k_rows_are_sessions_of_the_given_part(tmp_path: Path) -> None:
    text = "split,block_id,label,keys\ntrain,blk_1,0,1 2  3\ntest,blk_-2,1,\ntest,blk_3,0,7\n"
    (tmp_path / "sessions.csv.gz").write_bytes(gzip.compress(text.encode()))
    opened = read("hdfs-100k", tmp_path)
    assert isinstance(opened, KeySequences)
    assert opened.frame.rows() == [
        ("blk_1", [1, 2, 3], 0, "train"),
        ("blk_-2", [], 1, "test"),
        ("blk_3", [7], 0, "test"),
    ]


@pytest.mark.parametrize("row", ["valid,blk_1,0,1", "train,,0,1", "train,blk_1,2,1", "train,blk_1,0,1 x"])
def test_hdfs_100k_refuses_a_row_by_its_number(row: str, tmp_path: Path) -> None:
    (tmp_path / "sessions.csv").write_text(f"split,block_id,label,keys\ntrain,blk_0,0,1\n{row}\n")
    with pytest.raises(DataError, match="row 3 needs a split"):
        read("hdfs-100k", tmp_path)


def test_hdfs_100k_refuses_a_file_without_its_columns(tmp_path: Path) -> None:
    (tmp_path / "sessions.csv").write_text("BlockId,Label\nblk_1,Normal\n")
    with pytest.raises(DataError, match="no column 'split'"):
        read("hdfs-100k", tmp_path)


def test_no_rule_on_the_test_blocks_of_hdfs_100k_is_better_than_its_ceilings(shared_data: Path) -> None:
    opened = read("hdfs-100k", shared_data / "hdfs_100k")
    assert isinstance(opened, KeySequences)
    assert opened.frame.group_by("part").len().sort("part").rows() == [("test", 1588), ("train", 6352)]
    tested = [(tuple(keys), label) for _, keys, label, part in opened.frame.iter_rows() if part == "test"]
    by_sequence = [(str(keys), label) for keys, label in tested]
    by_counts = [(str(sorted(Counter(keys).items())), label) for keys, label in tested]
    assert best_f1(by_sequence) == pytest.approx(0.711, abs=5e-4)
    assert best_f1(by_counts) == pytest.approx(0.690, abs=5e-4)


def test_a_leak_is_noted_where_it_beats_the_ceiling_of_hdfs_100k(shared_data: Path, tmp_path: Path) -> None:
    """A model that knows the order of units, and so their labels: F1 1 where sequences allow .711."""
    answers: list[float] = []

    class Remembering:
        """Says the place of a unit, or what it was told of this place."""

        def fit(self, train: logbench.Sessions, context: logbench.Context) -> None:
            pass

        def score(self, sessions: logbench.Sessions, context: logbench.Context) -> np.ndarray:
            places = np.arange(len(sessions), dtype=np.float64)
            return np.array(answers)[: len(places)] if answers else places

    def run(model: object, threshold: str) -> logbench.RunRecord:
        settings = {"protocol": {"threshold": threshold, "content": "normal"}}
        data = shared_data / "hdfs_100k"
        (record,) = logbench.run(model, dataset="hdfs-100k", data=data, settings=settings, out=tmp_path)
        assert record.error is None
        return record

    honest = run(Remembering(), "oracle")
    assert not any("labels did" in note for note in honest.notes)
    raw = scores(honest.as_dict(), tmp_path).filter(pl.col("raw").is_not_null()).sort("raw")
    answers += [float(label) for label in raw["label"]]
    leak = run(Remembering(), "oracle")
    assert leak.metrics["block"]["all"]["f1"] == 1.0
    assert any("F1 1.000 is above 0.711" in note and "labels did" in note for note in leak.notes)


def best_f1(units: list[tuple[str, int]]) -> float:
    """The best F1 where equal objects get equal verdicts: the objects of the highest precision alarm."""
    seen: dict[str, list[int]] = defaultdict(list)
    for name, label in units:
        seen[name].append(label)
    anomalies, best, hits, alarms = sum(label for _, label in units), 0.0, 0, 0
    for labels in sorted(seen.values(), key=lambda labels: -sum(labels) / len(labels)):
        hits, alarms = hits + sum(labels), alarms + len(labels)
        best = max(best, 2 * hits / (alarms + anomalies))
    return best


def test_kalakis_instances_are_anomalous_by_the_log_of_their_first_line(tmp_path: Path) -> None:
    normal, dhcp, destroy = (
        tmp_path / name
        for name in (
            "openstack-nova-sample.log",
            "openstack-nova-dhcpoff.log",
            "openstack-vm-destroy-immediately-after-create.log",
        )
    )
    line = "INFO nova.compute.claims [req-1 None None] [instance: {}] Claim successful\n"
    normal.write_text(line.format(UUIDS[0]) + "ERROR nova.compute.manager Traceback (most recent call last):\n")
    dhcp.write_text(line.format(UUIDS[1]) + line.format(UUIDS[0]))
    destroy.write_text("INFO os_vif [-] plugged\n" + line.format(UUIDS[2]))
    opened = read("openstack-kalaki", tmp_path)
    assert isinstance(opened, Lines) and opened.labels is not None
    assert dict(opened.labels().iter_rows()) == {UUIDS[0]: 0, UUIDS[1]: 1, UUIDS[2]: 1}
    assert opened.types is not None
    assert dict(opened.types().iter_rows()) == {UUIDS[1]: "dhcpoff", UUIDS[2]: destroy.stem[len("openstack-") :]}
    assert "file" not in opened.shown
    frame = opened.frame.collect()
    assert frame["message"].to_list()[1] == "Traceback (most recent call last):"
    assert frame["component"].to_list()[1] == "nova.compute.manager"
    lone = read("openstack-kalaki", dhcp)
    assert isinstance(lone, Lines) and lone.labels is None and lone.types is None


def test_multilog_takes_the_lines_of_all_nodes_in_order_of_time(tmp_path: Path) -> None:
    line = "{}2023-10-27 16:13:5{},938 [main] INFO  o.a.i.c.s.ConfigNode:99 - started {} \n"
    (tmp_path / "label1.log").write_text(line.format("- ", 2, "a") + line.format("", 4, "b"))
    (tmp_path / "label2.log").write_text(line.format("", 3, "c"))
    opened = read("multilog", tmp_path)
    assert isinstance(opened, Lines)
    frame = opened.frame.collect()
    assert frame["line"].to_list() == [0, 1, 2]
    assert frame["message"].to_list() == ["started a", "started c", "started b"]
    assert frame["label"].to_list() == [0, 1, 1]
    assert opened.types is not None
    assert opened.types().rows() == [(1, tmp_path.name), (2, tmp_path.name)]
    assert frame["group"].to_list() == ["label1", "label2", "label1"]
    assert frame["component"].to_list() == ["o.a.i.c.s.ConfigNode"] * 3


@pytest.mark.parametrize("scenario", ["cpu", "shutdown_multi"])
def test_multilogs_labels_are_those_that_stand_in_its_files(scenario: str, shared_data: Path) -> None:
    folder = shared_data / "multilog_iotdb" / scenario
    opened = read("multilog", folder)
    assert isinstance(opened, Lines)
    frame = opened.frame.collect()
    text = [
        line for file in folder.glob("label*") for line in gzip.decompress(file.read_bytes()).decode().splitlines()
    ]
    assert frame.height == len(text) and frame["matched"].all() and frame["time"].is_sorted()
    assert int(frame["label"].sum()) == sum(not line.startswith("- ") for line in text)


def nezha_line(second: int, pod: str, trace: str, text: str) -> str:
    written = f"19:39:{second:02d}.000 INFO  o.s.Order#365 TraceID: {trace} SpanID: f2 {text}\n"
    stamp = f"2023-01-30T11:39:{second:02d}.5Z"
    line = {"log": written, "stream": "stdout", "time": stamp}
    return f'{stamp},-1,33.33.33.76,{pod},server,{trace},f2,"{json.dumps(line).replace(chr(34), chr(34) * 2)}"\n'


def nezha(folder: Path, faults: str) -> Path:
    (folder / "log").mkdir(parents=True)
    (folder / "2023-01-30-fault_list.json").write_text(faults)
    header = "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log\n"
    rows = [(9, "order-1", "t1", "late"), (2, "order-1", "t2", "early"), (5, "food-1", "t3", "other pod")]
    (folder / "log" / "rca_11_39_log.csv").write_text(header + "".join(nezha_line(*row) for row in rows))
    return folder


def test_nezhas_traces_are_anomalous_by_pod_and_time_of_a_fault(tmp_path: Path) -> None:
    # 11:39:05 UTC; the fault's pod wrote half a second later at 9 s only, and another pod at 5 s.
    fault = {"inject_timestamp": "1675078745", "inject_pod": "order-1", "inject_type": "cpu_contention"}
    opened = read("nezha", nezha(tmp_path, json.dumps({"11": [fault]})))
    assert isinstance(opened, Lines) and opened.labels is not None
    assert dict(opened.labels().iter_rows()) == {"t1": 1, "t2": 0, "t3": 0}
    assert opened.types is not None and opened.types().rows() == [("t1", "cpu_contention")]
    frame = opened.frame.collect()
    assert frame["message"].to_list() == ["early", "other pod", "late"]
    assert frame["component"].to_list() == ["o.s.Order"] * 3 and frame["level"].to_list() == ["INFO"] * 3
    assert frame["line"].to_list() == [0, 1, 2] and "file" not in frame.columns


@pytest.mark.parametrize(
    "faults", ["[", "[]", '{"11": [{"inject_pod": "a"}]}', '{"11": [{"inject_timestamp": "x"}]}']
)
def test_a_damaged_list_of_faults_is_one_line(tmp_path: Path, faults: str) -> None:
    opened = read("nezha", nezha(tmp_path, faults))
    assert isinstance(opened, Lines) and opened.labels is not None
    with pytest.raises(DataError, match=r"fault_list\.json: expected faults by hour, each with inject_timestamp"):
        opened.labels()


def test_nezhas_labels_are_those_of_a_loop_over_its_rows(shared_data: Path) -> None:
    opened = read("nezha", shared_data / "nezha")
    assert isinstance(opened, Lines) and opened.labels is not None
    hours = json.loads((shared_data / "nezha" / "2023-01-30-fault_list.json").read_text())
    faults = [(one["inject_pod"], int(one["inject_timestamp"])) for hour in hours.values() for one in hour]
    labels: dict[str, int] = {}
    kinds = {one["inject_type"] for hour in hours.values() for one in hour}
    assert opened.types is not None
    types = dict(opened.types().iter_rows())
    assert set(types.values()) == kinds
    for file in (shared_data / "nezha" / "log").iterdir():
        for row in csv.DictReader(io.StringIO(gzip.decompress(file.read_bytes()).decode())):
            at = dt.datetime.fromisoformat(row["Timestamp"][:19] + "+00:00").timestamp()
            hit = any(pod == row["PodName"] and 0 <= at - began < 180 for pod, began in faults)
            labels[row["TraceID"]] = labels.get(row["TraceID"], 0) | hit
    assert dict(opened.labels().iter_rows()) == labels
    assert {unit for unit, label in labels.items() if label} == set(types)
    times = opened.frame.select("time").collect()["time"]
    assert times.null_count() == 0 and times.is_sorted() and len(labels) == 2_537
