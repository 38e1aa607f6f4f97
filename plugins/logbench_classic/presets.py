"""loglizer's set-up: the first half of each class trains, event counts, duplicates kept, own thresholds."""

from __future__ import annotations

from collections.abc import Iterator

from logbench import Preset

SOURCE = "github.com/logpai/loglizer, README and benchmarks/HDFS_bechmark.py: 575,061 blocks, 2.93% anomalous; "
CONTENTS = {
    "unsupervised": ("mixed", "PCA F1 .769, invariants .915, isolation forest .802"),
    "supervised": (
        "labelled",
        "LR F1 .933, decision tree .998, SVM .965, log clustering .837 (labels choose its normals)",
    ),
}


def loglizer() -> Iterator[Preset]:
    """One preset for each content of the training set; the test units are the same."""
    for name, (content, published) in CONTENTS.items():
        yield Preset(
            name=f"loglizer-{name}",
            summary=f"loglizer's benchmark: half of each class, {content} units train, the model's own threshold",
            source=SOURCE + published,
            protocol={
                "train": "per_class_ratio",
                "train_ratio": 0.5,
                "content": content,
                "held_out": 0.0,
                "threshold": "fixed",
                "min_events": 0,  # all blocks are scored
            },
        )
