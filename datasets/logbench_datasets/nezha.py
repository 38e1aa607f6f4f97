"""Nezha's TrainTicket (Yu et al., ESEC/FSE 2023): traces of microservices, with faults injected into pods."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import Card, DataError, option

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines

LOGS, FAULTS = "log/*_log.csv", "*fault_list.json"
KEYS = ("inject_timestamp", "inject_pod")
# What the fault is; not needed.
KIND = "inject_type"
# What the container wrote, without its clock and the ids that the columns hold, too.
WRITTEN = (
    r"(?s)^[0-9:.]+ (?P<level>[A-Z]+) +(?P<component>[^ #]+)(?:#[0-9]+)? "
    r"TraceID: [^ ]* SpanID: [^ ]* (?P<message>.*)$"
)

CARD = Card(
    title="Nezha's TrainTicket: traces of 27 services, 17 faults injected into pods",
    label="a trace is anomalous where a pod with a fault wrote one of its lines within nezha.fault_seconds",
    layout=f"a folder with {FAULTS} and {LOGS}, packed or not",
    parser="drain",
    windower="session",
    protocol="random-half",
    unit="trace",
    licence="MIT",
    citation="Yu et al. (Nezha), ESEC/FSE 2023",
    cite=(works.NEZHA,),
    faults=(
        "the source names time and pod of a fault, and no trace: which traces are anomalous is our rule",
        "most faults are delays and busy processors: the lines of such a trace are as always, only later",
        "some TimeUnixNano lie in the year 1754: times are those of Timestamp",
        "minutes with a fault alone are kept (and one before), so a chronological split trains on few",
    ),
    published={"lines": 97_188, "sessions": 2_537},
)


@dataclass(frozen=True)
class NezhaConfig:
    """When a fault is over."""

    fault_seconds: int = option(
        180, "seconds that a fault lasts after its injection, of which none is stated", ge=1
    )


class Nezha:
    """Reads the services' lines in order of time; a unit is a trace."""

    def __init__(self, config: NezhaConfig) -> None:
        self.config = config

    def read(self, path: Path) -> Lines:
        """Lines with time, level, component, `node` (the pod) and `id` (the trace); see `Dataset.read`."""
        import polars as pl

        from logbench import LineFormat, open_lines

        form = LineFormat(
            format="csv",
            message="Log",
            time=("Timestamp",),
            time_format=("%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%dT%H:%M:%S%.f"),
            node="PodName",
            id="TraceID",
        )
        lines = open_lines(path, [LOGS], form)
        text = pl.col("message").str.json_path_match("$.log").str.strip_chars_end()
        parts = text.str.extract_groups(WRITTEN).struct
        frame = lines.frame.with_columns(
            message=pl.coalesce(parts.field("message"), text, "message"),
            level=parts.field("level"),
            component=parts.field("component"),
        )
        # Files hold a minute each, and are named after what they are for: in order of time the file says nothing.
        in_time = frame.sort("time", "line", nulls_last=True).drop("line", "file", "at").with_row_index("line")
        ordered = in_time.select("line", pl.exclude("line"))
        return replace(lines, frame=ordered, form=None, labels=partial(self._labels, path, ordered),
                       types=partial(self._types, path, ordered))  # fmt: skip

    def _labels(self, path: Path, lines: pl.LazyFrame) -> pl.DataFrame:
        """Columns `unit` and `label`: 1 for traces that a pod with a fault took part in while it lasted."""
        import polars as pl

        units = lines.select(unit="id").filter(pl.col("unit").is_not_null()).unique(maintain_order=True)
        anomalous = self._hit(path, lines).select(unit="id", label=pl.lit(1, pl.Int8)).unique()
        return units.join(anomalous, on="unit", how="left").with_columns(pl.col("label").fill_null(0)).collect()

    def _types(self, path: Path, lines: pl.LazyFrame) -> pl.DataFrame:
        """Columns `unit` and `type`: the fault that a trace met first."""
        hit = self._hit(path, lines).sort("time", maintain_order=True).unique("id", keep="first")
        return hit.select(unit="id", type="fault").drop_nulls().collect()

    def _hit(self, path: Path, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Lines that a pod with a fault wrote while it lasted, with the `fault`."""
        import polars as pl

        faults = pl.DataFrame(
            read_faults(path), {"node": pl.String, "began": pl.Int64, "fault": pl.String}, orient="row"
        ).with_columns(pl.col("began") * 1_000_000)
        since = pl.col("time").dt.epoch("us") - pl.col("began")
        hit = lines.select("id", "node", "time").join(faults.lazy(), on="node")
        return hit.filter(since.is_between(0, self.config.fault_seconds * 1_000_000, closed="left"))


def read_faults(path: Path) -> list[tuple[str, int, str]]:
    """Pod, second (since 1970) and kind of each injected fault.

    Raises:
        DataError: the list is missing, no JSON, or a fault lacks its time or pod.
    """
    from logbench import open_layout

    member = open_layout(path, [FAULTS])[FAULTS]
    try:
        hours: dict[str, list[dict[str, Any]]] = json.loads(member.bytes())
        moment, pod = KEYS
        every = [one for faults in hours.values() for one in faults]
        return [(str(one[pod]), int(one[moment]), str(one.get(KIND, "unknown"))) for one in every]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{member.path}: expected faults by hour, each with {' and '.join(KEYS)}: {error!r}"
        ) from None
