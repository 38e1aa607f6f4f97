"""Bundles of strangers: scored, or refused in one line; no code, no file outside, no memory that is not there."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_bundles import MODELS, Bundles, edited, flipped, mutated, odd_array, sealed
from hostile_tries import ROUNDS, tries

from logbench import DataError
from logbench.base.stored_formats import format_fault, is_pickle
from logbench.running.bundle_checks import checked_facts

# Numbers that no fit gives overflow: for a user that is a warning, and no error.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
FEW = ("markov", "random-forest") if ROUNDS == 1 else MODELS


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundles]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("bundles")
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        yield Bundles(folder)


@pytest.mark.parametrize("model", FEW)
def test_a_bundle_scores_as_it_was_saved(bundles: Bundles, model: str) -> None:
    assert len(bundles.scored(bundles.saved(model))) == 60


@pytest.mark.parametrize("model", FEW[:2])
def test_each_flipped_byte_is_said(bundles: Bundles, model: str, tmp_path: Path) -> None:
    bundle = bundles.copied(model, tmp_path / "b")
    files = sorted(file for file in bundle.rglob("*") if file.is_file())
    assert {file.name for file in files} >= {"bundle.json", "sums.json", "usual_counts.npz"}
    for rng in tries(60):
        file = rng.choice(files)
        before = file.read_bytes()
        flipped(file, rng)
        with pytest.raises(DataError, match=r"damaged|no bundle to read|bundle version") as error:
            checked_facts(bundle)
        assert "\n" not in str(error.value)
        file.write_bytes(before)
    checked_facts(bundle)


def more(folder: Path) -> None:
    (folder / "model" / "more.txt").write_text("x")


def link(folder: Path) -> None:
    (folder / "model" / "more.txt").symlink_to("/etc/hostname")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "model" / "more.txt")


def fewer(folder: Path) -> None:
    (folder / "usual_counts.npz").unlink()


def bare(folder: Path) -> None:
    (folder / "sums.json").unlink()


@pytest.mark.parametrize("change", [more, link, pipe, fewer, bare])
def test_files_are_those_that_were_saved(bundles: Bundles, change: Callable[[Path], None], tmp_path: Path) -> None:
    change(bundle := bundles.copied("markov", tmp_path / "b"))
    assert "the bundle is damaged" in str(bundles.scored(bundle))


def test_a_signature_beside_the_digests_is_no_file_of_the_bundle(bundles: Bundles, tmp_path: Path) -> None:
    bundle = bundles.copied("markov", tmp_path / "b")
    (bundle / "sums.json.sig").write_text("-----BEGIN SSH SIGNATURE-----")
    checked_facts(bundle)
    (bundle / "model" / "sums.json.sig").write_text("x")
    with pytest.raises(DataError, match=r"model/sums.json.sig was not there before"):
        checked_facts(bundle)


def test_an_older_bundle_is_refused_in_a_line_that_says_what_to_do(bundles: Bundles, tmp_path: Path) -> None:
    bundle = edited(bundles.copied("markov", tmp_path / "b"), lambda facts: facts.update(bundle_version=2))
    assert "bundle version 2, this logbench reads 3; save the model anew" in str(bundles.scored(bundle))


@pytest.mark.parametrize("model", FEW)
def test_edited_descriptions_are_scored_or_refused(bundles: Bundles, model: str, tmp_path: Path) -> None:
    text = (bundles.saved(model) / "bundle.json").read_text(encoding="utf-8")
    bundle = bundles.copied(model, tmp_path / "b")
    for rng in tries(12):
        facts = json.loads(text)
        where = [mutated(facts, rng) for _ in range(rng.choice([1, 1, 2]))]
        try:
            bundles.scored(edited(bundle, lambda _, facts=facts: facts))
        except BaseException as error:
            error.add_note(f"{model}: {where}")
            raise


def test_texts_that_are_no_description_are_refused(bundles: Bundles, tmp_path: Path) -> None:
    bundle = bundles.copied("markov", tmp_path / "b")
    text = (bundle / "bundle.json").read_bytes()
    for rng in tries(12):
        made = bytearray(text)
        for _ in range(rng.choice([1, 1, 5, 50])):
            made[rng.randrange(len(made))] = rng.randrange(256)
        (bundle / "bundle.json").write_bytes(made[: rng.choice([len(made), len(made), rng.randrange(len(made))])])
        bundles.scored(sealed(bundle))
    for odd in (b"[" * 200_000, b'{"bundle_version": ' + b"9" * 6000 + b"}", b"null", b"3", b'"x"', b"", b"\xff",
                text.replace(b'"run_id": "', b'"run_id": "\\ud800')):  # fmt: skip
        (bundle / "bundle.json").write_bytes(odd)
        assert isinstance(bundles.scored(sealed(bundle)), str)


@pytest.mark.parametrize("model", FEW)
def test_arrays_that_no_fit_gives_are_scored_or_refused(bundles: Bundles, model: str, tmp_path: Path) -> None:
    bundle = bundles.copied(model, tmp_path / "b")
    kept = {file: file.read_bytes() for file in bundle.rglob("*.npz")}
    assert kept
    for rng in tries(12):
        file = rng.choice(sorted(kept))
        with np.load(io.BytesIO(kept[file])) as saved:
            arrays = dict(saved)
        name = rng.choice(sorted(arrays))
        arrays[name] = odd_array(arrays[name], rng)
        np.savez(file, **arrays)
        try:
            bundles.scored(sealed(bundle))
        except BaseException as error:
            error.add_note(f"{model}: {file.name}: {name} {arrays[name].dtype} {arrays[name].shape}")
            raise
        file.write_bytes(kept[file])


HEADERS = ("{}", "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (-5,)}", "(" * 500,
           "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "{'descr': [('a', '<f8')], 'shape': (2,)}",
           "{'descr': '<f8', 'fortran_order': True, 'shape': (" + "1," * 70 + ")}", "x" * 9000,
           "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': 3}", "__import__('os')")  # fmt: skip


def zipped(headers: dict[str, str], data: bytes, method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, header in headers.items():
            text = header.encode() + b"\n"
            archive.writestr(name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) & 0xFFFF) + text + data)
    return made.getvalue()


@pytest.mark.parametrize("header", HEADERS)
def test_headers_are_read_before_arrays(bundles: Bundles, header: str, tmp_path: Path) -> None:
    bundle = bundles.copied("markov", tmp_path / "b")
    file = bundle / "model" / "state.npz"
    file.write_bytes(zipped({"codes.npy": header}, b"\0" * 16, zipfile.ZIP_STORED))
    assert "the bundle is damaged (model/state.npz: " in str(bundles.scored(sealed(bundle)))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED] + [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA] * (ROUNDS > 1))
def test_a_small_file_does_not_become_large_arrays(
    bundles: Bundles, method: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundles.copied("markov", tmp_path / "b")
    count = 10_000_000
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({count},)}}"
    file = bundle / "model" / "state.npz"
    file.write_bytes(zipped({"codes.npy": header}, b"\0" * 8 * count, method))
    assert file.stat().st_size < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "unpacks to more than" in str(bundles.scored(sealed(bundle)))
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    )  # KiB; the arrays would have 160 MB


@pytest.mark.slow
@pytest.mark.parametrize("place", ["hidden", "embedding", "keys", "layers"])
@pytest.mark.parametrize("value", [10**9, 2**62, -1, 0, "1e9", None])
def test_a_network_is_as_large_as_its_weights(bundles: Bundles, place: str, value: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    bundle = bundles.copied("deeplog", tmp_path / "b")
    file = bundle / "model" / "deeplog.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "input": "embedding", place: value}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "cannot be read" in (said := str(bundles.scored(sealed(bundle)))) or "not a saved deeplog model" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_flipped_bytes_of_members_are_scored_or_refused(bundles: Bundles, tmp_path: Path) -> None:
    bundle = bundles.copied("random-forest", tmp_path / "b")
    file = bundle / "model" / "state.npz"
    before = file.read_bytes()
    for rng in tries(12):
        for _ in range(rng.choice([1, 2, 20])):
            flipped(file, rng)
        bundles.scored(sealed(bundle))
        file.write_bytes(before)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_no_file_of_a_model(tmp_path: Path, protocol: int) -> None:
    for number, value in enumerate(([1, 2], {"a": np.float64(1)}, "text", None, print, zipfile.ZipFile)):
        file = tmp_path / f"{number}.json"
        file.write_bytes(pickle.dumps(value, protocol))
        assert is_pickle(file.read_bytes()) and "pickle" in format_fault(file)
    file = tmp_path / "objects.npz"
    np.savez(file, a=np.array([{}, print], dtype=object))
    assert "neither numbers nor texts" in format_fault(file)


def test_what_is_no_pickle_is_one_of_the_formats(tmp_path: Path) -> None:
    for text in ("", ".", "2.", "0.5", "A sentence ends.\n", '{"a": [1, 2.5, null]}\n', "tree\nversion=v4\n.\n"):
        (tmp_path / "a.txt").write_text(text)
        assert not is_pickle(text.encode()) and format_fault(tmp_path / "a.txt") == ""
    for name, data in (("a.bin", b"\0\1\2"), ("a.gz", b"\x1f\x8b\x08\0"), ("a.safetensors", b"\xff" * 64)):
        (tmp_path / name).write_bytes(data)
        assert format_fault(tmp_path / name)


@pytest.mark.parametrize(
    "pattern", ["../outside/secret.log", "../outside/*", "**/../../outside/*", "{outside}", "/etc/host*"]
)
def test_no_file_outside_of_the_data_is_read(bundles: Bundles, pattern: str, tmp_path: Path) -> None:
    pattern = pattern.format(outside=bundles.outside)

    def change(facts: Any) -> None:
        facts["components"]["dataset"]["config"]["files"] = [pattern]

    bundle = edited(bundles.copied("markov", tmp_path / "b"), change)
    assert "reads files outside of --data" in str(bundles.scored(bundle))


@pytest.mark.parametrize("kind", ["dataset", "parser", "windower", "model"])
@pytest.mark.parametrize("key", ["name", "file"])
def test_code_that_a_bundle_names_is_not_run(bundles: Bundles, kind: str, key: str, tmp_path: Path) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")

    def change(facts: Any) -> None:
        facts["components"][kind][key] = f"{evil}:Model"
        facts["components"][kind]["config"] = {}

    bundle = edited(bundles.copied("markov", tmp_path / "b"), change)
    assert "if you trust that file: --code evil.py" in str(bundles.scored(bundle))
    assert not (tmp_path / "ran").exists()


def test_the_threshold_that_is_shown_is_the_one_that_is_used(bundles: Bundles, tmp_path: Path) -> None:
    bundle = edited(bundles.copied("markov", tmp_path / "b"), lambda facts: facts["threshold"].update(value=-1e9))
    assert "threshold: value -1000000000.0 is not" in str(bundles.scored(bundle))


def test_names_steer_no_terminal_and_advise_no_package(bundles: Bundles, tmp_path: Path) -> None:
    def steer(facts: Any) -> None:
        facts["components"]["model"]["distribution"] = "\x1b]0;owned\x07"

    def lure(facts: Any) -> None:
        facts["components"]["model"].update(name="absent", distribution="lure")

    said = str(bundles.scored(edited(bundles.copied("markov", tmp_path / "a"), steer)))
    assert "signs that cannot be seen" in said and said.isprintable()
    said = str(bundles.scored(edited(bundles.copied("markov", tmp_path / "b"), lure)))
    assert "install it only if you trust it" in said


OPTIONS = [
    ("windower", {"name": "time", "config": {"size": "1d", "stride": "1us"}}, "86,400,000,000 windows"),
    ("windower", {"name": "count", "config": {"size": 10**9, "stride": 1}}, "1,000,000,000 windows"),
    ("windower", {"config": {"pattern": "(.{1000}){1000}"}}, "no regular expression of polars"),
    ("windower", {"name": "session", "config": {"column": "x" * 9000}}, "x…"),
    ("model", {"name": "random*1000000000", "config": {}}, "copies of a model"),
    ("parser", {"config": {"masks": ["x{1000}{1000}{1000}"]}}, "is not a regular expression of polars"),
]


@pytest.mark.parametrize(("kind", "options", "said"), OPTIONS)
def test_options_take_no_memory_for_ever(
    bundles: Bundles, kind: str, options: Any, said: str, tmp_path: Path
) -> None:
    bundle = edited(
        bundles.copied("markov", tmp_path / "b"), lambda facts: facts["components"][kind].update(options)
    )
    assert said in str(bundles.scored(bundle))
