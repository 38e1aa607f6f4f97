"""Write below each command of README and docs what it prints: python tests/tools/docs_outputs.py [PAGE…].

The rules, so that a page shows what a reader sees, and a test can hold it:

- Commands are typed in order, at 80 columns. Shown is standard output, or standard error where that is empty.
- Of an output of more than `LINES` lines (of several commands `FEW` each) the first are shown, and how many more
  there are. `<!-- output: 40 -->` above an output shows up to 40 lines of each command.
- `<!-- output: 6 folded -->` folds an output behind a line to click.
- Tables of cost are left out, unless the mark says `<!-- output: 40 with cost -->`: they are of one machine.
- Lines are cut at 100 letters. Control characters are made visible. The page's folder is `/home/you/trial`.
- An output is up to date where nothing differs but times, memory, dates, ids of runs, and the spaces around them.
- Of pip the last line is shown.
- Networks end at slightly other weights on another processor: figures of commands that name one are not compared.
- Commands on data that are fetched (`FETCHED`) run on a stand-in, so their output is not shown.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from snippets import DEEP, PAGES, ROOT, Block, Typed, blocks_of, run_page
from stand_in import stand_in

LINES, FEW, WIDE = 24, 10, 100
FOLD, FOLD_END = "\n\n<details markdown><summary>What it prints</summary>", "\n\n</details>"
HOME = "/home/you/trial"
FETCHED = re.compile(r"--(?:dataset|source|target) hdfs(?![\w-])")
AGAIN = "to write it anew: python tests/tools/docs_outputs.py"
# What is never the same twice, and what stands for it where outputs are compared.
VOLATILE = (
    # Columns that a table leaves out, for they are as wide as the times beside them.
    (re.compile(r"^left out: .*(?:\n  .*)*\n?", re.M), ""),
    (re.compile(r"\d{8}-\d{6}-[\w.+-]*?-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"), "TIME"),
    (re.compile(r"\b[\d.,]+ ?(?:ms|s|min|h|kB|MB|GB|MiB|GiB|B)\b"), "AMOUNT"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "DIGEST"),
    (re.compile(r"/tmp/tmp\w+"), "TEMPORARY"),
    # The memo of digests holds paths and clock times.
    (re.compile(r"^(digests\.json +digests\.json +)\d+$", re.M), r"\1BYTES"),
    (re.compile(r"… \d+ more lines|to see all: \d+ columns"), "…"),
    (re.compile(r"-{3,}"), "---"),
    (re.compile(r"[^\S\n]+"), " "),
)
# Headings of columns of times and memory, and the line below headings.
MEASURED = re.compile(r"\b(?:s|ms|MB|time s|units/s|seconds|memory|peak)\b")
BELOW_HEADS = re.compile(r"-+(?:  -+)+")
COST = re.compile(r"^cost on .*?\n\n.*?(?=\n\n|\Z)(?:\n\nPareto front.*?(?=\n\n|\Z))?", re.M | re.S)


def steady(text: str, figures: bool = True) -> str:
    """An output without what differs from run to run; without `figures` no number is left."""
    text = COST.sub(lambda found: re.sub(r"[\d.,]+|Pareto.*", "#", found[0], flags=re.S), text)
    text = "\n".join(_unmeasured(text.split("\n")))
    for pattern, stands in VOLATILE:
        text = pattern.sub(stands, text)
    text = text if figures else re.sub(r"[-+]?\d[\d.,]*", "#", text)
    return "\n".join(line.strip() for line in text.strip().split("\n"))


def _unmeasured(lines: Sequence[str]) -> list[str]:
    """Lines of tables without columns of times and memory: their width decides whether they are shown."""
    kept, spans = list(lines), list[tuple[int, int]]()
    for number, line in enumerate(lines):
        if BELOW_HEADS.fullmatch(line) and not spans:
            heads = [at for at in range(max(0, number - 2), number) if lines[at]]
            columns = [found.span() for found in re.finditer("-+", line)]
            spans = [
                (a, b) for a, b in columns if MEASURED.search(" ".join(lines[at][a:b].strip() for at in heads))
            ]
            for at in heads:
                kept[at] = _without(lines[at], spans)
        elif not line:
            spans = []
        kept[number] = _without(line, spans)
    return kept


def _without(row: str, spans: Sequence[tuple[int, int]]) -> str:
    """A row without the cells in these columns; a line that is no row as it is."""
    if any(row[max(0, begin - 2) : begin].strip() for begin, _ in spans):
        return row
    letters = list(row)
    for begin, end in reversed(spans):
        letters[begin:end] = ""
    return "".join(letters)


def updated(text: str, ran: Sequence[Typed], folder: Path) -> str:
    """A page's text with the outputs of its commands; what says the same as before stays as it was.

    Args:
        ran: what was typed, in the order of the page. folder: where.
    """
    printed = {block: list(of) for block, of in groupby(ran, key=lambda one: one.block)}
    parts, at, before = [], 0, None
    said = list(blocks_of(text))
    for block, after in zip_longest(said, said[1:]):
        if block in printed:
            old = after if after and after.mark == "output" else None
            parts += [text[at : block.end], _below(printed[block], old, folder)]
            at = old.end if old else block.end
            at += len(FOLD_END) if text.startswith(FOLD_END, at) else 0
        elif block.mark == "output" and before not in printed:
            parts.append(text[at : block.begin].rstrip("\n"))
            at = block.end
        before = block
    return "".join([*parts, text[at:]])


def _below(ran: Sequence[Typed], old: Block | None, folder: Path) -> str:
    """What stands below a block: its output, or nothing."""
    mark = old.value if old else ""
    new = shown(ran, mark, folder)
    exact = not any(DEEP.search(one.command) for one in ran)
    if old and steady(old.text, exact) == steady(new, exact):
        new = old.text
    if not new.strip():
        return ""
    below = f"\n\n<!-- output{f': {mark}' * bool(mark)} -->\n{fenced(new)}"
    return f"{FOLD}{below}{FOLD_END}" if "folded" in mark else below


def shown(ran: Sequence[Typed], mark: str, folder: Path) -> str:
    """The output of a block's commands, shortened as the module says."""
    most = int(found[0]) if (found := re.findall(r"\d+", mark)) else LINES if len(ran) == 1 else FEW
    texts = [(one.command, _said(one)) for one in ran]
    cut = [(command, "\n".join(_short(_clean(text, mark, folder), most))) for command, text in texts]
    if len(ran) == 1 or not any(text for _, text in cut):
        return f"{cut[0][1]}\n" if cut[0][1] else ""
    return "\n\n".join(f"$ {_told(command)}\n{text}".rstrip() for command, text in cut if text) + "\n"


