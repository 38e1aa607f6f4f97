"""Data sets: what their readers make of files in the published format, and of Loghub's samples."""

from __future__ import annotations

import csv
import io
import tarfile
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench import DataError, KeySequences, Lines
from logbench.components.registry import Registry

BGL = (
    "- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.675872 R02-M1 RAS KERNEL INFO cache error\n"
    "KERNDTLB 1117838573 2005.06.03 R02-M2 2005-06-03-15.42.53.276129 R02-M2 RAS KERNEL FATAL data TLB\n"
    "- 1117838976 2005.06.03 R02-M1 2005-06-03-15.49.36.156884 R02-M1 RAS KERNEL INFO\n"
)
SYSLOG = (
    b"- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: session closed\n"
    b"VAPI 1131566462 2005.11.09 dn1 Nov 9 12:01:02 dn1/dn1 kernel: caf\xe9: broken\n"
    b"- 1131566463 2005.11.09 dn2 Nov 9 12:01:03 dn2/dn2 no component here\n"
)
UUIDS = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(3)]
APPS = [f"application_1445062781478_{n:04d}" for n in range(3)]


def build(name: str, **options: Any) -> Any:
    item = Registry().get("dataset", name).item
    return item.build(item.config(**options)) if item.config else item.build()


def lines_of(name: str, path: Path, **options: Any) -> tuple[pl.DataFrame, Lines]:
    lines = build(name, **options).read(path)
    assert isinstance(lines, Lines)
    return lines.frame.collect(), lines


def labels_of(lines: Lines) -> dict[str, int]:
    assert lines.labels is not None
    return dict(lines.labels().iter_rows())


def test_bgl_labels_lines_and_keeps_empty_messages(tmp_path: Path) -> None:
    (tmp_path / "BGL.log").write_text(BGL)
    frame, lines = lines_of("bgl", tmp_path)
    assert frame["label"].to_list() == [0, 1, 0]
    assert frame["message"].to_list() == ["cache error", "data TLB", ""]
    assert frame["node"].to_list() == ["R02-M1", "R02-M2", "R02-M1"]
    assert frame["level"].to_list() == ["INFO", "FATAL", "INFO"]
    assert frame["time"][0] == datetime(2005, 6, 3, 22, 42, 50)
    assert lines.counted is not None and lines.counted() == {}
    assert lines.types is not None and lines.types().rows() == [(1, "KERNDTLB")]


