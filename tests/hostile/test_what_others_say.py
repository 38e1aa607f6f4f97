"""Logs, labels, files and plugins that would steer a terminal, a document or a spreadsheet: shown as text."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import os
import random
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any, get_args

import pytest
from hostile_tries import tries
from made_records import made
from markdown_it import MarkdownIt

from logbench import ConfigError, escaped
from logbench.base.escapes import Form, json_text
from logbench.base.progress_bars import Bars
from logbench.base.terminal import FALLBACK, Shown
from logbench_reporters.flat import Flat
from logbench_reporters.table import Table

PIECES = (
    "\x1b[2J", "\x1b]0;owned\x07", "\x1b]8;;http://x.y/\x1b\\", "\x9b31m", "\x90q", "\u202e", "\u2066", "\u200f",
    "\r", "\x00", "\x7f", "\ufeff", "\U000e0041", "\u2028", "\x85", "\n", "\t", "=cmd|' /C calc'!A0", "+1", "-1+2",
    "@SUM(1)", "|", "`", "**", "__", "[x](http://x.y)", "![](x)", "<b>", "</td>", "<script>", "&lt;", "&#x41;",
    "~~", "$x$", "#1", "\\", "\\\\", "\\end{tabular}", "\\input{x}", "^^M", "%", "{", "}", '"', "'", "www.x.y",
    "http://x.y", "- ", "1. ", "---", "===", "    ", "é", "中", "😀", "a", "B", "0", " ",
)  # fmt: skip


def evil(rng: random.Random) -> str:
    return "".join(rng.choices(PIECES, k=rng.randrange(1, 9)))


def steers(text: str) -> list[str]:
    """Signs of a text that move, hide or turn what a terminal shows, by Unicode's own tables."""
    text = text.replace("\r\n", "\n")
    turns = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return [
        hex(ord(sign))
        for sign in text
        if (unicodedata.category(sign) in ("Cc", "Zl", "Zp") and sign not in "\n\t")
        or unicodedata.bidirectional(sign) in turns
        or sign in "\u200e\u200f\u061c\ufeff"
    ]


def one_line(text: str) -> str:
    return escaped(" ".join(text.split()), "terminal")


def from_html(text: str) -> str:
    read: list[str] = []
    parser = html.parser.HTMLParser(convert_charrefs=True)
    parser.handle_data = read.append  # type: ignore[method-assign]
    parser.handle_starttag = lambda tag, _: read.append(f"TAG {tag}")  # type: ignore[method-assign]
    parser.feed(f"<td>{text}</td>")
    parser.close()
    assert read.pop(0) == "TAG td"
    return "".join(read)


def from_markdown(text: str) -> str:
    """What a page shows: one paragraph of text alone, also where it is a cell of a table."""
    page = MarkdownIt("commonmark").enable("table")
    for tokens in (page.parse(text), page.parse(f"|{text}|b|\n|-|-|\n|x|{text}|\n")[6:]):
        inline = [child for token in tokens for child in token.children or ()]
        assert {child.type for child in inline} <= {"text", "text_special"}, (text, inline)
    (cell, _) = [token for token in page.parse(f"|a|b|\n|-|-|\n|{text}|y|\n") if token.type == "inline"][2:]
    assert all(one.type in ("paragraph_open", "inline", "paragraph_close") for one in page.parse(text))
    return "".join(child.content for child in cell.children or ())


COMMANDS = {
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">",
    "textbar": "|", "textquotedbl": '"', "textasciigrave": "`",
}  # fmt: skip


def from_latex(text: str) -> str:
    """What LaTeX prints, by its own commands alone; any other mark of its is a fault."""
    shown, at = "", 0
    while at < len(text):
        if named := re.compile(r"\\([a-z]+)\{\}").match(text, at):
            shown, at = shown + COMMANDS[named[1]], named.end()
        elif text[at] == "\\":
            assert text[at + 1] in "&%$#_{}", text
            shown, at = shown + text[at + 1], at + 2
        else:
            assert text[at] not in '&%$#_{}~^<>|"`\n', text
            shown, at = shown + text[at], at + 1
    return shown


