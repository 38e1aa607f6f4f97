"""Nothing that a model gets beside keys, times and texts tells the label: each built-in data set, each part."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest

from logbench.api.plan import Plan
from logbench.components.registry import Registry
from logbench.data.distinct import distinct_sequences
from logbench.data.sessions import Sessions
from logbench.running.prepare import Prepared, prepare
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime
from logbench.running.stages import Stages

# What a unit is. `offsets` are the numbers of its keys.
MAY_TELL = frozenset({"keys", "times", "templates", "vocabulary", "offsets"})
# A rank test of one part is wrong once in 150,000; the draws are fixed by the splits.
SIGMAS = 4.5
# Given the folder of real data and an empty one, where the data set's files are.
Make = Callable[[Path, Path], Path]


@dataclass(frozen=True)
class Case:
    """A data set as it is run here: where its files are, options, and the protocol's fields."""

    data: Make | None
    settings: Mapping[str, Mapping[str, Any]]
    windower: str | None = None


def _of(*parts: str) -> Make:
    return lambda shared, _: shared.joinpath(*parts)


def _unpacked(shared: Path, folder: Path) -> Path:
    """Every sixth trace."""
    with ZipFile(shared / "adfa_ld" / "ADFA-LD.zip") as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.endswith(".txt")][::6])
    return folder


def _alerts(shared: Path, folder: Path) -> Path:
    """Loghub's sample of Thunderbird has no alert: here every tenth line has one."""
    lines = (shared / "loghub_2k" / "Thunderbird" / "Thunderbird_2k.log").read_bytes().splitlines(keepends=True)
    made = [b"ECC" + line[1:] if n % 10 == 0 else line for n, line in enumerate(lines)]
    (folder / "alerts.log").write_bytes(b"".join(made))
    return folder / "alerts.log"


def _traces(_: Path, folder: Path) -> Path:
    """Traces in the layout of AWSCTD: normal ones first, malware after."""
    rows = [f"{n % 5},{n % 3},{n % 7},{'Clean' if n < 300 else 'Trojan'}\n" for n in range(400)]
    (folder / "traces.csv").write_text("".join(rows))
    return folder


