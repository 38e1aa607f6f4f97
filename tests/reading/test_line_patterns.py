"""Lines taken apart piece by piece give what captures of the whole regular expression give."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from built_kernel import built_kernel

from logbench import EvaluationProtocol
from logbench.base.kernel import VARIABLE
from logbench.data.line_format import LineFormat, regex_of
from logbench.pipeline.line_split import Cuts
from logbench.reading import byte_streams
from logbench.reading.line_patterns import LinePattern, group_names, matched
from logbench.reading.line_reader import open_lines
from logbench.reading.peeling import peeler
from logbench_datasets.bgl_family import BLUE_GENE, SYSLOG
from logbench_ownlogs.named import named, names

STRANGE = ["\t", "  ", "\u00a0", "\u2028", "\n", "\r", "\v", '"', "\\", "[", "]", ":", "é", "-", " ", "|", "", "1"]
OTHERS = {
    "lazy": (r"^(?P<A>\S+?)(?:-|:)(?P<B>.*) (?P<C>\S+)$", "a-b: c d"),
    "open end": (r"^(?P<A>\S+)\s+(?P<B>\d+)\s+(?P<C>\w+) (?P<D>[^:]*(?::.*)?)", "x 12  yy z: q"),
    "two ways": (r"^(?:(?P<A>\w+) (?P<B>\w+)|(?P<C>\S+)) +(?P<D>.+?)\s*$", "a b  c d "),
    "one of two ways": (r"^<(?:(?P<A>\w+) (?P<B>.*?)x?|(?P<C>[^>]*))> (?P<D>\d)(?P<E>.*)$", "<GET /a x> 2 z"),
    "greedy": (r"^(?P<A>.*) (?P<B>.*)$", "a b c"),
    "greedy in the way": (r"^(?P<A>[\w:]+):(?P<B>.*)$", "a:b:c"),
    "borders": (r"^(?P<A>\w+)\b(?P<B>.*)$", "ab-c"),
    "anywhere": (r"(?P<A>\d+) (?P<B>\w)", "x 12 b"),
    "without case": (r"^(?i:(?P<A>info|warn)) *(?P<B>\x{feff}?.*)$", "Warn x"),
    "sets": (r"^(?P<A>[^]a]+)(?P<B>[\]\[a]*)(?P<C>.*)$", "xy]a b"),
    "pattern": (regex_of(r"<A> <B> - <C> \[<D>@<E>\] - <F>"), "a b - c [d@e] - f g"),
    "maybe": (regex_of(r"<A> <B>( (<C>))?: <D>"), "a b (c): d"),
    "bgl": (
        regex_of(BLUE_GENE),
        "- 1117838570 2005.06.03 R02 2005-06-03-15.42 R02 RAS KERNEL INFO cache parity error",
    ),
    "syslogs": (SYSLOG, "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond[2915]: session closed"),
}
NAMED = {
    f"{name} {number}": (regex, named(name).example.splitlines()[-1])
    for name in names()
    if (form := named(name).values)["format"] == "regex"
    for number, regex in enumerate((form["pattern"], *form.get("more", ())))
}


def damaged(line: str, rng: random.Random) -> str:
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at = rng.randint(0, len(line))
        line = line[:at] + rng.choice(STRANGE) + line[at + rng.choice([0, 0, 1, 3]) :]
    return line


@pytest.mark.parametrize("way", ["pieces", "kernel"])
@pytest.mark.parametrize("what", [*OTHERS, *NAMED])
def test_pieces_give_what_captures_give(what: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "off" if way == "pieces" else str(built_kernel()))
    regex, example = (OTHERS | NAMED)[what]
    rng = random.Random(what)
    lines = pl.Series("raw", [damaged(example, rng) for _ in range(300)])
    every = group_names(regex)
    whole = lines.str.extract_groups(f"(?s)(?P<all_of_it>{regex})").struct.unnest()
    for asked in ([], every, *([name] for name in every), rng.sample(every, len(every) // 2)):
        found, fits = LinePattern.of(regex, asked)(lines)
        assert fits.equals(whole["all_of_it"].is_not_null(), null_equal=False)
        for name in asked:
            assert found[name].equals(whole[name]), name


def test_most_lines_need_no_captures() -> None:
    for regex, example in (
        OTHERS["bgl"],
        OTHERS["syslogs"],
        NAMED["access 0"],
        NAMED["log4j 0"],
        NAMED["syslog 0"],
    ):
        asked = [
            name for name in group_names(regex) if name in ("Label", "Timestamp", "Time", "Content", "Status")
        ]
        pieces = peeler(regex, asked)
        assert pieces is not None
        found, wrong = pieces(pl.Series([example] * 3))
        assert not wrong.any()
        assert len(found) == len(asked)


def test_what_looks_around_is_left_to_captures() -> None:
    for regex in (r"^a\b(?P<B>.*)$", r"(?P<B>a)", r"^(?m)(?P<B>a)$", r"^a(?P<B>.)|b", r"^(?P<B>a$)"):
        assert peeler(regex, ["B"]) is None


def test_a_cut_by_time_takes_no_line_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.log").write_text("".join(f"INFO {i}\n" for i in range(100)))
    lines = open_lines(tmp_path, ["a.log"], LineFormat(pattern="<Level> <Content>", level="Level"))
    monkeypatch.setattr(LinePattern, "__call__", lambda *_: pytest.fail("a line was taken apart"))
    assert Cuts.of(lines, EvaluationProtocol(train="ratio")).total == 100


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", "\n\r"])
def test_lines_are_counted_as_they_are_read(tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_streams, "CHUNK", 16)
    (tmp_path / "a.log").write_bytes(b"INFO \xff x\n\n\r\nWARN y\rz\n" * 9 + f"x{end}".encode())
    (tmp_path / "b.log").write_bytes(end.encode())
    frame = open_lines(tmp_path, ["*.log"], LineFormat(pattern="<Level> <Content>", level="Level")).frame
    assert frame.select("line").collect().equals(frame.collect().select("line"))


@pytest.mark.parametrize("way", ["off", "kernel"])
def test_a_log_of_a_later_form_alone_is_taken_apart_as_among_others(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(built_kernel()) if way == "kernel" else "off")
    forms = (r"^a(?P<A>\d+)(?P<B>x?)$", r"^b(?P<B>\d+)(?P<C>y?)$", r"^c(?P<A>\d+)(?P<C>z)?$")
    lines = [["a1x", "a2"], ["b3", "b4y"], ["c5z", "c6"], ["none", "d"]]
    patterns = [LinePattern.of(form, "ABC") for form in forms]
    whole, fits = matched(patterns, pl.Series([line for some in lines for line in some]))
    for number, some in enumerate(lines):
        alone, also = matched(patterns, pl.Series(some))
        part = whole.slice(2 * number, 2)
        assert all(
            part[name].equals(alone[name]) if name in alone else part[name].is_null().all() for name in "ABC"
        )
        assert also.to_list() == fits.slice(2 * number, 2).to_list()
    assert whole["A"].to_list() == ["1", "2", None, None, "5", "6", None, None]
    assert whole["C"].to_list() == [None, None, "", "y", "z", None, None, None]