@pytest.mark.parametrize(
    ("name", "file"), [("thunderbird", "Thunderbird.log"), ("spirit", "spirit2"), ("liberty", "liberty2")]
)
def test_syslog_clusters_are_latin_1_and_every_line_has_its_label(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(SYSLOG)
    frame, lines = lines_of(name, tmp_path)
    assert frame["label"].to_list() == [0, 1, 0]
    assert frame["message"].to_list() == ["session closed", "café: broken", "no component here"]
    assert frame["component"].to_list() == ["crond(pam_unix)", "kernel", None]
    assert frame["node"].to_list() == ["dn228", "dn1", "dn2"]
    assert lines.counted is not None and lines.counted() == {}


@pytest.mark.parametrize(("name", "system"), [("bgl", "BGL"), ("thunderbird", "Thunderbird")])
def test_loghubs_sample_reads_as_its_table_says(name: str, system: str, shared_data: Path) -> None:
    log = shared_data / "loghub_2k" / system / f"{system}_2k.log"
    frame, lines = lines_of(name, log)
    with Path(f"{log}_structured.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert frame["message"].to_list() == [row["Content"] for row in table]
    assert frame["component"].to_list() == [row["Component"] for row in table]
    assert frame["label"].to_list() == [int(row["Label"] != "-") for row in table]
    assert lines.types is not None
    alerts = [(number, row["Label"]) for number, row in enumerate(table) if row["Label"] != "-"]
    assert lines.types().rows() == alerts
    assert frame["time"].dt.epoch("s").to_list() == [int(row["Timestamp"]) for row in table]


def hadoop(folder: Path, labels: str) -> Path:
    for app in APPS:
        (folder / app).mkdir(parents=True)
        (folder / app / f"container_{app[12:]}_01_000001.log").write_text(
            "2015-10-17 15:37:56,547 INFO [main] org.apache.MRAppMaster: Created\n"
            "2015-10-17 15:37:57,547 ERROR [main] org.apache.Job: failed\njava.net.Error: no route\n\tat Job.run\n"
        )
    (folder / "abnormal_label.txt").write_text(labels)
    return folder


LABELS = (
    f"### WordCount\nNormal:\n+ {APPS[0]}\n\nMachine down:\n+ {APPS[1]}\n### PageRank\nDisk full:\n+ {APPS[2]}\n"
)


def test_hadoop_joins_traces_and_labels_applications(tmp_path: Path) -> None:
    frame, lines = lines_of("hadoop", hadoop(tmp_path, LABELS))
    assert frame["id"].to_list() == [app for app in APPS for _ in range(2)]
    assert frame["message"].to_list()[:2] == ["Created", "failed\njava.net.Error: no route\n\tat Job.run"]
    assert lines.counted is not None and lines.counted() == {"file_lines": 12, "joined_lines": 6}
    assert labels_of(lines) == dict(zip(APPS, (0, 1, 1), strict=True))
    assert lines.types is not None
    assert dict(lines.types().iter_rows()) == {APPS[1]: "machine down", APPS[2]: "disk full"}


def test_hadoop_refuses_labels_that_say_nothing_or_both(tmp_path: Path) -> None:
    _, lines = lines_of("hadoop", hadoop(tmp_path / "a", f"+ {APPS[0]}\n"))
    with pytest.raises(DataError, match=r"line 1 names .* before any fault"):
        labels_of(lines)
    _, lines = lines_of("hadoop", hadoop(tmp_path / "b", LABELS + f"+ {APPS[0]}\n"))
    with pytest.raises(DataError, match="both labels"):
        labels_of(lines)


def test_openstack_labels_the_instances_named_from_folder_and_archive(tmp_path: Path) -> None:
    form = "nova.log 2017-05-16 00:00:0{0}.008 25746 INFO nova.compute [req-1 - -] [instance: {1}] VM {0}\n"
    files = {
        f"openstack_{part}.log": form.format(n, UUIDS[n])
        for n, part in enumerate(("normal1", "normal2", "abnormal"))
    }
    files["anomaly_labels.txt"] = f"The anomalous instances:\n{UUIDS[2]}; - here\n"
    with tarfile.open(tmp_path / "OpenStack.tar.gz", "w:gz") as archive:
        for name in sorted(files):
            (tmp_path / name).write_text(files[name])
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name].encode()))
    for path in (tmp_path, tmp_path / "OpenStack.tar.gz"):
        frame, lines = lines_of("openstack", path)
        assert sorted(frame["id"]) == UUIDS
        assert frame["level"].to_list() == ["INFO"] * 3
        assert labels_of(lines) == dict(zip(UUIDS, (0, 0, 1), strict=True))


def test_openstacks_sample_has_the_instances_of_its_lines(shared_data: Path) -> None:
    path = shared_data / "loghub_2k" / "OpenStack" / "OpenStack_2k.log"
    frame, lines = lines_of("openstack", path)
    named = [text.split("[instance: ")[1][:36] for text in path.read_text().splitlines() if "[instance: " in text]
    assert frame["id"].drop_nulls().to_list() == named
    assert lines.labels is None


