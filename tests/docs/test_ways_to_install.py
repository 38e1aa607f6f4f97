"""Ways to install: the image, the recipe of conda and uvx are in step with the project."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
# Distributions that conda calls otherwise.
CONDA = {"torch": "pytorch", "typing-extensions": "typing_extensions"}
PAGES = [ROOT / "README.md", *(ROOT / "docs" / name for name in ("index.md", "tutorial.md"))]


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with what follows them, lines that go on joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines if line)]


def of(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def test_the_image_is_small_runs_as_nobody_special_and_keeps_data_outside() -> None:
    known = {"FROM", "WORKDIR", "COPY", "ARG", "RUN", "LABEL", "ENV", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in instructions()} <= known
    first, last = of("FROM")
    assert first == f"{last} AS build" and last.endswith("-slim") and ":" in last
    assert last.startswith(f"python:{PROJECT['requires-python'].removeprefix('>=')}")
    words = [word for word, _ in instructions()]
    assert of("USER") == ["logbench"] and "RUN" not in words[words.index("USER") :]
    assert json.loads(of("ENTRYPOINT")[0]) == ["logbench"] and json.loads(of("CMD")[0]) == ["--help"]
    environment = dict(one.split("=", 1) for one in of("ENV")[0].split())
    volumes = set(json.loads(of("VOLUME")[0]))
    assert {environment["LOGBENCH_DATA"], environment["LOGBENCH_CACHE"], of("WORKDIR")[-1]} == volumes
    assert environment["PATH"].startswith("/opt/logbench/bin:")
    for run in of("RUN"):
        assert "sudo" not in run and ("pip install" not in run or "--no-cache-dir" in run)
        assert "apt-get" not in run or run.endswith("rm -rf /var/lib/apt/lists/*")
    extras = next(one for one in of("ARG") if one.startswith("EXTRAS=")).partition("=")[2].split(",")
    assert set(extras) <= PROJECT["optional-dependencies"].keys()


def sent_to_the_builder(path: str) -> bool:
    """Whether .dockerignore lets a file through: the last rule that matches it or a folder above it decides."""
    sent, parents = True, [path, *(str(one) for one in Path(path).parents if str(one) != ".")]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            rule = line.removeprefix("!")
            patterns = (rule, rule.removeprefix("**/")) if rule.startswith("**/") else (rule,)
            named = any(
                fnmatch.fnmatch(Path(one).name if rule.startswith("**/") else one, pattern)
                for one in parents
                for pattern in patterns
            )
            sent = line.startswith("!") if named else sent
    return sent


def test_the_builder_gets_what_the_wheel_is_made_of_and_nothing_else() -> None:
    copied = [name for line in of("COPY") if not line.startswith("--from") for name in line.split()[:-1]]
    assert all(sent_to_the_builder(name) and (ROOT / name).exists() for name in copied)
    assert set(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]) <= set(copied)
    assert {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", "hatch_build.py"} <= set(copied)
    assert sent_to_the_builder("plugins/logbench_reporters/cost.py")
    for name in (".git/HEAD", "runs/records.jsonl", "tests/conftest.py", "logbench/__pycache__/a.pyc", ".env"):
        assert not sent_to_the_builder(name), name


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell")
def test_the_commands_of_the_image_install_what_it_runs(tmp_path: Path) -> None:
    """Each RUN of the first stage as it stands, its folders below a temporary one; extras without torch."""
    source, env = tmp_path / "source", {**os.environ, "EXTRAS": "report", "TORCH_INDEX": "https://pypi.org/simple"}
    env.pop("PIP_CONSTRAINT", None)
    source.mkdir()
    for line in (line for line in of("COPY") if not line.startswith("--from")):
        *names, target = line.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source / target)
    stage = instructions()[: next(at for at, (word, _) in enumerate(instructions()) if word == "FROM" and at)]
    extra_index = '--extra-index-url "$TORCH_INDEX" '  # the index of torch alone is not needed without it
    for run in (rest for word, rest in stage if word == "RUN" and not rest.startswith("apt-get")):
        typed = run.replace("/opt/logbench", str(tmp_path / "opt")).replace(extra_index, "")
        done = subprocess.run(
            ["/bin/sh", "-c", typed], cwd=source, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{typed}\n{done.stderr}"
    small = ("--set", "dataset.blocks=600", "--set", "protocol.train_units=200")
    words = [tmp_path / "opt" / "bin" / "logbench", "run", "length", "--dataset", "hdfs-sim", *small]
    env["LOGBENCH_CACHE"] = str(tmp_path / "cache")
    told = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert told.returncode == 0 and "length" in told.stdout, told.stderr


def conda_name(requirement: str) -> str:
    """A requirement of pip as conda writes it."""
    name, _, least = requirement.partition(";")[0].partition(">=")
    name = name.partition("[")[0].strip()
    return f"{CONDA.get(name, name)} >={least.strip()}"


def test_the_recipe_of_conda_is_in_step_with_the_project() -> None:
    text = (ROOT / "packaging" / "conda" / "recipe.yaml").read_text(encoding="utf-8")
    recipe: dict[str, Any] = yaml.safe_load(text)
    assert recipe["context"]["version"] == PROJECT["version"]
    assert recipe["package"]["name"] == PROJECT["name"]
    least = f"python {PROJECT['requires-python']}"
    run = recipe["requirements"]["run"]
    assert run == [least, *map(conda_name, PROJECT["dependencies"])]
    assert recipe["requirements"]["host"] == [
        least,
        "pip",
        *map(conda_name, PYPROJECT["build-system"]["requires"]),
    ]
    extras = PROJECT["optional-dependencies"]
    optional = [one for name in ("deep", "tune", "seal", "report") for one in extras[name]]
    assert recipe["requirements"]["run_constraints"] == [*map(conda_name, optional)]
    assert "noarch" not in recipe["build"] and recipe["requirements"]["build"][0] == '${{ compiler("c") }}'
    assert recipe["build"]["python"]["entry_points"] == [f"{n} = {to}" for n, to in PROJECT["scripts"].items()]
    assert recipe["about"]["summary"] == PROJECT["description"]
    assert recipe["about"]["license"] == PROJECT["license"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_wherever_installing_is_told_uvx_is_named_with_the_name_on_the_index(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert f"uvx --from {PROJECT['name']} logbench" in text
    assert "`logbench` on PyPI is another program" in text
