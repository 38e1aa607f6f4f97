"""Mixed precision: which kind, where, and what it needs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from .options import Amp

_DTYPES = {"off": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """Mixed precision on a device.

    Attributes:
        kind: what runs: `off` (fp32), `bf16` or `fp16`.

    Examples:
        >>> Precision.of("auto", "cpu").kind
        'off'
        >>> with Precision.of("bf16", "cpu").autocast():
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.bfloat16
    """

    kind: str
    device: str

    @classmethod
    def of(cls, amp: Amp, device: str) -> Precision:
        """Resolve `auto`: on CUDA bf16 where supported, else fp16; elsewhere off, as nothing is gained."""
        if amp == "auto":
            amp = "off" if device != "cuda" else "bf16" if torch.cuda.is_bf16_supported() else "fp16"
        return cls(amp, device)

    def autocast(self) -> AbstractContextManager[object]:
        """Within, torch computes in this precision where that is safe."""
        return torch.autocast(self.device, dtype=_DTYPES[self.kind], enabled=self.kind != "off")

    def scaler(self) -> torch.amp.GradScaler:
        """Scales the loss so that fp16 gradients do not vanish; passes through for bf16 and fp32."""
        return torch.amp.GradScaler(self.device, enabled=self.kind == "fp16")


def full_fp32() -> AbstractContextManager[object]:
    """Within, cuDNN uses no TF32, which would round fp32 products to 10 bits, and repeatable algorithms only.

    `fit_network` and scoring run within it.

    Example:

        with torch.inference_mode(), full_fp32():
            logits = network(rows)
    """
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
