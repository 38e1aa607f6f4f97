"""The events of one unit in a row, coloured by the model's score of each, or by how rare each is in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, log10
from typing import Any

# Of the picture and of a box, pixels; events that it holds.
WIDTH, WIDEST, MOST = 640.0, 19.5, 160


def steps(events: Sequence[Mapping[str, Any]], threshold: float) -> list[str]:
    """How strange each event is: `strange` above the threshold, or unseen in training; `rare` near it.

    Args:
        events: with `score` (None where the model has none of events) and `training`, a share from 0 to 1.
    """
    return [_step(one.get("score"), one.get("training") or 0.0, threshold) for one in events]


def _step(score: float | None, training: float, threshold: float) -> str:
    if score is None or score == float("-inf"):
        return "strange" if training == 0 else "rare" if log10(training) < -3 else "usual"
    if score > threshold:
        return "strange"
    near = isfinite(threshold) and threshold > 0 and score > threshold / 2
    return "rare" if near else "usual"


def strip(events: Sequence[Mapping[str, Any]], threshold: float, decided: int | None) -> dict[str, Any]:
    """Boxes of the first events, as the page draws them: `x`, `width`, `step`, `text`, and whether it decided."""
    shown = events[:MOST]
    width = min(WIDTH / max(len(shown), 1), WIDEST)
    named = steps(shown, threshold)
    boxes = [
        {
            "x": round(at * width, 2),
            "width": round(max(width - 1.5, 1.0), 2),
            "step": step,
            "decided": one["event"] == decided,
            "text": f"event {one['event'] + 1}: {one['template']}{_said(one)}",
        }
        for at, (one, step) in enumerate(zip(shown, named, strict=True))
    ]
    strange = named.count("strange")
    return {
        "boxes": boxes,
        "width": round(width * len(shown), 1),
        "said": f"{len(events)} events, {strange} strange, {named.count('rare')} rare"
        + (f"; the first {MOST} are shown" if len(events) > MOST else ""),
    }


def _said(event: Mapping[str, Any]) -> str:
    score, training = event.get("score"), event.get("training")
    told = "" if score is None or (not isfinite(score) and score < 0) else f", score {score:.3g}"
    return f"{told}, {training or 0:.2%} of training".replace("inf", "∞")
