"""Rank and likelihood of a key that came, by the logits of a network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .exporting import is_exporting

# Logits that are made at a time: 256 MB in double precision.
MOST_LOGITS = 2**25
# Logits that are compared at a time on a CPU, so that they and what is made of them stay in its cache.
CACHED_LOGITS = 2**18


def ranks(logits: Tensor, keys: Tensor) -> Tensor:
    """Rank of each key that came, int32 [B]: 1 + the number of other known keys whose logit is at least its own.

    So a tie counts against the key, in whatever order the keys are. An unknown key has rank K + 1.

    Args:
        logits: float [B, K] of the K known keys; half precision is compared as it is.
        keys: int64 [B]; K or more is unknown.

    Examples:
        >>> ranks(torch.tensor([[2.0, 1.0, 1.0]] * 3), torch.tensor([0, 1, 3])).tolist()
        [1, 3, 4]
    """
    own, known = own_values(logits, keys)
    return torch.where(known, trues(logits >= own), logits.shape[1] + 1).int()


def ranks_of(
    states: Tensor, keys: Tensor, logits: Callable[[Tensor], Tensor], width: int, most: int = MOST_LOGITS
) -> Tensor:
    """Ranks of keys by the logits of states, some rows at a time where all their logits are more than `most`.

    Args:
        states: float [B, H]. keys: int64 [B]; K or more is unknown.
        logits: states → float [.., K]. width: logits that are made of a state, K or more.

    Examples:
        >>> ranks_of(torch.eye(3), torch.tensor([0, 0, 2]), lambda states: states, width=3, most=4).tolist()
        [1, 3, 1]
    """
    rows = max(most // width, 1)
    if is_exporting():
        return ranks(logits(states), keys)
    parts = zip(torch.split(states, rows), torch.split(keys, rows), strict=True)
    return torch.cat([in_pieces(lambda *some: (ranks(*some),), logits(part), own)[0] for part, own in parts])


def nll(logits: Tensor, keys: Tensor) -> Tensor:
    """Negative log-likelihood of each key that came, in nats, float32 [B]; +∞ of an unknown one.

    Args:
        logits: float [B, K] of the K known keys; half precision is computed in single.
        keys: int64 [B]; K or more is unknown.

    Examples:
        >>> nll(torch.zeros(2, 4), torch.tensor([1, 4])).tolist()
        [1.3862943649291992, inf]
    """
    wide = logits if logits.dtype == torch.float64 else logits.float()
    own, known = own_values(wide.log_softmax(1), keys)
    return torch.where(known, -own.squeeze(1), torch.inf).float()


def trues(found: Tensor) -> Tensor:
    """How many of each row are true, int32 [B], of bool [B, K]; torch sums booleans slowly to its own int64."""
    return found.sum(1, dtype=torch.int32)


def in_pieces(
    judge: Callable[[Tensor, Tensor], tuple[Tensor, ...]], logits: Tensor, keys: Tensor
) -> tuple[Tensor, ...]:
    """What `judge` makes of logits [B, K] and keys [B], tensors [B]; on a CPU of few rows at a time.

    It must judge each row by itself, so that the pieces move nothing.
    """
    rows = max(CACHED_LOGITS // max(logits.shape[1], 1), 1)
    if logits.device.type != "cpu" or len(logits) <= rows:
        return judge(logits, keys)
    parts = map(judge, torch.split(logits, rows), torch.split(keys, rows))
    return tuple(map(torch.cat, zip(*parts, strict=True)))


def own_values(values: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Of values [B, K], each key's own [B, 1], and whether the key is known, bool [B]."""
    last = values.shape[1] - 1
    return values.gather(1, keys.clamp(max=last).unsqueeze(1)), keys <= last
