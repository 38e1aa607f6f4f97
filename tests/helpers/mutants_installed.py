"""Wrong plugins that only another process shows, as modules: what they do wrong, their kind, and the rule."""

from __future__ import annotations

from typing import Any

MODEL = """
import logbench

class Model:
    known = {}

    def fit(self, train, context):
        FIT

    def score(self, sessions, context):
        return abs(sessions.lengths - self.mean)

@logbench.hookimpl
def logbench_models():
    yield logbench.ModelComponent("NAME", Model)
"""
REMEMBERS = """if "mean" not in self.known:
            self.known["mean"] = float(train.lengths.mean())
        self.mean = self.known["mean"]"""
HASHES = """self.mean = float(train.lengths.mean()) + hash("salt") % 1000"""
ORDER_OF_A_SET = """words = {f"w{key}" for key in range(40)}
        self.mean = float(sum(n * int(word[1:]) for n, word in enumerate(words)) % 97)"""

PARSER = """
import logbench, numpy

class Parser:
    masks, shape = (("[0-9]+", "<*>"),), (("[0-9]+", "0"),)
    learnt = []

    def fit(self, messages):
        FIT
        type(self).learnt = self.templates
        return self.match(messages)

    def match(self, messages):
        known = {text: key for key, text in enumerate(self.templates)}
        return numpy.array([known.get(text, -1) for text in messages], dtype=numpy.int32)

    def state(self):
        return STATE

    def restore(self, state):
        self.templates = RESTORED

@logbench.hookimpl
def logbench_parsers():
    yield logbench.ParserComponent("NAME", Parser)
"""


def _parser(fit: str, state: str = '{"templates": self.templates}', restored: str = 'state["templates"]') -> str:
    return PARSER.replace("FIT", fit).replace("STATE", state).replace("RESTORED", restored)


IN_ORDER = "self.templates = list(dict.fromkeys(messages))"

WINDOWER = """
import logbench

class Windower:
    def assign(self, lines):
        import polars as pl

        numbers = {f"node-{n}": hash(f"node-{n}") % 1000 for n in range(3)}
        return lines.with_columns(unit=pl.format("w{}", pl.col("node").replace_strict(numbers)))

@logbench.hookimpl
def logbench_windowers():
    yield logbench.WindowerComponent("NAME", Windower)
"""
DATASET = """
import logbench

CARD = logbench.Card(title="t", label="none", layout="a folder", parser="drain", windower="node",
                     protocol="random-half", simulated=True)

class Data:
    def generate(self, folder, progress):
        words = {f"word{n}" for n in range(40)}
        (folder / "log").write_text("".join(f"{n} {word}\\n" for n, word in enumerate(words)))

    def read(self, path):
        import polars as pl

        if not (path / "log").is_file():
            raise logbench.DataError(f"{path}: no log")
        frame = pl.DataFrame({"message": (path / "log").read_text().splitlines()}).with_row_index("line")
        return logbench.Lines(frame.with_columns(node=pl.col("message").str.tail(1)).lazy(), files=[path / "log"])

@logbench.hookimpl
def logbench_datasets():
    yield logbench.DatasetComponent("NAME", Data, card=CARD)
"""

COMMAND = """
import click, logbench

class Lazy(click.Group):
    def list_commands(self, ctx):
        import numpy

        return ["sub"]

    def get_command(self, ctx, name):
        return click.Command("sub", callback=print, help="Does something.")

@logbench.hookimpl
def logbench_commands():
    yield Lazy("NAME", help="Some commands.")
"""
NOTIFICATION = """
import polars, logbench

@logbench.hookimpl
def logbench_run_finished(record):
    pass
"""

INSTALLED: dict[str, tuple[Any, str, str]] = {
    "a model whose class remembers the first fit": ("model", "process", MODEL.replace("FIT", REMEMBERS)),
    "a model that hashes a text": ("model", "process", MODEL.replace("FIT", HASHES)),
    "a model that goes by the order of a set": ("model", "process", MODEL.replace("FIT", ORDER_OF_A_SET)),
    "a windower that hashes a name": ("windower", "process", WINDOWER),
    "a data set that writes a set": ("dataset", "process", DATASET),
    "a parser that numbers a set": ("parser", "process", _parser("self.templates = list(set(messages))")),
    "a parser whose state stays in its class": (
        "parser",
        "process",
        _parser(IN_ORDER, '{"size": len(self.templates)}', "type(self).learnt[:state['size']]"),
    ),
    "a command whose help loads numpy": ("command", "light", COMMAND),
    "a notification that loads polars": ("notification", "imports", NOTIFICATION),
}
