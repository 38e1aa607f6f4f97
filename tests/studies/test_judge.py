"""Judging a submission: it sees nothing of the sealed part, a cheat gets nothing, a changed record is found."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench.base.errors import ConfigError, DataError
from logbench.base.maintainer_key import MaintainerKey, fingerprint, read_key
from logbench.components import submissions
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.running.signed_records import signature_fault, signed
from logbench.running.stored import record_sum
from logbench.studies.check_records import check_records
from logbench.studies.submit import pack

Ask = Callable[..., "subprocess.CompletedProcess[str]"]

HONEST = '''
import logbench


class Honest:
    """Distance to the mean length."""

    def fit(self, train, context):
        self.mean = train.lengths.mean()

    def score(self, sessions, context):
        return abs(sessions.lengths - self.mean)
'''
# It tries all that it can think of, when it is loaded and when it scores, and scores by what it found.
CHEAT = """
import ctypes
import glob
import os
import socket
import subprocess

import polars as pl

PLACES = {places!r}
KNOWN = {known!r}
FOUND = []


def look():
    for place in PLACES:
        for way in (
            lambda: FOUND.extend(os.listdir(place)),
            lambda: FOUND.extend(glob.glob(place + "/*")),
            lambda: FOUND.append(open(place).read()),
            lambda: FOUND.extend(pl.read_parquet(place + "/labels.parquet").rows()),
            lambda: FOUND.extend(subprocess.run(["cat", place], capture_output=True).stdout),
            lambda: FOUND.extend(subprocess.run(["ls", place], capture_output=True).stdout.split()),
        ):
            try:
                way()
            except BaseException:
                pass
    try:
        ctypes.CDLL(None).umount2(os.fsencode(PLACES[0]), 2)
        FOUND.extend(os.listdir(PLACES[0]))
    except BaseException:
        pass
    for address in (("127.0.0.1", PORT),):
        try:
            socket.create_connection(address, timeout=1).sendall(b"sealed")
            FOUND.append("network")
        except BaseException:
            pass


look()


