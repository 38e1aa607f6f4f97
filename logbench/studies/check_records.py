"""Check records that others submit: their schema, their data, figures computed again from scores, duplicates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..api.protocol import EvaluationProtocol
from ..api.record_sections import Record
from ..base.errors import DataError, LogbenchError
from ..base.file_names import path_below
from ..base.options import fields_of
from ..base.progress import silent
from ..base.regular_files import open_regular
from ..components.configured import configured
from ..components.registry import Registry
from ..reading.data_parts import open_data
from ..running import records
from ..running.locate import locate
from ..running.log_digest import digest_of
from ..running.record_versions import refusal_of, upgraded
from ..running.resolve import stored_dataset
from ..running.signed_records import signature_fault
from .recount import recounted


@dataclass(frozen=True)
class Finding:
    """Something to say of one line of a file.

    Attributes:
        place: `FILE:LINE`. run: its id; empty where the line is no record.
        text: what is wrong, or what could not be checked. fault: False for the latter.
    """

    place: str
    run: str
    text: str
    fault: bool = True

    def __str__(self) -> str:
        return f"{self.place}: {self.run}: {self.text}" if self.run else f"{self.place}: {self.text}"


@dataclass
class Checked:
    """What was looked at.

    Attributes:
        records: lines that are records. recounted: runs whose figures their scores gave again. digests: runs whose
            data are here and have the digest of the record.
    """

    records: int = 0
    recounted: int = 0
    digests: int = 0


def check_records(
    paths: Sequence[Path],
    registry: Registry,
    data: Mapping[str, Path] | None = None,
    signers: Sequence[str] = (),
) -> tuple[list[Finding], Checked]:
    """Check every record of files.

    Args:
        paths: files of JSON Lines, or folders with `records.jsonl`; scores are looked for below the file's folder.
        data: data set → its files, where they are neither generated, fetched nor under `LOGBENCH_DATA`.
        signers: public keys or fingerprints of the maintainers who may sign records of sealed parts.

    Raises:
        DataError: a file cannot be read.
    """
    known, done, found = _Known(registry, data or {}), Checked(), list[Finding]()
    for path in dict.fromkeys(paths):
        file = path / records.FILE if path.is_dir() else path
        for number, line in _lines(file):
            place = f"{file}:{number}"
            record, fault = _parsed(line)
            if fault:
                found.append(Finding(place, "", fault))
                continue
            done.records += 1
            run = str(record.get("run_id", ""))
            if refusal := refusal_of(record):
                found.append(Finding(place, run, refusal.removesuffix("; run again")))
                continue
            said = list(_of_signature(record, signers)) if record.get("sealed") else []
            vouched = bool(signers and record.get("sealed") and not said)
            sound = cast("Record", upgraded(record))
            said += _of_record(sound, file.parent, place, known, done, vouched)
            found += [Finding(place, run, *one) for one in said]
    return found, done


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not empty, with their numbers."""
    try:
        with open_regular(file) as opened:
            yield from ((number, line) for number, line in enumerate(opened, 1) if line.strip())
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from None


def _parsed(line: bytes) -> tuple[dict[str, Any], str]:
    """The object of a line, or why it is none."""
    try:
        made = json.loads(line)
    except (ValueError, RecursionError):
        return {}, "no JSON"
    return (made, "") if isinstance(made, dict) else ({}, "no record, which is a JSON object")


def _of_record(
    record: Record, folder: Path, place: str, known: _Known, done: Checked, vouched: bool
) -> Iterator[tuple[str, bool]]:
    if fault := known.repeated(record, place):
        yield fault, True
    yield from _of_protocol(record)
    if record["status"] != "ok":
        return
    fault, is_fault = known.data_fault(record)
    if fault:
        yield fault, is_fault
    else:
        done.digests += 1
    if record["sealed"] and not _has_scores(record, folder):
        if vouched:
            yield "its figures cannot be computed again: the maintainer keeps its scores", False
        else:  # anybody can make a key and sign any figures
            yield "its figures cannot be computed again, and no key of --signer vouches for them", True
        return
    told = list(recounted(record, folder, known.registry))
    done.recounted += not told
    yield from told


def _has_scores(record: Record, folder: Path) -> bool:
    try:
        return path_below(folder, record["artifacts"].get("scores", "")).is_file()
    except DataError:  # it names none, or one of another folder
        return False


def _of_signature(record: Mapping[str, Any], signers: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Whether a record of a sealed part is as a maintainer signed it."""
    try:
        if fault := signature_fault(record, signers):
            yield fault, True
        elif not signers:
            yield (
                f"signed by {record['sealed']['fingerprint']}: whether a maintainer's, --signer would tell",
                False,
            )
    except DataError as error:
        yield f"its signature is not checked: {error}", False


def _of_protocol(record: Record) -> Iterator[tuple[str, bool]]:
    """Fields that no protocol has, and a hash that is not that of the fields; older records lack some fields."""
    given, names = record["protocol"], {*fields_of(EvaluationProtocol), "hash"}
    if unknown := sorted(set(given) - names):
        yield f"protocol.{unknown[0]:.40} is no field of a protocol", True
    elif lacking := sorted(names - set(given)):
        yield f"protocol.hash not checked: the record has no protocol.{lacking[0]}", False
    elif (right := EvaluationProtocol.of(given).digest) != given["hash"]:
        yield f"protocol.hash is {given['hash']!r:.40}, its fields give {right}", True


class _Known:
    """What was seen of other records, and the digests of data that are here."""

    def __init__(self, registry: Registry, data: Mapping[str, Path]) -> None:
        self.registry = registry
        self._data = data
        self._runs: dict[str, str] = {}
        self._digests: dict[str, tuple[str, str]] = {}

    def repeated(self, record: Record, place: str) -> str:
        """Where the same run stands already, under its name or another; empty if nowhere."""
        protocol = record["protocol"]
        what = [record["started"], record["model"], record["seed"], record["config"], record["dataset"], protocol]
        names = [record["run_id"]]
        if record["status"] == "ok":
            names.append(json.dumps([what, record["metrics"]], sort_keys=True, default=str))
        first = next((self._runs[name] for name in names if name in self._runs), "")
        for name in names:
            self._runs.setdefault(name, place)
        return f"the same run as {first}" if first else ""

    def data_fault(self, record: Record) -> tuple[str, bool]:
        """Why the digest of the data is wrong, or, with False, cannot be checked; an empty text if it is right."""
        name, config = record["dataset"]["name"], record["config"].get("dataset", {})
        key = json.dumps([name, config], sort_keys=True, default=str)
        if key not in self._digests:
            self._digests[key] = self._digest(name, config)
        digest, why = self._digests[key]
        if not digest:
            return f"digest of the data not checked: {why}", False
        given = (record["sealed"] or record["dataset"]).get("digest")  # of the raw files before they were sealed
        if given == digest:
            return "", True
        return f"dataset.digest is {given!r:.80}, the data of {name} here have {digest}", True

    def _digest(self, name: str, config: Mapping[str, Any]) -> tuple[str, str]:
        """The digest of data that are here; or why there is none."""
        try:
            part = configured(stored_dataset(name, config, self.registry), config)
            path = self._data.get(name)
            made = part.entry.item.card.simulated
            found = locate(part, path, self.registry, silent, may_fetch=made)
            if found is None or not found.path.exists():
                return "", f"{name} is not here; give --data {name}=PATH"
            opened = open_data(part.build(), name, found.path)
            return opened.digest or digest_of(opened.files, found.path), ""
        except LogbenchError as error:
            return "", str(error)
