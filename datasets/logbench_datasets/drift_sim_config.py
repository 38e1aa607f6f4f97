"""Options of the embedded data set `drift-sim`, and its card. Light on purpose: `logbench list` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card, option

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines, Progress

CARD = Card(
    title="a simulated service whose log drifts at known jobs, embedded: no file needed",
    label="a job is anomalous where the generator made it so",
    layout="nothing",
    parser="drain",
    windower="session",
    protocol="prequential",
    unit="job",
    licence="Apache-2.0, as logbench",
    citation="logbench",
    faults=(
        "simulated: never to be set against published figures",
        "its changes are sudden and large, so that one can see what they do",
    ),
    simulated=True,
)
LINE = r"^(?P<Time>[^ ]+) (?P<Job>job_[0-9]+) (?P<Content>.*)$"


@dataclass(frozen=True)
class DriftSimConfig:
    """What `drift-sim` generates: the same bytes for the same numbers. A share of 1 means never."""

    jobs: int = option(3000, "jobs to simulate", ge=50, le=999_999)
    anomalies: float = option(0.03, "share of anomalous jobs", gt=0, le=0.5)
    templates_at: float = option(0.4, "share of the jobs after which messages are new or worded anew", ge=0, le=1)
    workflow_at: float = option(0.6, "share of the jobs after which steps come in another order", ge=0, le=1)
    rates_from: float = option(0.8, "share of the jobs from which a rare kind slowly becomes common", ge=0, le=1)
    data_seed: int = option(1, "seeds the generator, apart from the split's and the model's seeds", ge=0)


class DriftSim:
    """Writes and reads the log; a unit is a job."""

    def __init__(self, config: DriftSimConfig) -> None:
        self.config = config

    def generate(self, folder: Path, progress: Progress) -> None:
        """Write the log and its labels; see `Generator`."""
        from .drift_sim import generate

        generate(self.config, folder, progress)

    def read(self, path: Path) -> Lines:
        """Lines with time and `id`, the job; see `Dataset.read`."""
        from dataclasses import replace
        from functools import partial

        from logbench import LineFormat, open_lines

        form = LineFormat(
            format="regex",
            pattern=LINE,
            message="Content",
            time=("Time",),
            time_format=("%Y-%m-%dT%H:%M:%S%.f",),
            id="Job",
        )
        return replace(open_lines(path, ["service.log"], form), labels=partial(_labels, path / "labels.csv"))


def _labels(file: Path) -> pl.DataFrame:
    import polars as pl

    return pl.read_csv(file, schema={"unit": pl.String, "label": pl.Int8})