class Cheat:
    def fit(self, train, context):
        look()

    def score(self, sessions, context):
        look()
        context.note("found " + repr([one for one in FOUND if one not in (*PLACES, *map(os.fsencode, PLACES))]))
        return [float(KNOWN.get(unit, 0)) for unit in sessions.ids]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, a sealed data set and a submission of an honest model."""
    folder = tmp_path_factory.mktemp("judge")
    (folder / "mine.py").write_text(HONEST)
    run(folder, "seal", "hdfs-sim", "--set", "hdfs-sim.blocks=800", "--key", "k", "--out", "split")
    run(folder, "submit", "./mine.py")
    return folder


def run(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "logbench", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def judged(folder: Path, name: str, *words: str, code: int = 0) -> str:
    _, digest = submissions.read(folder / name)
    where = ("--sealed", "split/sealed", "--key", "k")
    return run(folder, "judge", name, *where, "--run", digest[:12], *words, code=code)


@pytest.fixture(scope="module")
def record(place: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(judged(place, "honest.submission", "--json").splitlines()[0])
    return said


def test_open_units_train_sealed_ones_are_tested_and_the_maintainer_signs(
    place: Path, record: dict[str, Any]
) -> None:
    key = read_key(place / "k")
    assert record["sealed"]["fingerprint"] == fingerprint(key.public) and not signature_fault(record, [key.public])
    units = pl.read_parquet(place / "split/sealed/units.parquet")
    tested = pl.read_parquet(place / "runs" / record["artifacts"]["scores"]).filter(pl.col("part") == "test")
    assert set(tested["unit"]) == set(units.filter(pl.col("part") == "test")["unit"])
    assert record["sealed"]["submission"] == submissions.read(place / "honest.submission")[1]
    assert record["isolation"] == "worker" and record["protocol"]["train"] == "given"
    assert "files" not in record["audit"], "its own code is its own"
    assert record["plugins"]["mine"]["distribution"] == "mine.py", "no name of a temporary folder"
    # The same model on the same units without any wall.
    lengths = tested["events"].cast(float)
    mean = (lengths - tested["raw"])[0] if lengths[0] > tested["raw"][0] else None
    assert mean is None or tested.filter(pl.col("raw").is_not_null())["raw"].to_list() == pytest.approx(
        (lengths.filter(tested["raw"].is_not_null()) - mean).abs().to_list()
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["metrics"]["session"]["all"].update(f1=0.99),
        lambda record: record.update(model="other"),
        lambda record: record["protocol"].update(alpha=0.1),
        lambda record: record["sealed"].update(submission="0" * 64),
        lambda record: record["checksums"].update(scores="0" * 64),
        lambda record: record["sealed"].update(key="0" * 64),
        lambda record: record["sealed"].update(fingerprint="0" * 16),
        lambda record: record["sealed"].pop("signature"),
        lambda record: record.update(notes=[*record["notes"], "a word"]),
    ],
)
def test_a_record_that_was_changed_is_a_fault(record: dict[str, Any], change: Any, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    for made, expected in ((record, False), (copy.deepcopy(record), True)):
        if expected:
            change(made)
            made["checksums"]["record"] = record_sum(made)  # as whoever changes it would
        file.write_text(json.dumps(made) + "\n")
        found, _ = check_records([file], Registry(), signers=[fingerprint(record["sealed"]["key"])])
        told = [one.text for one in found if one.fault and ("sign" in one.text or "sealed." in one.text)]
        assert bool(told) == expected, found


def test_another_key_than_a_maintainers_is_a_fault(record: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text(json.dumps(record) + "\n")
    found, _ = check_records([file], Registry(), signers=["0" * 16])
    assert any("no key of a maintainer" in one.text for one in found if one.fault)
    found, _ = check_records([file], Registry(), signers=[record["sealed"]["fingerprint"]])
    assert not [one for one in found if one.fault], found


@pytest.mark.parametrize("path", [None, "", "../scores.parquet", "gone/scores.parquet"])
def test_figures_without_scores_need_a_maintainers_key(
    path: str | None, record: dict[str, Any], tmp_path: Path
) -> None:
    """Else whoever makes a key of his own can sign any figures."""
    own = MaintainerKey(bytes(range(32)))
    made = copy.deepcopy(record)
    made["metrics"]["session"]["all"].update(f1=1.0)
    made["artifacts"] = {} if path is None else {"scores": path}
    made["checksums"] = {}
    made = signed(made, own)
    made["checksums"]["record"] = record_sum(made)
    file = tmp_path / "records.jsonl"
    file.write_text(json.dumps(made) + "\n")
    assert not signature_fault(made)
    found, _ = check_records([file], Registry())
    assert any("no key of --signer vouches" in one.text for one in found if one.fault), found
    found, _ = check_records([file], Registry(), signers=[own.public])
    assert any("the maintainer keeps its scores" in one.text for one in found if not one.fault), found


def test_a_cheat_gets_nothing(place: Path, record: dict[str, Any]) -> None:
    """It looks for labels in files, knows every id by heart, and would send what it finds."""
    import socket

    labels = pl.read_parquet(place / "split/sealed/labels.parquet")
    known = {unit: 1.0 for unit, label in labels.select("unit", "label").iter_rows() if label == 1}
    with socket.create_server(("127.0.0.1", 0)) as server:
        raw = json.loads((place / "split/sealed/part.json").read_text())["raw"]
        assert "raw" not in json.loads((place / "split/open/part.json").read_text())
        places = [str(place / "split/sealed"), str(place / "k"), str(place / "runs"), raw]
        text = CHEAT.replace("PORT", str(server.getsockname()[1]))
        text = text.replace("{places!r}", repr(places)).replace("{known!r}", repr(known))
        (place / "cheat.py").write_text(text)
        run(place, "submit", "./cheat.py", "--overwrite")
        server.accept()[0].close()  # its author has a network
        _, digest = submissions.read(place / "cheat.submission")
        words = ["judge", "cheat.submission", "--sealed", "split/sealed", "--key", "k", "--run", digest, "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "logbench", *words], cwd=place, capture_output=True, text=True, check=False
        )
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    if done.returncode:  # files that are not its own: no record is signed
        assert "is not judged: it opened" in done.stderr and not done.stdout
    else:
        made = json.loads(done.stdout)
        own, rule = made["metrics"]["session"]["all"], made["trivial"]["short"]["session"]["all"]
        assert all(own[name] == rule[name] for name in ("tp", "fp", "fn")), "it does as well as no model"
    notes = [line for line in done.stderr.splitlines() if "found" in line]
    assert all("found []" in line for line in notes), notes


def test_code_runs_by_its_digest_alone(place: Path) -> None:
    (place / "loud.py").write_text(
        HONEST.replace("import logbench", "import sys; sys.stderr.write('I RAN\\n')", 1)
    )
    run(place, "submit", "./loud.py", "--overwrite")
    where = ("--sealed", "split/sealed", "--key", "k")
    said = run(place, "judge", "honest.submission", *where)
    assert "nothing of it has run" in said and "I RAN" not in said
    assert "has the digest" in run(place, "judge", "honest.submission", *where, "--run", "0" * 12, code=2)


def test_a_submission_is_the_same_bytes_and_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HONEST)
    part = configured(Registry().get("model", str(tmp_path / "mine.py")))
    facts, data = pack(part)
    assert pack(part)[1] == data and list(facts.files) == ["mine.py"]
    file = tmp_path / "a.submission"
    file.write_bytes(data)
    assert submissions.read(file)[0].name == "honest"
    with pytest.raises(ConfigError, match="comes with logbench"):
        pack(configured(Registry().get("model", "length")))


OUTSIDE = ("../out.py", "/tmp/out.py", "code/../../out.py", "other/out.py", "code\\out.py")
SECOND_NAMES = ("code//a.py", "code/./a.py", "code/")


@pytest.mark.parametrize("name", [*OUTSIDE, *SECOND_NAMES])
def test_a_file_of_a_submission_has_one_name_and_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.submission"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(submissions.FACTS, "{}")
        archive.writestr(name, "x")
    with pytest.raises(DataError, match="has no place in a submission"):
        submissions.read(file)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "code/../../evil.py:Evil"},
        {"address": "/etc/evil.py:Evil"},
        {"name": "../../evil"},
        {"name": "\x1b[2Kdeeplog"},
        {"summary": "good\n  0123456789ab  other.py"},
        {"requires": ["a\rb"]},
        {"files": []},
        {"files": None},
        {"files": {"": "x"}},
        {"name": 1},
    ],
)
def test_facts_that_submit_does_not_write_are_refused(change: dict[str, Any], place: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.submission"
    with zipfile.ZipFile(place / "honest.submission") as good, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(submissions.FACTS, json.dumps({**json.loads(good.read(submissions.FACTS)), **change}))
        for one in good.namelist()[1:]:
            archive.writestr(one, good.read(one))
    with pytest.raises(DataError, match="no submission"):
        submissions.read(file)


def test_a_damaged_or_encrypted_archive_is_one_line(place: Path, tmp_path: Path) -> None:
    whole = (place / "honest.submission").read_bytes()
    file = tmp_path / "bad.submission"
    for at in range(30, len(whole), 7):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            submissions.read(file)
        except DataError as error:
            assert len(str(error).splitlines()) == 1


def test_only_the_file_that_was_agreed_to_is_unpacked(place: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="changed since it was read"):
        submissions.unpack(place / "honest.submission", tmp_path / "folder", "0" * 64)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1}', "["])
def test_a_file_that_is_no_submission_is_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.submission"
    file.write_text(text)
    with pytest.raises(DataError, match="no submission"):
        submissions.read(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(submissions.FACTS, text)
    with pytest.raises(DataError, match="no submission"):
        submissions.read(file)


def test_a_part_of_another_key_or_of_the_open_side_is_refused(place: Path) -> None:
    (place / "other").write_text("1" * 64)
    (place / "other").chmod(0o600)
    assert "and not by this one" in run(
        place, "judge", "length", "--sealed", "split/sealed", "--key", "other", code=2
    )
    assert "give the sealed one" in run(place, "judge", "length", "--sealed", "split/open", "--key", "k", code=2)