def _said(one: Typed) -> str:
    if FETCHED.search(one.command):
        return ""
    return one.output.strip().rpartition("\n")[2] if one.command.startswith("pip ") else one.output


def _told(command: str) -> str:
    return command.partition("  #")[0].rstrip()


def _clean(text: str, mark: str, folder: Path) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", text.replace(str(folder), HOME).replace(str(ROOT), "/home/you/logbench"))
    text = "".join(chr(0x2400 + ord(one)) if one < " " and one not in "\n\t" else one for one in text)
    return (text if "cost" in mark else re.sub(r"\n{3,}", "\n\n", COST.sub("", text))).strip("\n")


def _short(text: str, most: int) -> Iterator[str]:
    lines = [line.rstrip() for line in text.split("\n")] if text else []
    for line in lines if len(lines) <= most + 1 else lines[:most]:
        yield line if len(line) <= WIDE else f"{line[: WIDE - 1]}…"
    if len(lines) > most + 1:
        yield f"… {len(lines) - most} more lines"


def fenced(text: str) -> str:
    """A block of code that holds any text: no markup in it acts, no fence ends it.

    Examples:
        >>> print(fenced("a\\n"))
        ```text
        a
        ```
    """
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}text\n{text}{fence}"


def main(names: Sequence[str]) -> None:
    """Type the commands of the pages, and write what they print into them; a page that fails is named."""
    with tempfile.TemporaryDirectory() as temporary:
        data = stand_in(Path(temporary) / "data")
        os.environ["LOGBENCH_CACHE"] = str(data / "cache")
        for page in [Path(name).resolve() for name in names] or PAGES:
            folder = Path(temporary) / page.relative_to(ROOT).with_suffix("") / "trial"
            folder.mkdir(parents=True)
            old = page.read_text(encoding="utf-8")
            try:
                new = updated(old, run_page(page, folder, data), folder)
            except AssertionError as error:
                print(f"{page.relative_to(ROOT)}: {error}", flush=True)
                continue
            page.write_text(new, encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: {'as it was' if old == new else 'written'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
