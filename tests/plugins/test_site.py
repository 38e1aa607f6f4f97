"""A leaderboard as pages: figures of records, ranks computed apart, whole links, nothing that leaves or runs."""

from __future__ import annotations

import copy
import html.parser
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any
from xml.etree import ElementTree as Xml

import click.testing
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

import logbench
from logbench_reporters.site.board import Board, Table, board
from logbench_reporters.site.bump import bump, common, described, ranks
from logbench_reporters.site.command import command
from logbench_reporters.site.names import labels_of, slug

MODELS = ["length", "pca", "new-event"]
SMALL = {"dataset": {"blocks": 500}}
PROTOCOLS: list[dict[str, Any]] = [{}, {"short": "drop"}, {"threshold": "oracle"}]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31mred\u202edab {{7*7}} ../../x"
NAMESPACE = {"a": "http://www.w3.org/2005/Atom"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of three models under three protocols."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        for protocol in PROTOCOLS:
            settings = {**SMALL, "protocol": {"train_units": 150, **protocol}}
            logbench.run(MODELS, dataset="hdfs-sim", settings=settings, out=folder)
    return folder


@pytest.fixture(scope="module")
def made(runs: Path) -> Board:
    return board([runs])


@pytest.fixture(scope="module")
def public(made: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("vl_convert")
    from logbench_reporters.site.write import write

    out = tmp_path_factory.mktemp("site") / "public"
    assert write(made, out, "a board") == []
    return out


def records_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]


def store(folder: Path, records: list[dict[str, Any]]) -> Path:
    """Records that were changed, without the sum that would tell so."""
    folder.mkdir(exist_ok=True)
    for record in records:
        record["checksums"] = {}
    (folder / "records.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    return folder


@dataclass
class Seen(html.parser.HTMLParser):
    """A page as a browser reads it: elements with attributes, text, and rows of its tables by the table's id."""

    page: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._table, self._depth, self._cells = "", 0, [""]
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        if tag == "table":
            self._depth += 1
            self._table = given.get("id", self._table)
        if tag == "tr" and self._depth == 1:
            self.rows.setdefault(self._table, []).append({"model": given.get("data-model", ""), **given})
            self._cell = 0
        if tag in {"td", "th"} and self._depth == 1 and self.rows.get(self._table):
            self.rows[self._table][-1][str(self._cell)] = given.get("data-value", "")
            self._cell += 1

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "table"

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> Iterator[dict[str, str]]:
        return (attributes for name, attributes in self.elements if name == tag)


def seen(path: Path) -> Seen:
    return Seen(path.read_text(encoding="utf-8"))


def figures_of(records: list[dict[str, Any]], table: Table) -> dict[str, float]:
    """Mean F1 of each model under a protocol, straight from the records."""
    found: dict[str, list[float]] = {}
    for record in records:
        protocol = record["protocol"]
        if all(protocol[name] == table.fields[name] for name in ("short", "threshold", "duplicates")):
            found.setdefault(record["model"], []).append(record["metrics"]["session"]["all"]["f1"])
    return {model: fmean(values) for model, values in found.items()}


def test_figures_and_ranks_are_those_of_the_records(runs: Path, made: Board, public: Path) -> None:
    records = records_of(runs)
    (data,) = made.data
    page = seen(public / f"data/{data}.html")
    assert len(made.tables) == len(PROTOCOLS)
    for table in made.tables:
        expected = figures_of(records, table)
        places = dict(zip(expected, rankdata([-value for value in expected.values()], "min"), strict=True))
        rows = [row for row in page.rows[f"t-{table.protocol}"] if row["model"]]
        assert sorted(row["model"] for row in rows) == sorted(MODELS)
        values = [float(row["2"]) for row in rows]
        assert values == sorted(values, reverse=True)
        for row in rows:
            assert float(row["2"]) == pytest.approx(expected[row["model"]])
            assert int(row["0"]) == places[row["model"]]


def test_the_index_has_label_free_results_alone(runs: Path, made: Board, public: Path) -> None:
    page, records = seen(public / "index.html"), records_of(runs)
    matrices = {name: rows for name, rows in page.rows.items() if name.startswith("best-")}
    assert len(matrices) == 2
    for table in made.tables:
        rows = [row for row in matrices.get(f"best-{table.protocol}", []) if row["model"]]
        if table.fields["threshold"] == "oracle":
            assert not rows
            continue
        expected = figures_of(records, table)
        assert {row["model"]: float(row["1"]) for row in rows} == pytest.approx(expected)


def test_ranks_by_protocol_are_those_of_scipy(runs: Path, made: Board) -> None:
    records = records_of(runs)
    tables = [table for table in made.tables if table.label_free]
    kept, models = common(tables)
    assert len(kept) == 2 and sorted(models) == sorted(MODELS)
    placed = ranks(kept, models)
    for at, table in enumerate(kept):
        values = figures_of(records, table)
        expected = rankdata([-values[model] for model in models], "average")
        assert [placed[model][at] for model in models] == list(expected)
    figure = bump(tables)
    assert figure is not None and len(figure.data["rows"]) == 2 * len(MODELS)
    for at, end in ((0, "first"), (-1, "last")):
        named = {name: row["rank"] for row in figure.data[end] for name in row["text"].split(", ")}
        assert named == {model: placed[model][at] for model in models}
    assert bump(tables[:1]) is None


def test_a_change_of_ranks_is_said() -> None:
    said = described(["x", "y", "z"], {"a": [1, 1, 3], "b": [2, 2, 1], "c": [3, 3, 2]})
    assert said == "First: a under 2 of 3, b under 1 of 3; a moves most, from rank 1 to 3."


def test_every_link_is_whole_and_stays_within(public: Path) -> None:
    pages = {path: seen(path) for path in public.rglob("*.html")}
    assert len(pages) == 1 + 1 + len(PROTOCOLS) + len(MODELS)
    ids = {path: {one["id"] for _, one in page.elements if "id" in one} for path, page in pages.items()}
    for path, page in pages.items():
        for tag, attributes in page.elements:
            assert tag not in {"iframe", "object", "embed", "base"} and not {"src", "srcset"} & set(attributes)
            assert not any(name.startswith("on") for name in attributes), (path, tag)
            link = attributes.get("href")
            if link is None or link == "data:,":
                continue
            assert not re.match(r"[a-z]+:|/", link), link
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.is_file() and target.is_relative_to(public.resolve()), link
            if anchor and "=" not in anchor:
                assert anchor in ids[target.relative_to(public.resolve()) and target], link
        assert len(ids[path]) == sum("id" in one for _, one in page.elements), f"an id stands twice in {path}"


def test_pages_ask_for_nothing_and_forbid_it(public: Path) -> None:
    for path in public.rglob("*.html"):
        page = seen(path)
        (policy,) = (one["content"] for one in page.of("meta") if one.get("http-equiv"))
        assert "default-src 'none'" in policy and "sha256-" in policy
        assert not re.search(r"script-src[^;]*unsafe", policy)
        style = page.page[page.page.index("<style>") : page.page.index("</style>")]
        assert "url(" not in style and "@import" not in style
    assert (public / ".nojekyll").exists()


def test_each_row_has_its_record_and_scores(runs: Path, public: Path) -> None:
    for record in records_of(runs):
        name = slug(record["run_id"])
        assert json.loads((public / f"records/{name}.json").read_text()) == record
        copied = public / f"scores/{name}.parquet"
        assert copied.read_bytes() == (runs / record["artifacts"]["scores"]).read_bytes()
        assert "score" in pl.read_parquet_schema(copied)
    every = [json.loads(line) for line in (public / "records.jsonl").read_text().splitlines()]
    assert {one["run_id"] for one in every} == {one["run_id"] for one in records_of(runs)}


def test_the_feed_is_atom_with_an_entry_a_row(made: Board, public: Path) -> None:
    root = Xml.fromstring((public / "feed.xml").read_text())
    entries = root.findall("a:entry", NAMESPACE)
    assert len(entries) == len(PROTOCOLS) * len(MODELS)
    ids = [one.findtext("a:id", namespaces=NAMESPACE) for one in entries]
    assert len(set(ids)) == len(ids) and all(one and one.startswith("urn:uuid:") for one in ids)
    for one in entries:
        link = one.find("a:link", NAMESPACE)
        assert link is not None
        name, _, anchor = link.attrib["href"].partition("#")
        assert f'id="{anchor}"' in (public / name).read_text()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", one.findtext("a:updated", "", NAMESPACE))


def test_what_others_say_is_text_and_names_no_other_place(runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.site.write import write

    first = records_of(runs)[0]
    spoiled = copy.deepcopy(first)
    spoiled |= {"run_id": "../../../x", "model": HOSTILE, "command": HOSTILE, "notes": [HOSTILE], "artifacts": {}}
    spoiled["config"]["model"] = {HOSTILE: HOSTILE}
    spoiled["source"] = {"version": HOSTILE, "code": HOSTILE}
    spoiled["started"] = HOSTILE
    failed = copy.deepcopy(first) | {
        "run_id": "<b>", "status": "error", "error": {"stage": "fit", "type": "X", "message": HOSTILE},
        "metrics": {}, "artifacts": {"scores": "../../secret"}, "model": "failed",
    }  # fmt: skip
    named = copy.deepcopy(first) | {"run_id": "n", "artifacts": {}}
    named["dataset"]["name"] = HOSTILE
    found = board([store(tmp_path / "runs", [first, spoiled, failed, named])])
    out = tmp_path / "deep" / "deeper" / "public"
    write(found, out, HOSTILE, scores=False)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "own-cache") == ["deep", "runs"]
    for path in out.rglob("*.html"):
        page = seen(path)
        assert not list(page.of("img")) and len(list(page.of("script"))) == 1, path
        assert "\x1b" not in page.page and "\u202e" not in page.page
        assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "{{7*7}}" in seen(out / f"model/{slug(HOSTILE)}.html").text
    Xml.fromstring((out / "feed.xml").read_text())


def test_data_of_another_digest_are_another_table(runs: Path, tmp_path: Path) -> None:
    first, second = records_of(runs)[:2]
    other = copy.deepcopy(second) | {"run_id": "other"}
    other["dataset"]["digest"] = "f" * 64
    found = board([store(tmp_path / "runs", [first, other])])
    assert len(found.tables) == 2 and len(set(found.titles().values())) == 2


def test_a_run_that_read_nothing_stands_with_those_that_did(runs: Path, tmp_path: Path) -> None:
    first = records_of(runs)[0]
    error = {"stage": "locate", "type": "DataError", "message": "no such file"}
    early = copy.deepcopy(first) | {
        "run_id": "early",
        "model": "pca",
        "status": "error",
        "error": error,
        "metrics": {},
    }
    early["dataset"] = {name: first["dataset"][name] for name in ("name", "unit", "simulated")}
    lost = copy.deepcopy(early) | {"run_id": "lost"}
    lost["dataset"]["name"] = "elsewhere"
    found = board([store(tmp_path / "runs", [first, early, lost])])
    (table,) = found.tables
    assert [entry.rank for entry in table.entries] == [1, None] and table.entries[1].row.failed == 1
    assert [one["run_id"] for one in found.homeless] == ["lost"]


def test_a_row_keeps_its_history(runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.site.write import write

    now = records_of(runs)[0]
    old = copy.deepcopy(now) | {"run_id": "old", "started": "2020-02-02T00:00:00+00:00", "artifacts": {}}
    old["metrics"]["session"]["all"]["f1"] = 0.125
    found = board([store(tmp_path / "runs", [now, old])])
    (entry,) = found.tables[0].entries
    assert entry.value == now["metrics"]["session"]["all"]["f1"], "the newest counts, in whatever order they stand"
    assert [day for day, _ in entry.dates] == ["2020-02-02", now["started"][:10]]
    write(found, tmp_path / "public", "t", scores=False)
    page = seen(tmp_path / "public" / "model" / f"{now['model']}.html")
    assert "2020-02-02" in page.text and "0.125" in page.text and len(list(page.of("polyline"))) == 1


def test_a_supervised_row_is_in_no_label_free_matrix(runs: Path, tmp_path: Path) -> None:
    first, second = records_of(runs)[0], next(one for one in records_of(runs) if one["model"] == "pca")
    second["audit"]["labels"] = "training units"
    (table,) = board([store(tmp_path / "runs", [first, second])]).tables
    assert len(table.entries) == 2 and list(table.best()) == [first["model"]]


def test_the_command_writes_again_what_it_wrote_and_nothing_else(runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    out, runner = tmp_path / "public", click.testing.CliRunner()
    arguments = [str(runs / "records.jsonl"), "--out", str(out), "--url", "https://example.org/board"]
    done = runner.invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0 and "3 models, 1 data set, 3 protocols, 9 runs" in done.output
    assert 'href="https://example.org/board/index.html"' in (out / "feed.xml").read_text()
    (out / "CNAME").write_text("example.org")
    first = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    runner.invoke(command, arguments, catch_exceptions=False)
    assert first == {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    one = store(tmp_path / "one", [records_of(runs)[0]])
    runner.invoke(command, [str(one), "--out", str(out), "--no-scores"], catch_exceptions=False)
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert "1 model, 1 data set, 1 protocol, 1 run." in (out / "index.html").read_text()
    assert "; 1 run<" in (out / "feed.xml").read_text()
    assert "CNAME" in left and not any(name.startswith("scores") for name in left)
    assert len([name for name in left if name.startswith("model")]) == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("mine")
    with pytest.raises(logbench.ConfigError, match=r"index\.html was not written by logbench site"):
        runner.invoke(command, [str(one), "--out", str(tmp_path / "mine")], catch_exceptions=False)
    assert (tmp_path / "mine" / "index.html").read_text() == "mine"


@given(st.lists(st.text(max_size=90), min_size=2, max_size=6, unique=True))
def test_names_of_pages_tell_names_apart_on_every_system(names: list[str]) -> None:
    made = [slug(name) for name in names]
    assert len({one.lower() for one in made}) == len(made)
    assert all(re.fullmatch(r"[a-z0-9_+-]{1,70}", one) for one in made)
    assert not {slug(name) for name in made} & {slug(name) for name in names if slug(name) != name}


def test_labels_name_what_differs() -> None:
    first, second = (
        {"train": "first", "short": "drop", "threshold": "x"},
        {"train": "first", "short": "flag", "threshold": "x"},
    )
    assert labels_of([first, second]) == ["short=drop", "short=flag"]
    assert labels_of([first]) == ["train=first, short=drop, threshold=x"]
