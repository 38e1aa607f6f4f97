"""Mixed precision: where it runs, and when losses are scaled."""

from __future__ import annotations

from logbench.torch import Precision


def test_amp_auto_is_off_on_a_cpu_and_the_scaler_scales_for_fp16_only() -> None:
    assert Precision.of("auto", "cpu").kind == "off"
    assert [Precision(kind, "cpu").scaler().is_enabled() for kind in ("off", "bf16", "fp16")] == [
        False,
        False,
        True,
    ]
