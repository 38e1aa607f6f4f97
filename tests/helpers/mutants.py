"""Small wrong plugins, by kind: what each does wrong, the rule that finds it, and how it is built.

Nearly all of them passed every rule that stood before. Those in `ADVISED` may be right: there is advice. What
no rule can decide is in `UNDECIDABLE`, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mutants_datasets
import mutants_evaluators
import mutants_models
import mutants_windowers
from mutants_datasets import DATASETS
from mutants_evaluators import EVALUATORS
from mutants_models import MODELS
from mutants_parsers import PARSERS
from mutants_reporters import REPORTERS
from mutants_windowers import WINDOWERS

Cases = Mapping[str, tuple[str, Any, Mapping[str, Any]]]
MUTANTS: Mapping[str, Cases] = {
    "model": MODELS,
    "parser": PARSERS,
    "windower": WINDOWERS,
    "evaluator": EVALUATORS,
    "dataset": DATASETS,
    "reporter": REPORTERS,
}
ADVISED: Mapping[str, Cases] = {
    "model": mutants_models.ADVISED,
    "windower": mutants_windowers.ADVISED,
    "evaluator": mutants_evaluators.ADVISED,
    "dataset": mutants_datasets.ADVISED,
}

# Faults that no rule can decide, and why.
UNDECIDABLE = {
    "a model that learns from some of its training units only": "models may sample what they train on",
    "a model that is wrong in its kind, such as a mean for a median": "what it is to compute, a rule cannot know",
    "a model that waits for what the material lacks, such as 6,000 units": "there is always more to wait for",
    "a model that finds the labels where they are stored": "workers keep them from it; a rule has none to find",
    "a model whose sign is flipped": "anomalies of the data may be the usual ones of the material: advice",
    "a model that ignores its seed": "it may be deterministic: advice, where its traits say that it is random",
    "an event that is named too late, where no scores of events are given": "models may look back",
    "a parser that merges or splits statements": "what a statement is, is what a parser decides",
    "a parser whose key is another template that fits the message, too": "both describe it",
    "a windower whose windows are another size than its option says": "options have no meaning that a rule knows",
    "ids that are alike taken for one": "they may mean one thing: advice",
    "a model that learns otherwise from units in another order": "one that learns in a stream does: advice",
    "times whose year is that of the file or of today": "nothing in the log says another",
    "a windower of times without a silence": "it may be made for files alone: advice",
    "labels that are swapped or shifted": "a rule cannot know which units are anomalous",
    "a line lost in the middle of a log": "a data set may leave out what is no line of it: advice, for text files",
    "a mark of the label that is no word, first or last, in some lines": "an anomaly may show so",
    "published counts of data that are given by --data": "they may be a part of what the card describes",
    "a metric that is wrong by a factor": "only names such as precision say what a metric is to measure",
    "a reporter that shows all units under a protocol of distinct ones": "it may say so beside it: advice",
    "a command that does the wrong thing": "what it is for, a rule cannot know, and running it may cost days",
    "a preset or table with another value than its paper": "the paper is not here",
}
