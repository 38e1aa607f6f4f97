"""The compiled kernel codes texts as an independent computation does; without it, why is said."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from built_kernel import ROOT, built_kernel, hook

from logbench.base import kernel as module
from logbench.base.byte_patterns import table
from logbench.base.errors import ConfigError
from logbench.base.kernel import Coded, Kernel, Rules
from logbench.base.kernel_distinct import distinct_rows
from logbench.cli import main, version
from logbench.data.event_buffer import _places as numpy_places

NUMBERS, BLOCK = "[0-9]+(?:[.:][0-9]+)*", "blk_-?[0-9]+"
PIECES = (
    "blk_", "blk_-", "blk_1", "blk_-23", "b", "bl", "_", ": ", ":", " ", "0", "7", "10.0.0.1:80", "1.", ".2",
    "é", "日本", "\x00", "\r", "\n", "\r\n", "\x1e\x1f", "\ufffd", "081109 203530", "word", "a" * 13,
    "9" * 40, "x" * 200,
)  # fmt: skip

RULES = (
    (": ", NUMBERS, "0", BLOCK, 13),
    ("", "[0-9]+", "<num>", "", 0),
    (":", "blk_", "", "[0-9]{2}", 3),
    ("日", "b", "é", "(?:ab?)+", 1),
    ("", "", "", "é", 0),
)


@pytest.fixture(scope="module")
def built() -> Kernel:
    return Kernel(built_kernel())


def expected(
    text: str | None, after: str, shape: str, put: str, id_: str, stamp: int
) -> list[tuple[str | None, ...]]:
    """Rows of id, shape and stamp of a text."""
    whole = text or ""
    message = whole.partition(after)[2] if after and after in whole else whole
    reduced = re.sub(shape, put, message) if shape else message
    ids = list(dict.fromkeys(re.findall(id_, whole))) if id_ else []
    if id_ and not ids:
        return [(None, None, whole[:stamp])]
    return [(one, reduced, whole[:stamp]) for one in ids or [None]]


def rows(coded: Coded, stamp: int) -> list[tuple[int, str | None, str | None, str]]:
    ids, shapes, stamps = (names.series().to_list() for names in (coded.ids, coded.shapes, coded.stamps))
    for names, numbers in ((ids, coded.id), (shapes, coded.shape), *([(stamps, coded.stamp)] if stamp else [])):
        first_seen = list(dict.fromkeys(number for number in numbers.tolist() if number >= 0))
        assert first_seen == list(range(len(names))) and len(set(names)) == len(names)
    columns = (coded.text, coded.id, coded.shape, coded.stamp)
    return [
        (text, *(names[at] if at >= 0 else None for names, at in ((ids, one), (shapes, shape))), time)
        for text, one, shape, at in zip(*(column.tolist() for column in columns), strict=True)
        for time in [stamps[at] if stamp else ""]
    ]


def held(built: Kernel, texts: Sequence[str | None], rules: tuple[str, str, str, str, int]) -> None:
    after, shape, put, id_, stamp = rules
    made = Rules(after, table(shape) if shape else None, put, table(id_) if id_ else None, stamp)
    ends = ("\n", "\r\n")
    lines = "".join((text or "") + ends[at % 2] for at, text in enumerate(texts))
    whole = [line.removesuffix("\r") for line in lines.split("\n")[:-1]]
    for coded, read in (
        (built.code(pl.Series(texts, dtype=pl.String), made), texts),
        (built.code_lines(lines.encode(), made), whole),
        (built.code_lines(f"{lines}blk_1\r".encode(), made), [*whole, "blk_1"]),
    ):
        wanted = [(at, *row) for at, one in enumerate(read) for row in expected(one, *rules)]
        assert rows(coded, stamp) == wanted
        assert coded.texts == len(read)
        assert coded.without == (sum(row[1] is None for row in wanted) if id_ else 0)


@pytest.mark.parametrize("rules", RULES)
def test_it_codes_any_text_as_python_does(built: Kernel, rules: tuple[str, str, str, str, int]) -> None:
    random_ = random.Random(str(rules))
    for _ in range(120):
        texts = [
            None if random_.random() < 0.05 else "".join(random_.choices(PIECES, k=random_.randrange(9)))
            for _ in range(random_.randrange(60))
        ]
        held(built, texts, rules)


def test_many_names_slices_and_chunks(built: Kernel) -> None:
    texts = [
        f"{number % 977} blk_{number % 701} blk_{number % 13}: {'ab' * (number % 17)}{number}"
        for number in range(9000)
    ]
    held(built, texts, (": ", "", "", BLOCK, 5))
    whole = pl.Series(texts)
    chunks = pl.concat([whole[10:5000], whole[7000:7001], whole[:0], whole[8000:]], rechunk=False)
    rules = Rules(": ", None, "", table(BLOCK), 5)
    coded, again = built.code(chunks, rules), built.code(chunks.rechunk(), rules)
    assert chunks.n_chunks() > 1 and rows(coded, 5) == rows(again, 5) and coded.texts == len(chunks)


def test_names_join_those_of_all_in_order(built: Kernel) -> None:
    rules, all_, known = Rules(id=table(BLOCK)), built.names(), []
    for first in range(0, 5000, 700):
        texts = [f"blk_{number * 31 % 977} blk_{number}" for number in range(first, first + 700)]
        coded = built.code(pl.Series(texts), rules)
        names = coded.ids.series().to_list()
        known += [name for name in names if name not in known]
        number = all_.join(coded.ids)
        assert len(all_) == len(known) and [known[at] for at in number] == names
    assert all_.series().to_list() == known and built.names().series().to_list() == []


def test_a_text_of_megabytes(built: Kernel) -> None:
    held(
        built,
        ["7" * (3 << 20), "a7" * (1 << 20), "blk_" * (1 << 19) + "1", "b" * (1 << 20)],
        ("", "[0-9]+", "0", BLOCK, 9),
    )


def test_why_there_is_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "none.library"
    monkeypatch.setattr(module, "LIBRARY", missing)
    monkeypatch.delenv(module.VARIABLE, raising=False)
    assert module.kernel() is None
    assert module.in_use() == "polars (no none.library: no C compiler when logbench was installed)"
    monkeypatch.setenv(module.VARIABLE, "on")
    with pytest.raises(ConfigError, match=r"LOGBENCH_KERNEL=on: no none\.library"):
        module.kernel()
    monkeypatch.setenv(module.VARIABLE, "off")
    assert module.kernel() is None and module.in_use() == "polars (LOGBENCH_KERNEL=off)"
    monkeypatch.setenv(module.VARIABLE, str(tmp_path / "x"))
    with pytest.raises(ConfigError, match=r"/x: no such file"):
        module.kernel()
    monkeypatch.setenv(module.VARIABLE, str(ROOT / "README.md"))
    with pytest.raises(ConfigError, match="README"):
        module.kernel()
    library = built_kernel()
    monkeypatch.setenv(module.VARIABLE, str(library))
    assert module.kernel() is not None and module.in_use() == f"compiled kernel ({library})"


def test_a_library_of_another_source_is_not_taken(built: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "digest", lambda: "another")
    with pytest.raises(OSError, match=r"built from another kernel\.c; install logbench again"):
        Kernel(built.library)


def test_a_build_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_kernel()  # a compiler is there
    assert "failed: " in hook().build(tmp_path / "one", "-Dlogbench_code=1+")
    monkeypatch.setenv("CC", "/nonexistent/cc")
    assert hook().build(tmp_path / "two").startswith("/nonexistent/cc does not run")
    assert not list(tmp_path.iterdir())


def test_it_sorts_events_by_unit_as_numpy_does(built: Kernel) -> None:
    random_ = random.Random(2)
    units = [random_.randrange(9) for _ in range(400)]
    counted = np.bincount(units, minlength=12)
    place, again = (np.cumsum(counted) - counted for _ in range(2))
    for begin in (0, 150, 390):  # in chunks, and one without events
        part = np.array(units[begin : {0: 150, 150: 390, 390: 400}[begin]], dtype=np.int32)
        for events in (part, part[:0]):
            assert built.places(events, place).tolist() == numpy_places(events, again).tolist()
            assert place.tolist() == again.tolist()
    assert place.tolist() == np.cumsum(counted).tolist()


def test_it_numbers_equal_rows_as_a_dict_does(built: Kernel) -> None:
    random_ = random.Random(3)
    for size, values, longest in ((0, 1, 1), (1, 1, 0), (40, 1, 3), (300, 2, 5), (9_000, 3, 9)):
        lengths = [random_.randint(0, longest) for _ in range(size)]
        rows = [tuple(random_.randint(-1, values) for _ in range(length)) for length in lengths]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        keys = np.array([key for row in rows for key in row], dtype=np.int32)
        first, inverse = distinct_rows(built, keys, offsets)
        numbers: dict[tuple[int, ...], int] = {}
        assert inverse.tolist() == [numbers.setdefault(row, len(numbers)) for row in rows]
        assert first.tolist() == [rows.index(row) for row in numbers]
        assert (first.dtype, inverse.dtype) == (np.int64, np.int32)


def test_the_version_says_how_lines_are_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(module.VARIABLE, "off")
    for words in (["--version", "-v"], ["-v", "--version"], ["--version"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        first, *more = capsys.readouterr().out.splitlines()
        assert ended.value.code == 0 and first == f"logbench {version()}"
        assert [line for line in more if "lines" in line] == (
            ["lines are read by polars (LOGBENCH_KERNEL=off)"] if "-v" in words else []
        )
    with pytest.raises(SystemExit, match="2"):
        main(["-v", "list"])
    assert "-v says more of --version: give both" in capsys.readouterr().err


# Texts of which each case of the kernel is met, with every check of memory that the compiler has.
CHECKED = """
import sys
sys.path[:0] = sys.argv[1:]
from pathlib import Path
import test_kernel as tests
import test_kernel_json as json_tests
from logbench.base.kernel import Kernel
built = Kernel(Path(sys.argv[1]))
for rules in tests.RULES:
    tests.test_it_codes_any_text_as_python_does(built, rules)
