"""Logs of all Loghub systems, and some in JSON, by the kernel, by polars and by an older logbench: equal frames?

usage: equal_frames.py LOGHUB_2K [--copies N] [--old CHECKOUT]

LOGHUB_2K is the folder of Loghub's samples of 2,000 lines; each is read N times in a row (default 150), with the
header that Loghub's logparser has; OpenStack's also as JSON, Hadoop's as Docker writes them. Digests are of the
columns of lines, and of groups of 100 lines by Drain's shapes: units, offsets, lines, times, labels and shapes.
CHECKOUT is another logbench, such as a worktree of an older revision.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DAY, CLOCK = "%Y-%m-%d", "%H:%M:%S"
# Of each system the header, the fields with its time and their format, and what is only said of some.
FORMS: dict[str, dict[str, object]] = {
    "Android": {"pattern": "<Date> <Time>  <Pid>  <Tid> <Level> <Component>: <Content>", "time": ("Date", "Time"),
                "time_format": ("%m-%d %H:%M:%S.%f",), "year": 2017, "component": "Component", "level": "Level"},
    "Apache": {"pattern": r"\[<Time>\] \[<Level>\] <Content>", "time": ("Time",),
               "time_format": ("%a %b %d %H:%M:%S %Y",), "level": "Level"},
    "BGL": {"pattern": "<Label> <Timestamp> <Date> <Node> <Time> <Node2> <Type> <Component> <Level> <Content>",
            "time": ("Timestamp",), "time_format": ("epoch",), "label": "Label", "normal": ("-",), "node": "Node",
            "component": "Component", "level": "Level"},
    "HDFS": {"pattern": "<Date> <Time> <Pid> <Level> <Component>: <Content>", "time": ("Date", "Time"),
             "time_format": ("%y%m%d %H%M%S",), "component": "Component", "level": "Level"},
    "HPC": {"pattern": "<LogId> <Node> <Component> <State> <Time> <Flag> <Content>", "time": ("Time",),
            "time_format": ("epoch",), "component": "Component", "node": "Node"},
    "Hadoop": {"pattern": r"<Date> <Time> <Level> \[<Process>\] <Component>: <Content>", "time": ("Date", "Time"),
               "time_format": (f"{DAY} {CLOCK},%f",), "component": "Component", "level": "Level",
               "multiline": True},
    "HealthApp": {"pattern": "<Time>|<Component>|<Pid>|<Content>", "time": ("Time",),
                  "time_format": ("%Y%m%d-%H:%M:%S:%f",), "component": "Component"},
    "Linux": {"pattern": "<Month> <Date> <Time> <Level> <Component>: <Content>", "time": ("Month", "Date", "Time"),
              "time_format": ("%b %d %H:%M:%S",), "year": 2005, "component": "Component"},
    "Mac": {"pattern": "<Month>  <Date> <Time> <User> <Component>: <Content>", "time": ("Month", "Date", "Time"),
            "time_format": ("%b %d %H:%M:%S",), "year": 2017, "component": "Component", "node": "User"},
    "OpenSSH": {"pattern": r"<Month> <Day> <Time> <Component> sshd\[<Pid>\]: <Content>",
                "time": ("Month", "Day", "Time"), "time_format": ("%b %d %H:%M:%S",), "year": 2016},
    "OpenStack": {"pattern": "<Logrecord> <Date> <Time> <Pid> <Level> <Component> <Content>",
                  "time": ("Date", "Time"), "time_format": (f"{DAY} {CLOCK}.%f",), "component": "Component",
                  "id": "message", "id_pattern": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"},
    "Proxifier": {"pattern": r"\[<Time>\] <Program> - <Content>", "time": ("Time",),
                  "time_format": ("%m.%d %H:%M:%S",), "year": 2016, "component": "Program"},
    "Spark": {"pattern": "<Date> <Time> <Level> <Component>: <Content>", "time": ("Date", "Time"),
              "time_format": ("%y/%m/%d %H:%M:%S",), "component": "Component", "level": "Level"},
    "Thunderbird": {"format": "regex", "encoding": "latin-1", "time": ("Timestamp",), "time_format": ("epoch",),
                    "pattern": r"^(?P<Label>\S+)\s+(?P<Timestamp>[0-9]+)\s+\S+\s+(?P<Node>\S+)\s+\S+\s+\S+\s+"
                    r"\S+\s+\S+\s+(?:(?P<Component>.*?)(?:\[[0-9]+\])?:\s+)?(?P<Content>.*)$", "label": "Label",
                    "normal": ("-",), "node": "Node", "component": "Component"},
    "Windows": {"pattern": "<Date> <Time>, <Level>                  <Component>    <Content>",
                "time": ("Date", "Time"), "time_format": (f"{DAY} {CLOCK}",), "level": "Level"},
    "Zookeeper": {"pattern": r"<Date> <Time> - <Level>  \[<Node>:<Component>@<Id>\] - <Content>",
                  "time": ("Date", "Time"), "time_format": (f"{DAY} {CLOCK},%f",), "component": "Component"},
}  # fmt: skip
# Of lines that stand in JSON; an older logbench may lack the second.
FORMS["JSON"] = {"format": "json", "message": "msg", "time": ("t",), "time_format": ("epoch",), "id": "ctx.id",
                 "level": "log.level", "component": "app"}  # fmt: skip
FORMS["Docker"] = {"format": "json", "message": "log", "time": ("time",), "stream": "stream", "pieces": "newline",
                   "time_format": ("%Y-%m-%dT%H:%M:%S%.f%#z",), "traces": True, "id": "message",
                   "id_pattern": "[0-9]+", "inner": (json.dumps(FORMS["Hadoop"]),)}  # fmt: skip
# In a process of its own; an older logbench has the same functions in other modules.
READ = """
import hashlib, json, sys, time
from pathlib import Path
from logbench import LineFormat, open_lines
try:
    from logbench.base.progress import silent
    from logbench.pipeline.coding import read_lines
    from logbench.pipeline.grouping import group_lines