def from_csv(text: str) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([text])
    ((cell,),) = csv.reader(io.StringIO(written.getvalue(), newline=""))
    return cell.removeprefix("'") if cell[:1] == "'" else cell


def test_every_format_shows_the_text_and_nothing_else() -> None:
    for rng in tries(400):
        text = evil(rng)
        line = one_line(text)
        shown = {form: escaped(text, form) for form in get_args(Form)}
        assert not any(map(steers, shown.values())), text
        assert from_html(shown["html"]) == line
        assert from_markdown(shown["markdown"]) == line
        assert from_latex(shown["latex"]) == line
        assert from_csv(shown["csv"]) in (escaped(text, "terminal"), escaped(text.removeprefix("'"), "terminal"))
        assert shown["csv"][:1] not in ("=", "+", "-", "@", "\t", "\n") or float(shown["csv"]) is not None
        assert not re.search(r'["<>\n]', shown["mermaid"]) and "\n" not in shown["dot"]
        assert not re.search(r'(?<!\\)(?:\\\\)*"', shown["dot"]), "an odd number of backslashes before each quote"
        assert json.loads(json_text({text: text})) == {text: text} and not steers(json_text([text]))


def test_numbers_in_a_table_stay_numbers() -> None:
    assert [escaped(text, "csv") for text in ("-1.5", "-inf", "+3", "1e9", "-")] == [
        "-1.5",
        "-inf",
        "+3",
        "1e9",
        "'-",
    ]
    assert [escaped(text, "markdown") for text in ("-1.5", "0.9 ±.1", "−∞")] == ["-1.5", "0.9 ±.1", "−∞"]


def named(name: str, why: str) -> list[dict[str, Any]]:
    """Records of a run that was through and of one that was not, called so."""
    facts = {"name": name, "unit": "session", "digest": name, "simulated": False}
    metrics = {"session": {"all": {"f1": 0.5}, "distinct": {"f1": 0.5}}}
    protocol = {"content": "normal", "min_events": 2, "unseen": "target", "hash": "h"}
    shared: dict[str, Any] = {"dataset": facts, "protocol": protocol, "preset": name}
    good = made("a", model=name, metrics=metrics, status="ok", **shared).as_dict()
    bad = made("b", model=f"{name}2", status="error", **shared).as_dict()
    return [good, {**bad, "error": {"stage": "fit", "type": "X", "message": why}}]


@pytest.mark.parametrize("form", ["simple", "github", "latex_booktabs", "latex", "html", "pipe"])
def test_tables_keep_their_shape_whatever_names_say(form: str) -> None:
    comment = "% " if form == "latex_booktabs" else ""
    plain = Table(form, comment=comment).report(named("plain", "no luck"))
    for rng in tries(10):
        name = evil(rng).replace(" ", "") or "x"
        text = Table(form, comment=comment).report(named(name, evil(rng)))
        if form == "simple":
            continue
        assert len(text.splitlines()) == len(plain.splitlines()), name
        marks = {"html": "<t", "github": "\n|", "pipe": "\n|"}.get(form, " \\\\\n")
        uncommented = [re.sub("^%.*", "", one, flags=re.M).count(marks) for one in (text, plain)]
        assert uncommented[0] == uncommented[1], name
        assert not (form == "html" and re.search(r"<(?!/?t|/?p\b|/?strong)", text)), text
        if comment:
            outside = re.sub(r"\\begin\{tabular\}.*?\\end\{tabular\}", "", text, flags=re.S)
            assert all(line.startswith("%") for line in outside.splitlines() if line)