def test_adfa_traces_train_validate_and_attack(tmp_path: Path) -> None:
    traces = {
        "Training_Data_Master/UTD-0001.txt": "6 6 63",
        "Validation_Data_Master/UVD-0001.txt": "3  3 4 ",
        "Attack_Data_Master/Adduser_1/UAD-Adduser-1-1.txt": "265 168",
    }
    for name, text in traces.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    data = build("adfa-ld").read(tmp_path)
    assert isinstance(data, KeySequences)
    assert data.frame["keys"].to_list() == [[6, 6, 63], [3, 3, 4], [265, 168]]
    assert data.frame["label"].to_list() == [0, 0, 1]
    assert data.frame["part"].to_list() == ["train", "test", "test"]
    assert data.frame["unit"].to_list()[2] == "attack/Adduser_1/UAD-Adduser-1-1"
    assert data.types is not None and data.types().rows() == [("attack/Adduser_1/UAD-Adduser-1-1", "Adduser")]
    (tmp_path / "Training_Data_Master/UTD-0001.txt").write_text("6 open")
    with pytest.raises(DataError, match=r"UTD-0001\.txt: must hold system call numbers"):
        build("adfa-ld").read(tmp_path)


def test_awsctd_rows_end_in_their_label(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2,2,Clean\n7,1,9,Trojan\n")
    data = build("awsctd").read(tmp_path)
    frame = data.frame
    assert data.types().rows() == [("a.csv:2", "Trojan")]
    assert frame.rows() == [("a.csv:1", [1, 2, 2], 0), ("a.csv:2", [7, 1, 9], 1)]
    (tmp_path / "a.csv").write_text("NtOpen,NtRead,Clean\nNtRead,NtOpen,Worm\n")
    assert build("awsctd").read(tmp_path).frame["keys"].to_list() == [[0, 1], [1, 0]]
    (tmp_path / "a.csv").write_text("NtRead,NtOpen,Worm\nNtOpen,NtRead,Clean\n")
    keys = build("awsctd").read(tmp_path).frame["keys"].to_list()
    assert keys == [[1, 0], [0, 1]], "which class stands first changes no key"
    (tmp_path / "a.csv").write_text("1,2,3\n")
    with pytest.raises(DataError, match="a row must end in its label"):
        build("awsctd").read(tmp_path)


def test_structured_tables_give_the_parsers_events_by_session(shared_data: Path) -> None:
    path = shared_data / "loghub_2k" / "HDFS" / "HDFS_2k.log_structured.csv"
    frame, _ = lines_of("loghub-structured", path, unit="Content", unit_pattern="(blk_-?[0-9]+)")
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert frame["message"].to_list() == [row["EventId"] for row in table]
    assert all(unit in row["Content"] for unit, row in zip(frame["id"], table, strict=True))
    path = shared_data / "loghub_2k" / "BGL" / "BGL_2k.log_structured.csv"
    assert lines_of("loghub-structured", path, label="Label")[0]["label"].sum() == 143


def test_loglead_tables_by_event_and_by_sequence(tmp_path: Path) -> None:
    events = pl.DataFrame(
        {
            "m_message": ["a", "b", None],
            "m_timestamp": [datetime(2020, 1, 1, 0, 0, second) for second in range(3)],
            "seq_id": ["s", "t", "s"],
            "normal": [True, False, True],
        }
    )
    events.write_parquet(tmp_path / "x_events.parquet")
    frame, lines = lines_of("loglead", tmp_path / "x_events.parquet")
    assert frame["label"].to_list() == [0, 1, 0]
    assert frame["message"].to_list() == ["a", "b", ""]
    assert frame["time"].to_list() == events["m_timestamp"].to_list()
    assert lines.labels is None
    pl.DataFrame({"seq_id": ["s", "t"], "anomaly": [True, False]}).write_parquet(tmp_path / "x_seqs.parquet")
    frame, lines = lines_of("loglead", tmp_path)
    assert "label" not in frame.columns
    assert labels_of(lines) == {"s": 1, "t": 0}
    (tmp_path / "x_seqs.parquet").write_text("no")
    with pytest.raises(DataError, match="no Parquet file"):
        labels_of(lines_of("loglead", tmp_path)[1])


def test_cards_name_components_that_exist_and_say_where_a_digest_is_missing() -> None:
    registry = Registry()
    for name, entry in registry.components["dataset"].items():
        card = entry.item.card
        (
            registry.get("parser", card.parser),
            registry.get("windower", card.windower),
            registry.preset(card.protocol),
        )
        assert not card.url or (card.size and card.md5), name
        assert card.url or card.simulated or card.layout, name