def _loglead(_: Path, folder: Path) -> Path:
    """Events in LogLead's table, sequences in order of their class, times in another order, many equal."""
    rows = [(f"step {n % 7}", f"seq{n // 5:03d}", n >= 900, n // 5 * 7 % 3) for n in range(1200)]
    frame = pl.DataFrame(rows, schema=["m_message", "seq_id", "anomaly", "hour"], orient="row")
    time = pl.datetime(2024, 1, 1, pl.col("hour"), time_unit="us")
    frame = frame.with_columns(m_timestamp=time).drop("hour")
    frame.write_parquet(folder / "events.parquet")
    return folder / "events.parquet"


def _hadoop(_: Path, folder: Path) -> Path:
    """Applications in folders of their own, those with a fault last."""
    names = [f"application_1445062781478_{n:04d}" for n in range(60)]
    for name in names:
        (folder / name).mkdir()
        lines = [
            f"2015-10-18 18:01:{n:02d},978 INFO [main] org.x.Task: step {n % 3} of {name}\n" for n in range(9)
        ]
        (folder / name / "container.log").write_text("".join(lines))
    labels = ["### Normal\n", *names[:40], "\n### Machine down\n", *names[40:]]
    (folder / "abnormal_label.txt").write_text("\n".join(labels))
    return folder


def _openstack(shared: Path, folder: Path) -> Path:
    """Three logs, the last called abnormal; every instance that it alone names counts as anomalous here."""
    import re

    raw = shared / "openstack_kalaki_raw"
    texts = {
        "openstack_normal1.log": gzip.decompress((raw / "openstack-nova-sample.log.gz").read_bytes()),
        "openstack_normal2.log": b"",
        "openstack_abnormal.log": gzip.decompress(
            (raw / "openstack-vm-destroy-immediately-after-create.log.gz").read_bytes()
        ),
    }
    found = {}
    for name, text in texts.items():
        (folder / name).write_bytes(text)
        found[name] = set(re.findall(rb"\[instance: ([0-9a-f-]{36})\]", text))
    strange = found["openstack_abnormal.log"] - found["openstack_normal1.log"]
    (folder / "anomaly_labels.txt").write_bytes(b"\n".join(sorted(strange)))
    return folder


RANDOM = {"train": "random_ratio", "train_ratio": 0.4, "content": "labelled", "held_out": 0.3}
HALF: Mapping[str, Any] = {"protocol": RANDOM}
BGL = ("loghub_2k", "BGL", "BGL_2k.log")
CASES: dict[str, Case] = {
    "hdfs-sim": Case(None, {**HALF, "dataset": {"blocks": 3000}}),
    "drift-sim": Case(None, {"protocol": {**RANDOM, "procedure": "batch"}, "dataset": {"jobs": 1500}}),
    "hdfs": Case(_of("hdfs_v1_sample", "HDFS_v1.zip"), HALF),
    "deeplog-archive": Case(_of("deeplog_archive"), {"dataset": {"normal_total": 553_366}}),
    "hdfs-100k": Case(_of("hdfs_100k"), {}),
    "openstack-kalaki": Case(_of("openstack_kalaki_raw"), HALF),
    "multilog": Case(_of("multilog_iotdb", "cpu"), {**HALF, "count": {"size": 5}}, "count"),
    "nezha": Case(_of("nezha"), HALF),
    "ait-sequences": Case(_of("openstack_kalaki_sequences"), {}),
    "openstack-sequences": Case(_of("openstack_loghub"), {"protocol": {**RANDOM, "content": "mixed"}}),
    "adfa-ld": Case(_unpacked, HALF),
    "awsctd": Case(_traces, HALF),
    "loglead": Case(_loglead, HALF),
    "hadoop": Case(_hadoop, HALF),
    "openstack": Case(_openstack, HALF),
    "bgl": Case(_of(*BGL), {**HALF, "count": {"size": 5}}, "count"),
    "thunderbird": Case(_alerts, {**HALF, "count": {"size": 5}}, "count"),
    "spirit": Case(_alerts, {**HALF, "count": {"size": 5}}, "count"),
    "liberty": Case(_alerts, {**HALF, "count": {"size": 5}}, "count"),
    "loghub-structured": Case(
        _of(*BGL[:2], "BGL_2k.log_structured.csv"),
        {**HALF, "dataset": {"label": "Label"}, "count": {"size": 5}},
    ),
}


def test_every_data_set_is_here() -> None:
    assert set(CASES) == set(Registry().components["dataset"])


def prepared(name: str, shared: Path, folder: Path, model: str = "new-event") -> Prepared:
    case, registry = CASES[name], Registry()
    data = case.data(shared, folder) if case.data else None
    plan = Plan(model=model, dataset=name, data=data, windower=case.windower, settings=case.settings)
    runtime = Runtime.here(registry)
    return prepare(resolve(plan, registry), runtime, Stages(runtime), lambda _: None)


def parts(made: Prepared) -> dict[str, Any]:
    split = made.split
    return {
        "train": split.train,
        "held_out": split.held_out,
        "scored": np.concatenate([split.held_out, split.test]),
    }


def area(values: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> tuple[float, float]:
    """AUROC of `values` against labels 0 and 1, and its standard error where they tell nothing."""
    ranks = pl.Series(values).rank("average").to_numpy()
    ones = labels == 1
    n, m = int(ones.sum()), int((~ones).sum())
    return (ranks[ones].sum() - n * (n + 1) / 2) / (n * m), float(np.sqrt((n + m + 1) / (12 * n * m)))


def assert_says_nothing(values: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], what: str) -> None:
    known = labels >= 0
    if len(set(labels[known])) < 2:
        return
    found, error = area(values[known], labels[known])
    assert abs(found - 0.5) <= SIGMAS * error, f"{what} tells the label: AUROC {found:.3f} ± {error:.3f}"


@pytest.mark.parametrize("name", list(CASES))
def test_no_column_but_keys_times_and_texts_tells_the_label(name: str, shared_data: Path, tmp_path: Path) -> None:
    made = prepared(name, shared_data, tmp_path)
    labels = made.grouped.units["label"].to_numpy()
    looked_at = 0
    for what, units in parts(made).items():
        part = made.part(what, units)
        given: Sessions = part.sessions
        own = labels[part.units]
        assert sorted(part.units.tolist()) == sorted(units.tolist())
        assert given.ids.to_list() == [str(n) for n in range(len(given))], "an id is the place, and says no more"
        assert (given.weights == 1).all() and given.lines is None and given.times is None
        assert given.labels is None and given.line_labels is None
        for field in dataclasses.fields(given):
            column = getattr(given, field.name)
            if field.name not in MAY_TELL and column is not None and len(column) == len(given):
                assert_says_nothing(pl.Series(column).rank("dense").to_numpy(), own, f"{what}: {field.name}")
        assert_says_nothing(np.arange(len(given)), own, f"{what}: the order of units")
        looked_at += int(len(set(own[own >= 0])) == 2)
        assert_keeps_no_more_than_keys(given)
        for index in (0, len(given) // 2, len(given) - 1):  # the units are those that their numbers say
            unit = made.sessions.take(part.units[index : index + 1])
            assert given.take(np.array([index])).keys.tolist() == unit.keys.tolist()
    assert looked_at, "no part holds both classes: the test says nothing"


def assert_keeps_no_more_than_keys(given: Sessions) -> None:
    """What was computed before is what comes of the keys alone, such as numbers in order of appearance."""
    bare = Sessions(given.keys, given.offsets, given.vocabulary, given.ids, templates=given.templates)
    if "distinct" in given.__dict__:
        again = distinct_sequences(bare.keys, bare.offsets)
        assert given.distinct.first.tolist() == again.first.tolist()
        assert given.distinct.inverse.tolist() == again.inverse.tolist()
        assert given.distinct.counts.tolist() == again.counts.tolist()
    computed = set(given.__dict__) - {field.name for field in dataclasses.fields(given)}
    assert computed <= {"lengths", "clipped_keys", "units", "unseen", "distinct"}
    assert not given._cached, "what a model kept of other columns would tell of them"


@pytest.mark.parametrize("name", ["hdfs-sim", "loglead"])
def test_with_times_the_order_is_that_of_time_alone(name: str, shared_data: Path, tmp_path: Path) -> None:
    """Files may hold one class after the other, so their order says more than times do."""
    made = prepared(name, shared_data, tmp_path, model="timing")
    labels = made.grouped.units["label"].to_numpy()
    for what, units in parts(made).items():
        part = made.part(what, units, frozenset({"times"}))
        assert part.sessions.times is not None and sorted(part.units.tolist()) == sorted(units.tolist())
        first = part.sessions.times[part.sessions.offsets[:-1]]
        assert (np.diff(first) >= 0).all()
        _, tied, many = np.unique(first, return_inverse=True, return_counts=True)
        for time in np.flatnonzero(many > 20):
            at = np.flatnonzero(tied == time)
            assert_says_nothing(at, labels[part.units[at]], f"{what}: the order of units of one time")


@pytest.mark.parametrize("name", ["hdfs-sim", "bgl"])
def test_only_supervised_models_get_labels_and_only_of_training_units(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    made = prepared(name, shared_data, tmp_path)
    split = made.split
    train = made.part("train", split.train, labelled=True)
    assert train.sessions.labels is not None
    assert train.sessions.labels.tolist() == made.grouped.units["label"].to_numpy()[train.units].tolist()
    assert (train.sessions.weights == 1).all() and train.sessions.lines is None
    for what, units in parts(made).items():
        other = made.part(what, units).sessions
        assert other.labels is None and other.line_labels is None, f"{what}: not even beside a labelled part"


def test_the_rank_test_finds_an_order_by_class() -> None:
    labels = np.repeat([0, 1], [300, 30]).astype(np.int8)
    with pytest.raises(AssertionError, match=r"place tells the label: AUROC 1\.000"):
        assert_says_nothing(np.arange(330), labels, "place")
    assert_says_nothing(np.random.default_rng(0).permutation(330), labels, "place")
