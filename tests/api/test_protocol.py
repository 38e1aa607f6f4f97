"""The protocol's fields say themselves what acts after scoring."""

from __future__ import annotations

from logbench.api.protocol import late_fields


def test_fields_that_act_after_scoring() -> None:
    late = ("min_events", "short", "unseen", "threshold", "alpha", "value", "oracle_step", "duplicates")
    assert late_fields(uses_alpha=False) == late


def test_alpha_acts_before_scoring_for_a_model_that_uses_it() -> None:
    assert set(late_fields(uses_alpha=False)) - set(late_fields(uses_alpha=True)) == {"alpha"}