except ImportError:
    from logbench.interfaces import silent
    from logbench.grouping import group_lines, read_lines
from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser
from logbench_windowers import CountConfig, SessionConfig, _count, _session
told = {}
for name, form in json.loads(sys.argv[2]).items():
    if set(form) - set(LineFormat.__dataclass_fields__):
        continue
    form = {key: tuple(value) if isinstance(value, list) else value for key, value in form.items()}
    lines = open_lines(Path(sys.argv[1]), [f"{name}.log"], LineFormat(**form))
    kept = [one for one in ("line", "message", "raw", "time", "level", "component", "node", "label", "id")
            if one in lines.frame.collect_schema()]
    hashed = hashlib.sha256()
    for batch in lines.frame.select(kept).collect(engine="streaming").iter_slices(20_000):
        hashed.update(batch.rechunk().write_json().encode())
    parser = DrainParser(DrainConfig())
    windower = _session(SessionConfig()) if "id" in form else _count(CountConfig())
    begin = time.process_time()
    read = read_lines(lines, windower, parser, silent, times=True)
    grouped = group_lines(read, parser)
    used = time.process_time() - begin
    for array in (grouped.offsets, grouped.codes, grouped.lines, grouped.times, grouped.line_labels):
        hashed.update(b"" if array is None else array.tobytes())
    hashed.update(str([grouped.units.rows(), read.shapes.to_list()]).encode())
    told[name] = [hashed.hexdigest(), len(grouped.lines), used]
print(json.dumps(told))
"""


def told(folder: Path, root: Path, kernel: str) -> dict[str, tuple[str, int, float]]:
    """Digest, events and CPU seconds of reading and grouping by system, of one way."""
    path = os.pathsep.join(str(root / part) for part in (".", "plugins", "datasets"))
    environment = {**os.environ, "PYTHONPATH": path, "LOGBENCH_KERNEL": kernel}
    words = [sys.executable, "-c", READ, str(folder), json.dumps(FORMS)]
    done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{root}: {done.stderr[-2000:]}")
    found: dict[str, tuple[str, int, float]] = json.loads(done.stdout)
    return found


def in_json(lines: list[str]) -> bytes:
    """Objects with texts, numbers, null and objects, and a few lines that are none."""
    rows = [
        {
            "msg": line,
            "t": 1.7e9 + at / 8,
            "ctx": {"id": str(at // 9), "é": None},
            "log.level": at % 3 or None,
            "n": [at],
        }
        for at, line in enumerate(lines)
    ]
    texts = [json.dumps(row, ensure_ascii=at % 2 == 0) for at, row in enumerate(rows)]
    return "\n".join(text if at % 100 else text[:-5] for at, text in enumerate(texts)).encode() + b"\n"


def in_docker(lines: list[str]) -> bytes:
    """What a container writes, some lines in two pieces."""
    time = "2026-03-01T08:00:04.667000007Z"
    rows = [
        {"log": text, "stream": "stderr" if at % 7 == 0 else "stdout", "time": time}
        for at, line in enumerate(lines)
        for text in ([line[:9], f"{line[9:]}\n"] if at % 50 == 0 else [f"{line}\n"])
    ]
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("samples", type=Path)
    asked.add_argument("--copies", type=int, default=150)
    asked.add_argument("--old", type=Path)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in FORMS:
            system = {"JSON": "OpenStack", "Docker": "Hadoop"}.get(name, name)
            data = (given.samples / system / f"{system}_2k.log").read_bytes()
            if system != name:
                data = (in_json if name == "JSON" else in_docker)(data.decode("utf-8", "replace").splitlines())
            (folder / f"{name}.log").write_bytes((data if data.endswith(b"\n") else data + b"\n") * given.copies)
        ways = {"kernel": told(folder, ROOT, "on"), "polars": told(folder, ROOT, "off")}
        if given.old:
            ways["old"] = told(folder, given.old.absolute(), "off")
    wrong = 0
    for name in FORMS:
        ways_of = {way: found for way, found in ways.items() if name in found}
        digests = {way: found[name][0] for way, found in ways_of.items()}
        other = [way for way, digest in digests.items() if digest != digests["kernel"]]
        wrong += bool(other)
        speeds = ", ".join(f"{way} {found[name][1] / found[name][2] / 1e6:.2f}" for way, found in ways_of.items())
        said = f"DIFFERS: {', '.join(other)}" if other else "equal"
        print(f"{name:12} {ways['kernel'][name][1]:>9,} events, million a CPU s: {speeds}; {said}")
    sys.exit(f"{wrong} of {len(FORMS)} logs differ" if wrong else 0)


if __name__ == "__main__":
    main()
