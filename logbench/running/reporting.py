"""Hand records to a reporter, with access to what their runs stored and a folder for its files."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..api.record import RunRecord

if TYPE_CHECKING:
    import polars as pl

    from ..api.optional import Runs
    from ..api.record_sections import Record

# Folder beside the records for the files that reporters write.
REPORTS = "reports"


class StoredRuns:
    """The runs that are stored in a folder, for reporters: see `Runs`.

    Example:

        Picture().report([record.as_dict() for record in records], logbench.StoredRuns("runs"))

    Args:
        out: the folder of the records.
        name: begins the name of the folder for files, `OUT/reports/TIME-NAME-NUMBER`.
    """

    def __init__(self, out: str | Path = "runs", name: str = "report") -> None:
        self.out, self._name = Path(out), name
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """An empty folder for files of this report, made when it is first asked for."""
        from . import run_names

        if self._folder is None:
            self._folder = self.out / REPORTS / run_names.new_run(self._name)["run_id"]
            self._folder.mkdir(parents=True)
        return self._folder

    @property
    def written(self) -> list[Path]:
        """The files that were written into `folder`, in order of name."""
        if self._folder is None:
            return []
        return sorted(path for path in self._folder.rglob("*") if path.is_file())

    def scores(self, record: Mapping[str, Any] | RunRecord) -> pl.DataFrame:
        """The stored scores of a run, one row a held-out or test unit: see `Runs.scores`.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """
        from . import records

        found = record.as_dict() if isinstance(record, RunRecord) else record
        return records.scores(cast("Record", found), self.out)


def reported(reporter: Any, records: Sequence[Mapping[str, Any]], runs: Runs) -> Any:
    """What `reporter.report` returns; it gets `runs` where it has a second parameter."""
    return reporter.report(records, runs) if takes_runs(reporter) else reporter.report(records)


def takes_runs(reporter: Any) -> bool:
    """Whether `reporter.report` has a second parameter that must be given or is `runs`, see `ReportsRuns`."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    placed = [one for one in inspect.signature(reporter.report).parameters.values() if one.kind in kinds]
    return any(one.default is one.empty or one.name == "runs" for one in placed[1:2])
