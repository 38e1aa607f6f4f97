"""The runs whose reports are looked at."""

from __future__ import annotations

SMALL = {"dataset": {"blocks": 900}, "protocol": {"train_units": 250}}
MODELS = ["ecvc", "pca", "new-event", "isolation-forest"]
