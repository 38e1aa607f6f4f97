"""What a run left beside its record is read back as it was written, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import logbench
from logbench import DataError
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.running import records, run_names, stored
from logbench.studies.ranked_units import described
from logbench.studies.rescore import rescore
from logbench.studies.whole_unit import whole_unit

SMALL: dict[str, Any] = {"settings": {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}}


@pytest.fixture
def record(tmp_path: Path) -> dict[str, Any]:
    (made,) = logbench.run("length", dataset="hdfs-sim", out=tmp_path, **SMALL)
    assert made.status == "ok", made.error
    assert set(made.checksums) == {"scores", "templates", "shown", "record"}
    return run_names.find("last", tmp_path)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("spoil", [flip, cut, Path.unlink])
@pytest.mark.parametrize("known", [True, False], ids=["with checksum", "of old"])
def test_damaged_scores_are_refused(
    record: dict[str, Any], tmp_path: Path, spoil: Callable[[Path], None], known: bool
) -> None:
    if not known:
        record.pop("checksums")
    assert len(records.scores(record, tmp_path))
    spoil(tmp_path / record["artifacts"]["scores"])
    if spoil is flip and not known:
        return  # nothing tells
    for use in (
        lambda: records.scores(record, tmp_path),
        lambda: rescore(record, tmp_path, {"short": "miss"}, (), Registry(), ""),
        lambda: described(record, tmp_path, "top", 3, Registry()),
    ):
        with pytest.raises(DataError, match="run it again") as error:
            use()
        assert "\n" not in str(error.value)


def test_a_rescored_run_keeps_the_checksums_of_what_it_did_not_write(
    record: dict[str, Any], tmp_path: Path
) -> None:
    flip(tmp_path / record["artifacts"]["templates"])
    made = rescore(record, tmp_path, {"short": "miss"}, (), Registry(), "")
    assert made.checksums["templates"] == record["checksums"]["templates"], "damaged files get no new checksum"
    assert made.checksums["scores"] != record["checksums"]["scores"]
    assert stored.fault(made.as_dict(), tmp_path, "templates") and not stored.fault(
        made.as_dict(), tmp_path, "scores"
    )


def test_a_rescored_run_names_the_code_that_evaluated_it(record: dict[str, Any], tmp_path: Path) -> None:
    old = json.loads(json.dumps(record))
    old["components"]["evaluators"][0]["plugins"][0]["code"] = "of old"
    old["plugins"]["evaluators"]["code"] = old["source"]["code"] = "of old"
    made = rescore({**old, "of_a_later_version": 1}, tmp_path, {"short": "miss"}, (), Registry(), "").as_dict()
    assert "of old" not in json.dumps(made)
    assert made["components"] == record["components"] and made["plugins"] == record["plugins"]


@pytest.mark.parametrize("keys", [
    ("config", "windower"), ("config", "dataset"), ("components", "windower"), ("dataset", "path")
])  # fmt: skip
def test_a_record_that_lacks_what_show_needs_is_one_line(
    record: dict[str, Any], tmp_path: Path, keys: tuple[str, ...]
) -> None:
    *above, last = keys
    place = record
    for key in above:
        place = place[key]
    del place[last], record["checksums"]["record"]
    (tmp_path / records.FILE).write_text(json.dumps(record) + "\n")
    unit = records.scores(run_names.find("last", tmp_path), tmp_path)["unit"][0]
    with pytest.raises(DataError, match=f"its {'.'.join(keys)} is missing"):
        whole_unit((record["run_id"], unit), tmp_path, Registry(), silent)