tests.test_many_names_slices_and_chunks(built)
tests.test_names_join_those_of_all_in_order(built)
tests.test_a_text_of_megabytes(built)
tests.test_it_sorts_events_by_unit_as_numpy_does(built)
tests.test_it_numbers_equal_rows_as_a_dict_does(built)
json_tests.test_texts_are_those_of_json(built)
for line in json_tests.NOT_PLAIN:
    for end in range(len(line) + 1):
        json_tests.JsonPaths(built, json_tests.COLUMNS)(json_tests.pl.Series([line[:end]]))
json_tests.test_other_lines_are_no_objects(built)
json_tests.test_slices_chunks_and_large_texts(built)
json_tests.test_texts_outlive_their_lines(built)
sys.path.insert(1, str(Path(tests.__file__).parents[1] / "reading"))
import test_line_programs as cut_tests
import test_kernel_times as time_tests
for seed in range(3):
    cut_tests.test_random_expressions_find_what_captures_find(built, seed)
cut_tests.test_columns_outlive_their_texts(built)
cut_tests.test_an_expression_that_tries_without_end_is_given_up(built)
for how in (*time_tests.WHOLE, *time_tests.EPOCHS):
    time_tests.times(built, time_tests.texts_of(how), time_tests.layout(how))
import test_kernel_table as table_tests
with table_tests.pytest.MonkeyPatch.context() as patch:
    table_tests.built_kernel = lambda: Path(sys.argv[1])
    for form in table_tests.FORMS:
        table_tests.test_cells_are_those_of_the_expressions(form, patch)
