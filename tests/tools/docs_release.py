"""Add this version of the docs to a folder that is published: python tests/tools/docs_release.py FOLDER.

FOLDER gets the site in a folder named after the version, `versions.json` for the selector of versions in the head
of each page, and an `index.html` that leads to the newest. `LOGBENCH_REPOSITORY`, https://HOST/OWNER/NAME, is what
pages link to, with a link to edit each. Versions that are there already stay.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).parents[2]
LEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>logbench</title>
<meta http-equiv="refresh" content="0; url={0}/"><a href="{0}/">logbench {0}</a></html>
"""


def main(folder: Path) -> None:
    """Build the site and add it to `folder`."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    env = {**os.environ, "LOGBENCH_VERSIONS": "mike"}
    subprocess.run(["zensical", "build", "--strict", "--clean"], cwd=ROOT, env=env, check=True)
    shutil.rmtree(folder / version, ignore_errors=True)
    shutil.copytree(ROOT / "site", folder / version)
    listed(folder)


def listed(folder: Path) -> None:
    """Write which versions there are in `folder`, the newest first, and a page that leads to it."""
    found = sorted((path.parent.name for path in folder.glob("*/objects.inv")), key=Version, reverse=True)
    versions = [{"version": one, "title": one, "aliases": ["latest"] * (one == found[0])} for one in found]
    (folder / "versions.json").write_text(json.dumps(versions, indent=1) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(LEAD.format(found[0]), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
