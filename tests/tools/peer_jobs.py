"""What `peers.py` runs: a program for each tool, as text, because each runs in an environment of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A process to measure: the environment and code that it runs, and what it does other than logbench."""

    environment: str
    code: str
    differs: str = ""


# What each environment holds, in steps. DeepLog's has no torch: it gets that of the environment that runs this.
PACKAGES = {
    "loglead": (("loglead==2.0.0",),),
    "drain3": (("drain3-improved==0.10.0",),),
    "brain": (("pandas", "regex"), ("--no-deps", "logparser3==1.0.4")),
    "deeplog": (("--no-deps", "deeplog==0.0.3", "torch-train==0.0.3", "argformat==0.0.3"), ("tqdm",)),
}
OURS = """
import sys
from pathlib import Path
import logbench
from logbench.running.resolve import Plan, resolve
from logbench.running.runtime import Runtime
from logbench.running.prepare import prepare
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.running.stages import Stages
registry = Registry()
plan = Plan(model="new-event+length", dataset="hdfs", data=Path(sys.argv[1]), cache=False)
runtime = Runtime.here(registry)
done = prepare(resolve(plan, registry), runtime, Stages(runtime), print)
print(done.grouped.facts["lines"], len(done.sessions), len(done.vocabulary.templates))
"""
# How the tools without a loader of HDFS read labels and gather keys by block.
BY_BLOCK = """
import re, sys
from pathlib import Path
folder = Path(sys.argv[1])
labels = dict(line.split(",") for line in (folder / "preprocessed/anomaly_label.csv").read_text().splitlines()[1:])
blocks, lines, messages = {}, 0, []
def named(message):
    return dict.fromkeys(re.findall("blk_-?[0-9]+", message))
"""
LINE_BY_LINE = f"""
{BY_BLOCK}
import polars as pl
from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser
parser = DrainParser(DrainConfig())
masks = [(re.compile(pattern), text) for pattern, text in parser.masks]
with (folder / "HDFS.log").open(encoding="utf-8") as log:
    for lines, line in enumerate(log, 1):
        message = line.rstrip("\\n").partition(": ")[2]
        for block in named(message):
            blocks.setdefault(block, []).append(lines - 1)
        for pattern, text in masks:
            message = pattern.sub(text, message)
        messages.append(message)
keys = parser.fit(pl.Series(messages))
sessions = {{block: ([int(keys[n]) for n in numbers], labels.get(block)) for block, numbers in blocks.items()}}
print(lines, len(sessions), len(parser.templates))
"""
DRAIN3 = f"""
{BY_BLOCK}
from drain3.drain import Drain
miner = Drain(depth=4, sim_th=0.5, max_children=100)
mask = re.compile("blk_-?[0-9]+|(?:[0-9]+[.]){{3}}[0-9]+(?::[0-9]+)?")
with (folder / "HDFS.log").open(encoding="utf-8") as log:
    for lines, line in enumerate(log, 1):
        message = line.rstrip("\\n").partition(": ")[2]
        key = miner.add_log_message(mask.sub("<*>", message))[0].cluster_id
        for block in named(message):
            blocks.setdefault(block, []).append(key)
sessions = {{block: (keys, labels.get(block)) for block, keys in blocks.items()}}
print(lines, len(sessions), len(miner.clusters))
"""
BRAIN = f"""
{BY_BLOCK}
import csv
from logparser.Brain import LogParser
form, out = "<Date> <Time> <Pid> <Level> <Component>: <Content>", folder / "brain"
rex = [r"blk_-?[0-9]+", r"([0-9]+[.]){{3}}[0-9]+(:[0-9]+)?"]
brain = LogParser("HDFS", form, indir=str(folder), outdir=str(out), threshold=2, delimeter=[""], rex=rex)
brain.parse("HDFS.log")
keys = set()
with (out / "HDFS.log_structured.csv").open(encoding="utf-8", newline="") as table:
    for lines, row in enumerate(csv.DictReader(table), 1):
        keys.add(row["EventId"])
        for block in named(row["Content"]):
            blocks.setdefault(block, []).append(row["EventId"])
sessions = {{block: (found, labels.get(block)) for block, found in blocks.items()}}
print(lines, len(sessions), len(keys))
"""
LOGLEAD = """
import sys
from loglead.loaders import HDFSLoader
from loglead.enhancers import EventLogEnhancer
import polars as pl
log, labels = (f"{sys.argv[1]}/{name}" for name in ("HDFS.log", "preprocessed/anomaly_label.csv"))
loader = HDFSLoader(filename=log, labels_file_name=labels)
frame = loader.execute()
enhancer = EventLogEnhancer(frame)
frame = enhancer.mask()
frame = enhancer.parse_PARSER()
sequences = frame.group_by("seq_id", maintain_order=True).agg(pl.col("e_event_PARSER_id"))
sequences = sequences.join(loader.df_seq, on="seq_id", how="left")
print(len(frame), len(sequences), frame["e_event_PARSER_id"].n_unique())
"""
# Writes the units that both DeepLogs get: the default protocol of HDFS, 500 training sessions.
UNITS = """
import sys
from pathlib import Path
import numpy as np
import logbench
folder = Path(sys.argv[1])
settings = {"protocol": {"train_units": 500}}
made = logbench.prepare_sessions("deeplog", "hdfs", data=folder, cache=False, settings=settings)
parts = {"vocabulary": made.train.vocabulary}
for name, units in (("train", made.train), ("test", made.test)):
    parts |= {f"{name}_keys": units.clipped_keys, f"{name}_offsets": units.offsets}
np.savez(folder / "units.npz", **parts)
print(len(made.train), len(made.test), made.train.vocabulary)
"""
OUR_DEEPLOG = """
import sys
from pathlib import Path
import numpy as np
import polars as pl
from logbench import Context, Sessions
from logbench_deeplog import DeepLogConfig
from logbench_deeplog.model import DeepLog
data = np.load(Path(sys.argv[1]) / "units.npz")
def units(name):
    keys, offsets = data[f"{name}_keys"], data[f"{name}_offsets"]
    ids = pl.Series(range(len(offsets) - 1)).cast(pl.String)
    return Sessions(keys=keys, offsets=offsets, vocabulary=int(data["vocabulary"]), ids=ids)
train, test = units("train"), units("test")
model = DeepLog(DeepLogConfig(stop="passes", passes=5, batch=2048, lr=1e-3, dedup=DEDUP))
model.fit(train, Context())
scores = model.score(test, Context())
print(len(test.histories(10)), int((scores.primary > 9).sum()), train.vocabulary)
"""
THEIR_DEEPLOG = """
import sys
from pathlib import Path
import numpy as np
import torch
from deeplog import DeepLog
data = np.load(Path(sys.argv[1]) / "units.npz")
size = int(data["vocabulary"]) + 1
def windows(name):
    keys, offsets = data[f"{name}_keys"], data[f"{name}_offsets"]
    unit = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    starts = np.flatnonzero(np.arange(len(keys)) - offsets[:-1][unit] >= 10) - 10
    rows = torch.tensor(keys[starts[:, None] + np.arange(11)], dtype=torch.int64)
    return rows[:, :10], rows[:, 10], unit[starts]
torch.manual_seed(0)
model = DeepLog(input_size=size, hidden_size=64, output_size=size)
past, following, _ = windows("train")
adam = {"optimizer": torch.optim.Adam, "learning_rate": 1e-3}
model.fit(past, following, epochs=5, batch_size=2048, verbose=False, **adam)
past, following, unit = windows("test")
found, _ = model.predict(past, k=9, verbose=False)
missed = (found != following[:, None]).all(1).numpy()
print(len(past), len(set(unit[missed].tolist())), size - 1)
"""
RAW = {
    "logbench": Job("", OURS, "learns templates from training blocks only, the others from every line"),
    "logbench's Drain, line by line": Job("", LINE_BY_LINE, "no split; each line is masked and parsed by itself"),
    "drain3-improved 0.10.0": Job("drain3", DRAIN3, "no split; two masks in one expression"),
    "LogLead 2.0.0, Drain": Job("loglead", LOGLEAD.replace("PARSER", "drain"), "no split; first block of a line"),
    "LogLead 2.0.0, Tipping": Job("loglead", LOGLEAD.replace("PARSER", "tip"), "no split; first block of a line"),
    "logparser3 1.0.4, Brain": Job("brain", BRAIN, "no split; writes and reads a table in CSV"),
}
DEEP = {
    "logbench": Job("", OUR_DEEPLOG.replace("DEDUP", "True"), "distinct windows once"),
    "logbench, every window": Job("", OUR_DEEPLOG.replace("DEDUP", "False"), "no window is left out"),
    "deeplog 0.0.3": Job("deeplog", THEIR_DEEPLOG, "every window; an output for unseen keys, too"),
}
