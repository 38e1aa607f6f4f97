"""Draw the pictures of the docs from runs on simulated data: python tests/tools/docs_pictures.py [NAME…].

Pages are photographed in Chromium (`pip install playwright pillow`, `apt install chromium`; or `CHROMIUM`).
Terminals are what a command prints into a terminal of 80 columns, colours included, as SVG.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from io import BytesIO, StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from terminal_reader import written

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SMALL = "--set dataset.blocks=3000 --set protocol.train_units=800"
MODELS = "pca,ecvc,markov,isolation-forest,log-clustering,new-event,2-gram"
# Runs that the pictures show, in this order.
RUNS = (
    f"logbench leaderboard --dataset hdfs-sim {SMALL} --models {MODELS} --set protocol.short=miss",
    f"logbench leaderboard --dataset hdfs-sim {SMALL} --models {MODELS} --set protocol.short=drop",
    f"logbench leaderboard --dataset hdfs-sim {SMALL} --models {MODELS}",
    "logbench report --out report.html",
    "logbench site runs --out public",
)
# Few colours make a small file.
COLOURS = 128
# A page, what is clicked or scrolled to, and its size.
PAGES = {
    "report": ("report.html", "", (1200, 800)),
    "report-examples": ("report.html", "#examples", (1200, 760)),
    "site": ("public/index.html", "", (1200, 760)),
}
TERMINALS = {
    "terminal-run": f"logbench run pca ecvc --dataset hdfs-sim {SMALL}",
    "terminal-show": "logbench show last --missed --top 2",
}


def typed(command: str, folder: Path) -> str:
    """What a command prints into a terminal of 80 columns, with its colours; not what goes to standard error."""
    here, there = pty.openpty()
    env = {**os.environ, "COLUMNS": "80", "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    program = subprocess.Popen(
        shlex.split(command), cwd=folder, env=env, stdout=there, stderr=subprocess.DEVNULL, stdin=there
    )
    os.close(there)
    text = b"".join(written(here))
    os.close(here)
    if program.wait():
        raise SystemExit(f"{command}: exit {program.returncode}")
    return text.decode().replace("\r\n", "\n")


def drawn(text: str, command: str) -> str:
    """A terminal with `text` as SVG that loads nothing."""
    console = Console(record=True, width=80, file=StringIO(), color_system="truecolor", legacy_windows=False)
    console.print(Text.assemble(("$ ", "bold green"), command, "\n"), Text.from_ansi(text.rstrip()), sep="")
    svg = console.export_svg(title="logbench", unique_id="terminal")
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.S).replace("Fira Code", "monospace")


def photographed(names: Sequence[str], folder: Path) -> None:
    """Pictures of pages, in light colours."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        for name in names:
            page, part, (width, height) = PAGES[name]
            tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            tab.goto(f"{(folder / page).as_uri()}{part}")
            tab.wait_for_timeout(1500)  # figures draw themselves
            picture = Image.open(BytesIO(tab.screenshot())).convert("RGB")
            picture.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)
        browser.close()


def main(names: Sequence[str]) -> None:
    """Draw the pictures of these names, or all."""
    wanted = names or [*PAGES, *TERMINALS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for command in RUNS:
            subprocess.run(shlex.split(command), cwd=folder, check=True, stdout=subprocess.DEVNULL)
        photographed([name for name in PAGES if name in wanted], folder)
        for name, command in TERMINALS.items():
            if name in wanted:
                (PICTURES / f"{name}.svg").write_text(drawn(typed(command, folder), command), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
