"""`logbench check-records`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..base.escapes import printable
from . import State, pass_state
from .apart import apart
from .shared_options import json_option, note, say_json


@click.command("check-records", epilog="Example: logbench check-records submissions/*/records.jsonl")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE…")
@click.option(
    "--data", "places", multiple=True, metavar="NAME=PATH",
    help="Files of a data set, to check its digest (repeatable); by default what is cached or in LOGBENCH_DATA.",
)  # fmt: skip
@click.option(
    "--signer", "signers", multiple=True, metavar="KEY",
    help="Public key or fingerprint of a maintainer who may sign records of sealed parts (repeatable).",
)  # fmt: skip
@json_option
@pass_state
@apart
def command(state: State, files: tuple[Path, ...], places: tuple[str, ...], signers: tuple[str, ...],
            as_json: bool) -> int:  # fmt: skip
    """Check records of others. Schema, data, figures computed again from scores, duplicates. Exit 1 at a fault.

    FILE is a file of JSON Lines, or a folder with records.jsonl; the scores of each run must lie beside it. A
    fault is one line. Thresholds, verdicts and metrics are computed again from the scores; names and labels of
    units must have the digest of the split, and the data of the data set here that of the record. What cannot be
    checked is said on standard error. Times and the scores themselves are not checked: run the command of the
    record again.
    """
    from ..studies.check_records import check_records

    found, done = check_records(files, state.registry, _places(places), signers)
    faults = [one for one in found if one.fault]
    for one in found:
        if as_json:
            say_json(asdict(one))
        elif one.fault:
            print(printable(str(one)))
    if not as_json:
        for text in dict.fromkeys(one.text for one in found if not one.fault):
            runs = sum(one.text == text for one in found)
            note(f"{text} ({runs} {'run' if runs == 1 else 'runs'})")
        print(
            f"{done.records} records, {len(faults)} {'fault' if len(faults) == 1 else 'faults'}; figures of "
            f"{done.recounted} computed again, data of {done.digests} here"
        )
    return 1 if faults else 0


def _places(given: tuple[str, ...]) -> dict[str, Path]:
    pairs = [one.partition("=") for one in given]
    for name, sign, path in pairs:
        if not (name and sign and path):
            raise click.UsageError(f"--data {name}{sign}{path}: give NAME=PATH, such as hdfs=HDFS_v1.zip")
    return {name: Path(path) for name, _, path in pairs}
