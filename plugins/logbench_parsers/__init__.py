"""First-party plugin: parsers, which turn messages into keys. Heavy imports wait for `build`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from logbench import ParserComponent, hookimpl, option

if TYPE_CHECKING:
    from logbench import Parser


@dataclass(frozen=True)
class DrainConfig:
    """Options of `drain`, with the defaults of LogADEmpirical for all four of its data sets."""

    depth: int = option(4, "levels of the tree, counted as in drain3: depth - 3 leading tokens route", ge=3)
    similarity: float = option(0.5, "least share of equal tokens for a message to join a template", ge=0, le=1)
    max_children: int = option(100, "most branches of a tree node, with the wildcard's", ge=1)
    masks: tuple[str, ...] = option((), "more regular expressions (Rust syntax) to mask, before the built-in ones")
    builtin_masks: bool = option(True, "mask block ids, addresses, hexadecimal words and runs of digits")
    max_leaf: int = option(
        2_000, "templates of one length and beginning up to which each message is compared with all", ge=512
    )
    match: Literal["similar", "exact"] = option(
        "similar", "after training a message needs a similar template, or one that fits it exactly"
    )


@hookimpl
def logbench_parsers() -> Iterator[ParserComponent[Parser]]:
    """`drain`, `hdfs` and `none`."""
    yield ParserComponent(
        "drain", _drain, config=DrainConfig, summary="Drain (He et al., ICWS 2017): learns templates"
    )
    yield ParserComponent("hdfs", _hdfs, summary="the 30 known templates of HDFS_v1 as fixed expressions")
    yield ParserComponent("none", _none, summary="every distinct message is a template: for key sequences")


def _drain(config: DrainConfig) -> Parser:
    from .drain import DrainParser

    return DrainParser(config)


def _hdfs() -> Parser:
    from .hdfs import parser

    return parser()


def _none() -> Parser:
    from .none import Verbatim

    return Verbatim()
