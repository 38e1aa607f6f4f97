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
    yield logbench.Component("NAME", Model)
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
    yield logbench.Component("NAME", Parser)
"""


def _parser(fit: str, state: str = '{"templates": self.templates}', restored: str = 'state["templates"]') -> str:
    return PARSER.replace("FIT", fit).replace("STATE", state).replace("RESTORED", restored)


IN_ORDER = "self.templates = list(dict.fromkeys(messages))"

INSTALLED: dict[str, tuple[Any, str, str]] = {
    "a model whose class remembers the first fit": ("model", "process", MODEL.replace("FIT", REMEMBERS)),
    "a model that hashes a text": ("model", "process", MODEL.replace("FIT", HASHES)),
    "a model that goes by the order of a set": ("model", "process", MODEL.replace("FIT", ORDER_OF_A_SET)),
    "a parser that numbers a set": ("parser", "process", _parser("self.templates = list(set(messages))")),
    "a parser whose state stays in its class": (
        "parser",
        "process",
        _parser(IN_ORDER, '{"size": len(self.templates)}', "type(self).learnt[:state['size']]"),
    ),
}
