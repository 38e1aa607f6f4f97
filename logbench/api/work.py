"""A published work, as the cards of data sets and models cite it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A paper, program or data set to cite.

        Work(key="du2017deeplog", author=("Du, Min", "Li, Feifei"), title="DeepLog: …", year=2017, venue="CCS")

    In the card of a model it is a table `[[cite]]` with these keys.

    Attributes:
        key: what BibTeX calls it.
        author: family name first, `Du, Min`; a name without a comma is that of a group; `others` at the end where
            not all are given.
        title, year: as published; `year` 0 where it is not known.
        kind: `paper` (of a conference), `article` (of a journal), `software`, `data`, or `other`.
        venue: conference or journal. pages: `1285-1298`. doi: without an address. url: where there is no DOI.
        version: of software. note: anything else to be said.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    key: str
    title: str
    author: tuple[str, ...] = ()
    year: int = 0
    kind: Literal["paper", "article", "software", "data", "other"] = "paper"
    venue: str = ""
    pages: str = ""
    doi: str = ""
    url: str = ""
    version: str = ""
    note: str = ""
