"""Lines of a log that want to be run: report and leaderboard show them as text, in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hdfs_lines import WriteHdfs

import logbench

pytest.importorskip("playwright.sync_api")
pytest.importorskip("vl_convert")
pytestmark = pytest.mark.slow
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31mred\x1b[2J {{7*7}}"
MESSAGES = [
    text
    for block in range(40)
    for text in (
        f"Receiving block blk_{block} src: /10.0.0.1:4000 dest: /10.0.0.2:50010",
        *([f"Verification succeeded for blk_{block}"] * (9 + block % 3)),
        *([f"{HOSTILE} of blk_{block}"] * (block % 5 == 4)),
    )
]
LABELS = "BlockId,Label\n" + "".join(f"blk_{n},{'Anomaly' if n % 5 == 4 else 'Normal'}\n" for n in range(40))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_lines_are_text(
    browser: Any, write_hdfs: WriteHdfs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    from logbench_reporters.report.page import page
    from logbench_reporters.report.study import studies
    from logbench_reporters.site.board import board
    from logbench_reporters.site.write import write

    axe = pytest.importorskip("axe_core_python.sync_playwright").Axe()
    data = write_hdfs("small", MESSAGES, LABELS)
    named = tmp_path / "<img src=x onerror=alert(3)>"
    shutil.copytree(data, named)
    settings = {"protocol": {"train_units": 12}}
    logbench.run(["ecvc", "new-event"], dataset="hdfs", data=named, settings=settings, out=tmp_path / "runs")
    runs = logbench.StoredRuns(tmp_path / "runs")
    report = tmp_path / "report.html"
    report.write_text(page(studies(runs.records(), runs)[0]), encoding="utf-8")
    write(board([tmp_path / "runs"]), tmp_path / "public", HOSTILE)
    pages = [report, *sorted((tmp_path / "public").rglob("*.html"))]
    context = browser.new_context(viewport={"width": 400, "height": 900}, color_scheme=scheme)
    opened, heard, asked = context.new_page(), list[str](), list[str]()
    opened.on("dialog", lambda dialog: heard.append(dialog.message))
    opened.on("console", lambda message: heard.append(message.text))
    opened.on("pageerror", lambda error: heard.append(str(error)))
    opened.on("request", lambda one: asked.append(one.url))
    for path in pages:
        opened.goto(path.as_uri())
        opened.wait_for_load_state()
        text = opened.locator("body").inner_text()
        assert "\x1b" not in path.read_text(encoding="utf-8") and "49 of" not in text
        assert opened.locator("img").count() == 0
        found = axe.run(opened)["violations"]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == [], path
        if path == report:
            assert "<script>alert(1)</script>" in text and "onerror=alert(2)" in text
        else:
            assert "alert(1)" in text  # the title
    assert heard == [] and {url.partition("#")[0] for url in asked} <= {path.as_uri() for path in pages}
    context.close()
