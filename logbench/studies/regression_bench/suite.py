"""The suite file of `bench run`, checked as it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from ...base.errors import ConfigError
from ...base.options import suggest, toml_values

EXPECTED = {
    "gates": "metric = largest loss that passes, such as f1 = 0.02",
    "seeds": "a list of numbers, such as [0, 1]",
    "evaluators": 'a list of names, such as ["classification"]',
    **{
        name: f"a table each, such as [{name}.mine], or a list of names"
        for name in ("models", "datasets", "protocols")
    },
}


class Options(BaseModel):
    """A table of a suite: what its own keys mean, and the options of a component, which are checked later."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def options(self) -> dict[str, Any]:
        """All keys but those that the table itself knows."""
        return dict(self.model_extra or {})


class ModelTable(Options):
    """`[models.LABEL]`: `model` where it is not the label, and its own `benchmark_version`."""

    model: StrictStr | None = None
    benchmark_version: StrictInt | None = None


class DatasetTable(Options):
    """`[datasets.LABEL]`: `dataset` where it is not the label; `data` is relative to the suite."""

    dataset: StrictStr | None = None
    data: StrictStr | None = None
    parser: StrictStr | None = None
    windower: StrictStr | None = None
    embedding: StrictStr | None = None


class ProtocolTable(Options):
    """`[protocols.LABEL]`: fields of the protocol, over those of a `preset`."""

    preset: StrictStr | None = None


def _table_each(value: Any) -> Any:
    """A list of names stands for tables without keys."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    return value


Loss = Annotated[StrictInt | StrictFloat, Field(ge=0)]
Seed = Annotated[StrictInt, Field(ge=0)]
Tables = (BeforeValidator(_table_each), Field(min_length=1))


class SuiteFile(BaseModel):
    """The keys of a suite file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gates: Annotated[dict[str, Loss], Field(min_length=1)] = {"f1": 0.02}
    seeds: Annotated[list[Seed], Field(min_length=1)] = [0]
    evaluators: list[StrictStr] = []
    models: Annotated[dict[str, ModelTable], *Tables]
    datasets: Annotated[dict[str, DatasetTable], *Tables]
    protocols: Annotated[dict[str, ProtocolTable], *Tables]
    benchmark_version: StrictInt = 1


@dataclass(frozen=True)
class Suite:
    """What `bench run` runs: every model on every data set under every protocol with every seed.

    Attributes:
        name: of the file. folder: of the file; paths of data are relative to it.
        gates: metric → largest loss that passes, in the direction in which the metric is worse. A metric of
            another evaluator is called `evaluator.metric`.
        models, datasets, protocols: label → table.
        version: `benchmark_version`; raise it when old figures should no longer be compared.
    """

    name: str
    folder: Path
    gates: Mapping[str, float]
    seeds: tuple[int, ...]
    evaluators: tuple[str, ...]
    models: Mapping[str, ModelTable]
    datasets: Mapping[str, DatasetTable]
    protocols: Mapping[str, ProtocolTable]
    version: int


def read_suite(path: Path) -> Suite:
    """A suite from a TOML file.

    Raises:
        ConfigError: the file is missing, not TOML, or says something that no suite knows.
    """
    values = toml_values(path, str(path))
    try:
        file = SuiteFile.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_mistake(error)}") from None
    return Suite(
        path.stem,
        path.parent,
        file.gates,
        tuple(file.seeds),
        tuple(file.evaluators),
        file.models,
        file.datasets,
        file.protocols,
        version=file.benchmark_version,
    )


def _first_mistake(error: ValidationError) -> str:
    """One line on what is wrong; an unknown key first, since what lacks then may be what it means."""
    mistake = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    at = [str(part) for part in mistake["loc"]]
    if mistake["type"] == "extra_forbidden":
        return f"{at[0]}: no such key{suggest(at[0], SuiteFile.model_fields)}"
    if at[-1] == "benchmark_version":
        return f"{'.'.join(at)}: expected a whole number, got {mistake['input']!r}"
    if len(at) == 3 and at[0] != "gates":  # a key that the table of a model, a data set or a protocol itself knows
        return f"{'.'.join(at)}: expected a text, got {mistake['input']!r}"
    return f"{at[0]}: expected {EXPECTED[at[0]]}"