print("checked")
"""


@pytest.mark.slow
def test_no_byte_is_read_or_written_beyond_its_place() -> None:
    library = built_kernel("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    asan = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    folders = [str(library), str(ROOT / "tests" / "base"), str(ROOT / "tests" / "helpers"), *sys.path]
    environment = {**os.environ, "LD_PRELOAD": asan.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        [sys.executable, "-c", CHECKED, *folders], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout == "checked\n", done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["cc", "/nonexistent/cc"])
def test_pip_installs_with_and_without_a_compiler(compiler: str, tmp_path: Path) -> None:
    if compiler == "cc":
        built_kernel()
    venv.create(tmp_path / "venv", with_pip=True, system_site_packages=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {**os.environ, "CC": compiler}
    words = [python, "-m", "pip", "install", "--no-deps", "--quiet", str(ROOT)]
    subprocess.run(words, env=environment, check=True)
    own = [path for path in sys.path if path.endswith("-packages")]
    asked = [python, "-P", "-m", "logbench", "--version", "-v"]
    unset = (module.VARIABLE, "PYTHONPATH")
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    (site,) = (tmp_path / "venv").rglob("site-packages")
    (site / "more.pth").write_text("\n".join(own), encoding="utf-8")
    done = subprocess.run(asked, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()[-1]
    library = site / "logbench" / "base" / "kernel.library"
    assert library.is_file() == (compiler == "cc")
    without = "polars (no kernel.library: no C compiler when logbench was installed)"
    assert said == f"lines are read by {f'compiled kernel ({library})' if compiler == 'cc' else without}"
