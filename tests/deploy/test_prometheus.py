"""Figures in Prometheus' text format, by its rules for names, and never half written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logbench.base.errors import DataError
from logbench.deploy.prometheus import METRICS, text_of, write_text

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{model="((?:[^"\\\n]|\\\\|\\"|\\n)*)"\} (\S+)')


def test_the_text_reads_back_by_the_rules_of_the_format() -> None:
    odd = 'my "model"\\\n2'
    values = {**{name: float(at) for at, name in enumerate(METRICS)}, "logbench_threshold": float("inf")}
    text = text_of(values, {"model": odd})
    assert text.endswith("\n")
    read, told = {}, dict[str, list[str]]()
    for line in text.splitlines():
        if line.startswith("#"):
            _, what, name, rest = line.split(" ", 3)
            told.setdefault(name, []).append(what if what == "HELP" else rest)
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert (
                found[2].replace(r"\\", "\0").replace(r"\"", '"').replace(r"\n", "\n").replace("\0", "\\") == odd
            )
            assert told[found[1]] in (["HELP", "counter"], ["HELP", "gauge"]), "they stand before the sample, once"
            read[found[1]] = float(found[3].replace("+Inf", "inf"))
    assert read == values


def test_names_follow_the_rules() -> None:
    for name, (kind, _) in METRICS.items():
        assert name.startswith("logbench_")
        assert (kind == "counter") == name.endswith("_total")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "logbench.prom"
    write_text(file, {"logbench_units_total": 5}, {"model": "m"})
    write_text(file, {"logbench_units_total": 6}, {"model": "m"})
    assert file.read_text().splitlines()[-1] == 'logbench_units_total{model="m"} 6'
    assert [one.name for one in tmp_path.iterdir()] == ["logbench.prom"]
    with pytest.raises(DataError, match="cannot be written"):
        write_text(tmp_path / "gone" / "a.prom", {}, {})
