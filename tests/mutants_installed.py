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
FIRST_OF_A_SET = """words = {f"w{key}" for key in train.keys.tolist()}
        self.mean = float(int(next(iter(words))[1:]) + train.lengths.mean())"""

INSTALLED: dict[str, tuple[Any, str, str]] = {
    "a model whose class remembers the first fit": ("model", "process", MODEL.replace("FIT", REMEMBERS)),
    "a model that hashes a text": ("model", "process", MODEL.replace("FIT", HASHES)),
    "a model that takes the first of a set": ("model", "process", MODEL.replace("FIT", FIRST_OF_A_SET)),
}
