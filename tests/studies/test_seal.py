"""Sealed parts: what others get says nothing of sealed units, and together both parts are the whole."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench.api.plan import Plan
from logbench.base.errors import DataError, IncompatibleError, LogbenchError
from logbench.base.maintainer_key import MaintainerKey, fingerprint, is_signed, make_key, read_key
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.data.lines import Lines
from logbench.reading.data_parts import open_data
from logbench.running.prepare import prepare
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime
from logbench.running.stages import Stages
from logbench.studies.seal import seal

KEY = MaintainerKey(bytes(range(32)))
STAMP = "081109 203518 143 INFO dfs.DataNode: "
BLOCKS = [f"blk_{n}" for n in range(-20, 40)]
LINES = [
    *(f"Receiving block {block} src: /10.0.0.1:1 dest: /10.0.0.2:2" for block in BLOCKS for _ in range(3)),
    *(f"BLOCK* ask 10.0.0.1:1 to delete {a} {b} {b}0" for a, b in itertools.pairwise(BLOCKS)),
    "a line of no block",
]


@pytest.fixture
def hdfs(tmp_path: Path) -> Path:
    """60 blocks of three lines, each line of the rest of a pair; names of some begin with those of others."""
    (tmp_path / "hdfs" / "preprocessed").mkdir(parents=True)
    (tmp_path / "hdfs" / "HDFS.log").write_text("".join(f"{STAMP}{line}\n" for line in LINES))
    every = [*BLOCKS, *(f"{block}0" for block in BLOCKS if f"{block}0" not in BLOCKS)]
    labels = "".join(f"{block},{'Anomaly' if n % 4 == 0 else 'Normal'}\n" for n, block in enumerate(every))
    (tmp_path / "hdfs" / "preprocessed" / "anomaly_label.csv").write_text(f"BlockId,Label\n{labels}")
    return tmp_path / "hdfs"


def sealed_by_hand(unit: str, share: float) -> bool:
    key = hmac.new(KEY.secret, b"logbench seal", hashlib.sha256).digest()
    digest = hmac.new(key, unit.encode(), hashlib.sha256).hexdigest()
    return int(digest[:16], 16) / 16**16 < share


def test_the_open_part_has_every_line_of_open_units_and_no_sealed_id(hdfs: Path, tmp_path: Path) -> None:
    out = tmp_path / "split"
    facts = seal(Plan(model="length", dataset="hdfs", data=hdfs), KEY, 0.3, out, Registry(), silent)
    units = pl.read_parquet(out / "sealed" / "units.parquet")
    sealed = {unit for unit, part in units.iter_rows() if part == "test"}
    assert sealed == {unit for unit in units["unit"] if sealed_by_hand(unit, 0.3)}
    assert facts["sealed_units"] == len(sealed) and facts["fingerprint"] == fingerprint(KEY.public)
    lines, labels = (pl.read_parquet(out / "open" / f"{name}.parquet") for name in ("lines", "labels"))
    assert lines["line"].to_list() == list(range(len(lines)))
    named = [{word for word in line.split() if word.startswith("blk_")} for line in LINES]
    expected = [(line, ids - sealed) for line, ids in zip(LINES, named, strict=True) if not ids or ids - sealed]
    assert [set(ids) for ids in lines["id"]] == [ids for _, ids in expected]
    assert facts["shared_lines"] == sum(bool(ids & sealed and ids - sealed) for ids in named)
    for text, (line, ids) in zip(lines["message"], expected, strict=True):
        words = [
            "".join("0" if letter.isdigit() else letter for letter in word) if word in sealed else word
            for word in line.split()
        ]
        assert text.split() == words and ids <= set(text.split())
    for frame in (lines, labels):
        everything = set(json.dumps(frame.to_dicts(), default=str).replace('"', " ").replace(",", " ").split())
        assert not everything & sealed
    assert set(labels["unit"]) == set(units["unit"]) - sealed


def test_no_line_of_others_names_a_sealed_unit_or_tells_where_its_lines_stood(tmp_path: Path) -> None:
    """A line may name units in its text that it is no part of, as those of OpenStack do."""
    ids = [f"{n:08x}-ac63-4cc8-bcfe-{n * 7919:012x}" for n in range(11, 51)]
    folder, form = tmp_path / "logs", tmp_path / "mine.toml"
    folder.mkdir()
    opened = [one for one in ids if not sealed_by_hand(one, 0.5)]
    sealed = [one for one in ids if one not in opened]
    rows = [f"2024-01-01 10:00:{n % 60:02} {one} starts" for n, one in enumerate(ids)]
    rows += [f"2024-01-01 10:01:00 {opened[0]} asks for '{one}', disk_{one}_2 and {one}7" for one in ids]
    (folder / "a.log").write_text("".join(f"{row}\n" for row in rows))
    form.write_text(
        'files = ["*.log"]\npattern = "<Date> <Time> <User> <Content>"\ntime = ["Date", "Time"]\n'
        'time_format = ["%Y-%m-%d %H:%M:%S"]\nid = "User"\n'
    )
    facts = seal(
        Plan(model="length", dataset=str(form), data=folder), KEY, 0.5, tmp_path / "split", Registry(), silent
    )
    sealed = [one for one in [*ids, "-"] if sealed_by_hand(one, 0.5)]
    left = pl.read_parquet(tmp_path / "split/open/lines.parquet")
    texts = "\n".join(json.dumps(row, default=str) for row in left.to_dicts())
    assert not [one for one in sealed if re.search(rf"(?<![^\W_]){one}(?![^\W_])", texts)]
    blank = "00000000-0000-0000-0000-000000000000"
    assert len(set(re.findall("disk_[-0-9a-f]*_2", texts))) == len(opened) + 1 and f"disk_{blank}_2" in texts
    assert all(f"'{one}'" in texts for one in opened), "what is open stays"
    assert facts["scrubbed_lines"] == len(sealed) and "at" not in left.columns


def test_both_parts_together_are_the_data(hdfs: Path, tmp_path: Path) -> None:
    seal(Plan(model="length", dataset="hdfs", data=hdfs), KEY, 0.3, tmp_path / "split", Registry(), silent)
    seen: dict[str, dict[str, int]] = {}
    for name, data in (("whole", hdfs), ("open", tmp_path / "split/open"), ("sealed", tmp_path / "split/sealed")):
        protocol = {"train": "random_ratio", "min_events": 0}
        runtime = Runtime.here()
        plan = Plan(model="length", dataset="hdfs", data=data, settings={"protocol": protocol})
        sessions = prepare(resolve(plan, runtime.registry), runtime, Stages(runtime), print).sessions
        seen[name] = dict(zip(sessions.ids, sessions.lengths.tolist(), strict=True))
    assert seen["sealed"] == seen["whole"], "the maintainer has all"
    assert seen["open"] == {unit: n for unit, n in seen["whole"].items() if not sealed_by_hand(unit, 0.3)}


@pytest.mark.parametrize(
    ("windower", "options", "why"),
    [
        ("count", {"size": 5}, "make other units"),
        ("time", {"size": "2s", "stride": "1s"}, "both parts"),
    ],
)
def test_units_that_cannot_be_told_apart_are_refused(
    windower: str, options: dict[str, Any], why: str, hdfs: Path, tmp_path: Path
) -> None:
    log = hdfs / "HDFS.log"
    lines = log.read_text().splitlines()
    log.write_text("".join(f"081109 2035{n % 60:02d}{line[13:]}\n" for n, line in enumerate(lines[:60])))
    plan = Plan(model="length", dataset="hdfs", data=hdfs, windower=windower, settings={windower: options})
    with pytest.raises(IncompatibleError, match=why):
        seal(plan, KEY, 0.5, tmp_path / "split", Registry(), silent)
    assert not (tmp_path / "split").exists()


@pytest.mark.parametrize("name", ["lines.parquet", "labels.parquet", "part.json"])
def test_a_damaged_part_is_one_line(name: str, hdfs: Path, tmp_path: Path) -> None:
    seal(Plan(model="length", dataset="hdfs", data=hdfs), KEY, 0.3, tmp_path / "split", Registry(), silent)
    file = tmp_path / "split" / "open" / name
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b'{"part_version": 1}'):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"part\.json|parquet|no part of a data set"):
            opened = open_data(None, "hdfs", file.parent)
            assert isinstance(opened, Lines) and opened.labels is not None
            opened.labels()


def test_key_sequences_are_sealed_by_their_units(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name, count in (("a_train", 30), ("a_test_normal", 30), ("a_test_abnormal", 30)):
        data.mkdir(exist_ok=True)
        (data / name).write_text("".join(f"{name}{n},1 2 {n}\n" for n in range(count)))
    out = tmp_path / "split"
    seal(Plan(model="length", dataset="ait-sequences", data=data), KEY, 0.2, out, Registry(), silent)
    left = pl.read_parquet(out / "open" / "sequences.parquet")
    whole = pl.read_parquet(out / "sealed" / "sequences.parquet")
    assert len(whole) == 90
    assert set(left["unit"]) == {unit for unit in whole["unit"] if not sealed_by_hand(unit, 0.2)}
    assert set(whole.filter(pl.col("part") == "test")["unit"]) == set(whole["unit"]) - set(left["unit"])


def test_a_key_is_for_its_owner_alone_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600 and read_key(path) == made and made.secret.hex() not in repr(made)
    with pytest.raises(DataError, match="cannot write the key"):
        make_key(path)
    path.chmod(0o640)
    with pytest.raises(DataError, match="others may read this key; chmod 600"):
        read_key(path)
    path.chmod(0o600)
    path.write_text("abc")
    with pytest.raises(DataError, match="no key, which is 64 hex digits"):
        read_key(path)


def test_a_signature_holds_for_its_value_and_key_alone() -> None:
    value = {"b": 1.5, "a": ["é", None]}
    signature = KEY.sign(value)
    assert is_signed({"a": ["é", None], "b": 1.5}, KEY.public, signature)
    assert not is_signed({**value, "b": 1.25}, KEY.public, signature)
    assert not is_signed(value, MaintainerKey(bytes(32)).public, signature)
    for broken in ("", "00", "zz", signature[:-2], f"{signature}00"):
        assert not is_signed(value, KEY.public, broken)


@pytest.mark.parametrize(("share", "why"), [(1e-9, "0 of"), (1 - 1e-12, "114 of 114 units would be sealed")])
def test_nothing_or_all_is_no_split(share: float, why: str, hdfs: Path, tmp_path: Path) -> None:
    with pytest.raises(LogbenchError, match=why):
        seal(Plan(model="length", dataset="hdfs", data=hdfs), KEY, share, tmp_path / "split", Registry(), silent)
