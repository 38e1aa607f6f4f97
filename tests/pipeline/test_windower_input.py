"""What a windower is given: neither a label nor the raw line, whatever the data set; labels come back by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_log import Log, registry, write

from logbench import (
    ConfigError,
    IncompatibleError,
    LineFormat,
    Lines,
    PluginError,
    WindowerComponent,
    open_lines,
    run,
)
from logbench.base.options import make
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.data.lines import SHOWN
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import group_lines
from logbench.pipeline.windower_input import WindowerInput
from logbench.reading.line_reader import HIDDEN
from logbench_parsers.none import Verbatim
from logbench_windowers.column import Column
from logbench_windowers.count import Count

ROWS = [(f"step {n % 7}", int(n % 90 > 70), n, f"n{n % 3}") for n in range(900)]


class Cheat:
    """Cuts windows by the label, where it sees one, and keeps what it saw."""

    seen: ClassVar[list[str]] = []

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        type(self).seen = names = lines.collect_schema().names()
        label = pl.col("label") if "label" in names else pl.lit(0)
        number = (pl.col("line") // 30).cast(pl.String)
        return lines.with_columns(unit=number + pl.when(label == 1).then(pl.lit(" bad")).otherwise(pl.lit("")))


def test_a_windower_that_would_cut_by_the_label_makes_the_units_of_one_that_would_not(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", ROWS)
    known = registry(windowers=[WindowerComponent("cheat", Cheat)])
    found = {
        name: run("new-event", dataset="log", data=path, windower=name, out=tmp_path / name, registry=known,
                  settings={"protocol": {"train": "random", "train_units": 10, "content": "mixed"}, **more})[0]
        for name, more in {"cheat": {}, "count": {"count": {"size": 30}}}.items()
    }  # fmt: skip
    assert [one.error for one in found.values()] == [None, None]
    assert found["cheat"].dataset["sessions"] == found["count"].dataset["sessions"] == 30
    assert found["cheat"].metrics["log"] == found["count"].metrics["window"]
    assert set(Cheat.seen) == {"line", "message", "shape", "time", "node", "id"}


@given(st.lists(st.sampled_from([None, 0, 1]), min_size=1, max_size=30), st.integers(1, 9), st.integers(1, 9))
def test_labels_come_back_by_line_in_memory_and_in_files(labels: list[int | None], size: int, stride: int) -> None:
    """Also of lines in several units, from frames of any size."""
    stride = min(size, stride)
    frame = pl.DataFrame(
        {"line": range(len(labels)), "message": "m", "label": labels},
        schema={"line": pl.UInt32, "message": pl.String, "label": pl.Int8},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logbench.pipeline.windower_input.IN_MEMORY", 5)
        patch.setattr("logbench.pipeline.windower_input.FRAME", 3)
        read = read_lines(Lines(frame.lazy()), Count(size, stride, "none"), Verbatim(), silent, False)
        grouped = group_lines(read, Verbatim())
    assert grouped.line_labels is not None
    expected = [-1 if labels[line] is None else labels[line] for line in grouped.lines]
    assert grouped.line_labels.tolist() == expected
    for index in range(len(grouped)):
        lines = range(index * stride, min(index * stride + size, len(labels)))
        worst = max(-1 if labels[line] is None else int(labels[line] or 0) for line in lines)
        assert grouped.units["label"][index] == worst


def test_a_predicate_may_use_what_is_not_asked_for() -> None:
    frame = pl.DataFrame({"line": pl.Series(range(5), dtype=pl.UInt32), "message": list("abcab")}).lazy()
    lines = WindowerInput(Lines(frame), pl.col("message")).frame()
    assert lines.filter(pl.col("message") == "a").select("line").collect()["line"].to_list() == [0, 3]
    assert lines.head(2).select("message").collect()["message"].to_list() == ["a", "b"]


@pytest.mark.parametrize("name", ["label", "raw", "host"])
def test_a_windower_that_asks_for_what_it_does_not_see_is_told(name: str, tmp_path: Path) -> None:
    class Asks:
        def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
            return lines.with_columns(unit=pl.col(name).cast(pl.String))

    lines = Log().read(write(tmp_path / "a.log", ROWS))
    with pytest.raises(
        PluginError, match=f'unable to find column "{name}"; it sees line, message, time, node, id'
    ):
        read_lines(lines, Asks(), Verbatim(), silent, False)


def test_further_columns_are_shown_by_name_alone() -> None:
    frame = pl.DataFrame(
        {"line": [0], "message": ["m"], "anomaly": [1], "host": ["h"], "label": [1], "raw": ["r"]}
    )
    frame = frame.cast({"line": pl.UInt32, "label": pl.Int8})
    lines = Lines(frame.lazy(), shown=[*SHOWN, "host"])
    assert list(WindowerInput(lines, pl.col("message")).schema) == ["line", "message", "host", "shape"]
    for secret in ("label", "raw"):
        with pytest.raises(PluginError, match=f"shown: column '{secret}' may tell the label"):
            Lines(frame.lazy(), shown=[secret])
    with pytest.raises(IncompatibleError, match="need lines with a host, here they have line, message, shape"):
        read_lines(Lines(frame.lazy()), Column("host"), Verbatim(), silent, False)


def opened_all(shared: Path, folder: Path) -> dict[str, Lines]:
    """Every built-in data set of lines that can be read here."""
    known = Registry()
    loghub = shared / "loghub_2k"
    places = {
        "bgl": loghub / "BGL" / "BGL_2k.log",
        **dict.fromkeys(("thunderbird", "spirit", "liberty"), folder / "alerts.log"),
        "hadoop": loghub / "Hadoop" / "Hadoop_2k.log",
        "openstack": loghub / "OpenStack" / "OpenStack_2k.log",
        "hdfs": shared / "hdfs_v1_sample" / "HDFS_v1.zip",
        "hdfs-sim": folder / "sim",
        "loghub-structured": loghub / "BGL" / "BGL_2k.log_structured.csv",
        "loglead": folder / "events.parquet",
    }
    options = {"loghub-structured": {"label": "Label", "message": "Content"}, "hdfs-sim": {"blocks": 300}}
    table = pl.DataFrame({"m_message": ["a", "b"], "seq_id": ["s", "t"], "anomaly": [True, False]})
    table.write_parquet(places["loglead"])
    syslog = (loghub / "Thunderbird" / "Thunderbird_2k.log").read_bytes()  # has no alert
    places["thunderbird"].write_bytes(b"ALERT_X" + syslog.replace(b"\n- 113", b"\nALERT_X 113", 50)[1:])
    found = {}
    for name, path in places.items():
        item = known.get("dataset", name).item
        built = item.build(make(item.config, options.get(name, {}), name)) if item.config else item.build()
        if name == "hdfs-sim":
            path.mkdir()
            built.generate(path, silent)
        found[name] = built.read(path)
    return found


def test_no_built_in_data_set_shows_a_label(shared_data: Path, tmp_path: Path) -> None:
    """No shown column but the unit's id holds the label's word, nor is equal to the labels."""
    for name, lines in opened_all(shared_data, tmp_path).items():
        seen = WindowerInput(lines, pl.col("message")).schema.keys() - {"shape"}
        assert seen <= {"line", "message", *SHOWN}, name
        frame = lines.frame.collect()
        if "label" not in frame.columns or name == "loglead":
            continue
        word = frame["raw"].str.extract(r"^([A-Z]\w+)\s" if "structured" not in name else r"^\d+,([A-Z]\w+),")
        alarms = frame.with_columns(word=word).filter(pl.col("label") == 1)
        assert len(alarms) > 10 and not alarms["word"].null_count(), name
        for column in seen - {"line", "time"}:
            texts = zip(alarms[column].to_list(), alarms["word"], strict=True)
            told = [text for text, word in texts if text and re.search(rf"\b{word}\b", text)]
            assert not told, f"{name}: {column} holds the label: {told[0]}"


FORMATS: dict[str, tuple[dict[str, Any], str, str]] = {
    "pattern": ({"pattern": "<Label> <Time> <Content>"}, "ok 1 fine\nbad 2 broken\n", "bad\n"),
    "regex": (
        {"format": "regex", "pattern": r"^(?P<Label>\S+) [0-9]+ (?P<Content>.*)$"},
        "ok 1 fine\nbad 2 broken\n",
        "bad two broken\n",
    ),
    "json": (
        {"format": "json"},
        '{"Label": "ok", "Content": "fine"}\n{"Label": "bad", "Content": "broken"}\n',
        '{"Label": "bad"}\n{"Label": "bad", "Con\n',
    ),
    "csv": ({"format": "csv"}, "Label,Content\nok,fine\nbad,broken\n", "bad\nbad \n"),
}


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_line_not_as_declared_does_not_show_its_label(name: str, tmp_path: Path) -> None:
    form, good, bad = FORMATS[name]
    (tmp_path / "a.log").write_text(good + bad)
    lines = open_lines(tmp_path, ["a.log"], LineFormat(**form, label="Label", normal=("ok",)))
    assert lines.frame.collect()["message"].to_list() == ["fine", "broken", *[HIDDEN] * bad.count("\n")]
    bare = open_lines(tmp_path, ["a.log"], LineFormat(**form))
    assert bare.frame.collect()["message"].to_list()[2:] == bad.splitlines(), "without labels nothing is lost"


def test_an_id_is_found_in_a_line_not_as_declared(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("ok 1: s=1 fine\nbad s=2\n")
    form = LineFormat(pattern="<Label> <Time>: <Content>", label="Label", normal=("ok",), id="message",
                      id_pattern="s=[0-9]")  # fmt: skip
    frame = open_lines(tmp_path, ["a.log"], form).frame.collect()
    assert frame["id"].to_list() == [["s=1"], ["s=2"]]
    assert frame["message"].to_list() == ["s=1 fine", HIDDEN]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"message": "Label"}, "message=Label holds the label"),
        ({"level": "Label"}, "level=Label holds the label"),
        ({"id": "Label"}, "id=Label holds the label"),
        ({"time": ("Date", "Label"), "time_format": ("%Y",)}, "time=Label holds the label"),
        ({"format": "json", "label": "a.b.c", "message": "a.b"}, "label=a.b.c: message=a.b holds the label"),
        ({"format": "json", "label": "a.b.c", "node": "a"}, "label=a.b.c: node=a holds the label"),
        (
            {"format": "regex", "pattern": r"^(?P<Content>[()\]]+x\((?:y|(?P<Label>a|b)) .*)$"},
            "field Content holds the label Label",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_column_that_holds_the_label_is_refused(form: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    with pytest.raises(ConfigError, match=re.escape(said)):
        open_lines(tmp_path, ["a.log"], LineFormat(**{"label": "Label", "normal": ("ok",), **form}))


def test_the_hand_made_log_has_labels(tmp_path: Path) -> None:
    frame = Log().read(write(tmp_path / "a.log", ROWS)).frame.collect()
    assert 0 < np.mean(frame["label"].to_numpy()) < 0.5
