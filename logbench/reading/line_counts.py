"""Count what becomes of every line of a pass, so that none is lost."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

# Microseconds from which on a step back in time is told.
FAR = 60 * 10**6


@dataclass
class Counts:
    """Lines of a pass: `read` = `used` + `joined` + `rejected`."""

    read: int = 0
    used: int = 0
    joined: int = 0
    rejected: int = 0
    unmatched: int = 0
    undecodable: int = 0
    nul: int = 0
    timeless: int = 0
    back: int = 0
    last: int | None = None

    def look_back(self, times: pl.Series) -> None:
        """Count the times that are a minute or more before that of the line before."""
        known = times.drop_nulls().to_physical()
        if len(known):
            steps = pl.Series([self.last if self.last is not None else known[0]]).append(known).diff()
            self.back += int((steps <= -FAR).sum())
            self.last = int(known[-1])

    def facts(self) -> dict[str, int]:
        """By name, those that are not zero; `file_lines` where not every line is an event.

        Raises:
            AssertionError: a line was lost.
        """
        if self.read != self.used + self.joined + self.rejected:
            raise AssertionError(f"lines in must be lines used + joined + rejected: {self}")
        named = {
            "file_lines": self.read if self.read != self.used else 0,
            "joined_lines": self.joined,
            "header_lines": self.rejected,
            "unmatched_lines": self.unmatched,
            "undecodable_lines": self.undecodable,
            "lines_with_nul": self.nul,
            "lines_with_unread_time": self.timeless,
            "lines_far_back_in_time": self.back,
        }
        return {name: number for name, number in named.items() if number}