def test_machines_read_back_what_names_say() -> None:
    for rng in tries(10):
        name = evil(rng).strip() or "x"
        records = named(name, evil(rng))
        assert json.loads(Flat("json").report(records))[0]["name"] == name
        rows = [*csv.reader(io.StringIO(Flat("csv").report(records), newline=""))]
        assert len({len(row) for row in rows}) == 1 and rows[1][1].endswith(escaped(name[-1], "terminal"))
        assert not any(
            cell[:1] in tuple("=+-@") and not re.match(r"[-+][\d.i]", cell) for row in rows for cell in row
        )


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp949", "cp1252"])
def test_a_stream_shows_any_text_in_any_encoding(encoding: str) -> None:
    for rng in tries(50):
        text = evil(rng) + "\udcff±–∞"
        held = io.BytesIO()
        stream = Shown(held, encoding=encoding, errors=FALLBACK, newline="\n")
        assert stream.write(text) == len(text)
        stream.writelines([text])
        stream.flush()
        assert not steers(held.getvalue().decode(encoding))


def test_bars_and_notes_show_what_models_say(monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", Shown(held, encoding="utf-8", errors=FALLBACK))
    said = "\x1b]0;owned\x07[red]x[/red]\u202e"
    with Bars(enabled=True) as bars, bars.stage("fit") as progress:
        progress(1, 1, said)
        bars._bar.refresh()
        bars.note(said)
    sys.stderr.flush()
    shown = held.getvalue().decode()
    assert "owned" in shown and "[red]x[/red]" in shown
    assert "\x1b]0" not in shown and "\x07" not in shown and "\u202e" not in shown


def test_an_error_shows_what_it_quotes() -> None:
    assert str(ConfigError("x\x1b[31m\u202ey\n z")) == "x�[31m�y z"


LOUD = """import sys, numpy
class Loud:
    def fit(self, train, context):
        print('\\x1b]0;owned\\x07out'); sys.stderr.write('\\x9b2Jerr\\n'); context.note('\\u202enote')
        return {}
    def score(self, sessions, context):
        return numpy.zeros(len(sessions))
"""


def test_no_log_and_no_model_steers_a_terminal(tmp_path: Path, own_cache: Path) -> None:
    """Ids, messages, a file's name, a title and prints, in commands as they are typed, on any terminal."""
    say = "".join(piece for piece in PIECES[:12] if not piece.isspace() and "\0" not in piece) + "é中"
    ids = [f"s{number}{say if number % 9 == 0 else ''}" for number in range(60)]
    lines = [f"{name}: step {say} {k}\n" for at, name in enumerate(ids) for k in range(3 + (at % 9 == 0) * 5)]
    file = tmp_path / f"a{say.replace('/', '')[:40]}.log"
    file.write_text("".join(lines), encoding="utf-8", newline="")
    (tmp_path / "my.toml").write_text(
        "files = ['*.log']\npattern = '<Content>'\nmessage = 'Content'\nid = 'message'\nid_pattern = '^(.*?): '\n"
        f"title = {json.dumps(say)}\n",
        encoding="utf-8",
    )
    (tmp_path / "loud.py").write_text(LOUD, encoding="utf-8")
    words = ("--dataset", "my.toml", "--no-baselines", "--set", "protocol.train_units=20")
    for command, encoding, code in (
        (("run", "./loud.py", *words), "ascii", 0),
        (("run", f"no{say}", *words), "cp949", 2),
        (("show", "last", "--json"), "latin-1", 0),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "logbench", *command], cwd=tmp_path, capture_output=True, check=False,
            env={**os.environ, "LOGBENCH_CACHE": str(own_cache), "PYTHONIOENCODING": encoding}, timeout=300,
        )  # fmt: skip
        out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
        assert not steers(out) and not steers(err), command
        assert "Traceback" not in err and done.returncode == code, err
        if command[1] == "./loud.py":
            assert all(word in err for word in ("out", "err", "note")), err
        for line in out.splitlines() if "--json" in command else ():
            assert json.loads(line)["unit"] in [one.replace(PIECES[0], "") for one in ids], "colours are not read"
