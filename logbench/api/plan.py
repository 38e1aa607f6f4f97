"""What a user asks for: one run as typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from ..base.options import option

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Totals:
    """Options of every data set, beside its own."""

    normal_total: float | None = option(
        None, "true number of normal test units where the data hold a sample of them", gt=0
    )
    anomaly_total: float | None = option(
        None, "true number of anomalous test units where the data hold a sample of them", gt=0
    )


class PlanOptions(TypedDict, total=False):
    """Fields of `Plan` as keywords of `run`, `leaderboard` and `prepare_sessions`, all optional.

    A component is a name, or a class, instance or factory at hand, see `component_of`.
    """

    data: str | Path | None
    parser: object
    windower: object
    embedding: object
    evaluators: Sequence[object]
    protocol: str | None
    preset: str | None
    config: Settings
    settings: Settings
    split_seed: int | None
    device: str
    devices: int
    out: str | Path | None
    save: str | Path | None
    overwrite: bool
    cache: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run as asked for. Every field but the first two may be left out.

    Attributes:
        model, dataset: names of components.
        data: file or folder with the raw data; None: `LOGBENCH_DATA`, the cache, or a download.
        source: name of another data set, which trains in place of this one; None: this one trains, too.
        source_data: file or folder with the raw data of `source`, as `data`.
        parser, windower, protocol: names; None: what the data set's card says; parser and protocol
            that of `source`, where there is one.
        embedding: name, for models that take vectors; None: the preset's, or the default one.
        evaluators: names; empty: all that are default.
        preset: a published set-up, protocol and configuration.
        config: tables by component name, as from a TOML file.
        settings: what overrides all else, as from `--set`.
        seed: seeds the model. split_seed: seeds the split.
        device: `auto`, `cpu`, `cuda` or `mps`. devices: how many work together, each in a process of its own.
        out: folder of the records. save: folder for a bundle. overwrite: replace the bundle that is there.
        cache: use and fill the cache of grouped lines.
        companions: other models of the same command: their options in `settings` are no mistake, and what they
            need is read together with what this one needs. No figure depends on them.
        command: what the user typed, for the record.
        baseline: not asked for by name: a reference that stands beside what was.
    """

    model: str
    dataset: str
    data: Path | None = None
    source: str | None = None
    source_data: Path | None = None
    parser: str | None = None
    windower: str | None = None
    embedding: str | None = None
    evaluators: tuple[str, ...] = ()
    protocol: str | None = None
    preset: str | None = None
    config: Settings = field(default_factory=dict)
    settings: Settings = field(default_factory=dict)
    seed: int = 0
    split_seed: int | None = None
    device: str = "auto"
    devices: int = 1
    out: Path = Path("runs")
    save: Path | None = None
    overwrite: bool = False
    cache: bool = True
    companions: tuple[str, ...] = ()
    command: str = ""
    baseline: bool = False

    def __post_init__(self) -> None:
        for name in ("data", "source_data", "out", "save"):  # text is welcome, as from a notebook
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, Path(value))
