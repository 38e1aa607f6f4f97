"""Vectors for models: those of the run's embedding, fitted on training alone, in every way that a model is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import vector_spy
from distributions import distribution
from labelled_log import registry, run_one, write
from text_spy import masked, rows, units_of
from vector_spy import Marks, Sum, mark

from logbench import (
    ConfigError,
    EmbeddingComponent,
    ModelComponent,
    ModelTraits,
    PluginError,
    RunRecord,
    Sessions,
    prepare_sessions,
    run,
)
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.data import handout
from logbench.data.neutral import neutral
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running import identity
from logbench.running.bundle import Bundle

LINES = rows()
UNITS = units_of(LINES)
SETTINGS = {"protocol": {"train": "ratio", "train_ratio": 0.5, "held_out": 0.2, "content": "mixed"}}
NEEDS = ("vectors", "text_vectors")


def found(need: str) -> Registry:
    traits = ModelTraits(supervision="unsupervised", needs=frozenset({need}), stochastic=False)  # type: ignore[arg-type]
    return registry(
        models=[ModelComponent("sum", Sum, traits=traits)], embeddings=[EmbeddingComponent("marks", Marks)]
    )


def made(path: Path, need: str, **options: Any) -> RunRecord:
    Sum.given.clear()
    Marks.fitted.clear()
    log = write(path / "a.log", LINES)
    record = run_one(log, found(need), "sum", SETTINGS, **{
        "windower": "session", "parser": "drain", "embedding": "marks", **options
    })  # fmt: skip
    assert record.status == "ok", record.error
    return record


def said(message: str, need: str, trained: set[str]) -> str:
    """What the vector of an event is of: drain parts the words of a template by one blank."""
    text = masked(message)
    return " ".join(text.split()) if need == "vectors" and text in trained else text


def trained_by(frame: pl.DataFrame) -> set[str]:
    """Masked messages of units that are neither held out nor tested."""
    others = set(frame["unit"])
    return {masked(text) for unit, texts in UNITS.items() if unit not in others for text in texts}


def expected(unit: str, need: str, trained: set[str]) -> float:
    return sum(mark(said(message, need, trained)) for message in UNITS[unit])


def scores(path: Path, record: RunRecord) -> pl.DataFrame:
    return pl.read_parquet(path / "runs" / record.artifacts["scores"])


@pytest.mark.parametrize("need", NEEDS)
def test_each_event_has_the_vector_of_its_text_and_training_alone_is_fitted_on(need: str, tmp_path: Path) -> None:
    record = made(tmp_path, need)
    frame = scores(tmp_path, record)
    trained = trained_by(frame)
    whole = {unit: expected(unit, need, trained) for unit in frame["unit"]}
    assert dict(frame.select("unit", "raw").iter_rows()) == whole
    (fitted,) = Marks.fitted
    texts = {said(text, need, trained) for text in trained}
    assert set(fitted) == texts
    (train,) = (sessions for part, sessions in Sum.given if part == "train")
    assert train.vectors is not None
    assert set(train.vectors[:, 0].tolist()) == {mark(text) for text in texts}, "no row of a test text"
    every = {masked(text) for texts in UNITS.values() for text in texts}
    unseen = every - trained
    assert unseen
    assert record.embedding == {
        "texts": len(trained), "unseen": len(unseen), "width": 2, "letters": sum(map(len, fitted))
    }  # fmt: skip
    tested = frame.filter(pl.col("part") == "test")["unit"]
    events = sum(masked(text) in unseen for unit in tested for text in UNITS[unit])
    assert record.counts["embedded_unseen"] == events > 0


@pytest.mark.parametrize("need", NEEDS)
def test_prepared_sessions_files_and_pipes_carry_the_vectors_of_the_run(need: str, tmp_path: Path) -> None:
    trained = trained_by(scores(tmp_path, made(tmp_path, need, save=tmp_path / "saved")))
    material = prepare_sessions(
        "sum", "log", registry=found(need), data=tmp_path / "a.log", windower="session", parser="drain",
        embedding="marks", settings=SETTINGS,
    )  # fmt: skip
    for sessions in (material.train, material.context.held_out, material.test):
        assert sessions is not None and sessions.vectors is not None
        assert len(np.unique(sessions.vectors[:, 0])) == len(sessions.vectors)
    bundle = Bundle(tmp_path / "saved", found(need))
    every = {unit: expected(unit, need, trained) for unit in UNITS}
    scored = score_bundle(bundle, tmp_path / "a.log", "cpu", silent)
    assert dict(scored.select("unit", "score").iter_rows()) == every
    assert Marks.fitted[0] == Marks.fitted[-1], "fitted on the same texts again, none of the scored log"
    text = (tmp_path / "a.log").read_bytes()
    blocks = iter([text[begin : begin + 500] for begin in range(0, len(text), 500)])
    pieces = pl.concat(score_stream(bundle, blocks, 10, "cpu", lambda: 0.0))
    assert dict(pieces.select("unit", "score").iter_rows()) == every


def test_vectors_of_events_stay_theirs_however_units_are_cut_or_handed_over(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sequences = [rng.integers(0, 9, rng.integers(1, 6)).tolist() for _ in range(30)]
    vectors = rng.standard_normal((9, 3)).astype(np.float32)
    ids = np.array([key for unit in sequences for key in unit], dtype=np.int32)
    whole = Sessions.of(sequences, 7, vectors=vectors, vector_ids=ids)

    def of_events(sessions: Sessions) -> list[Any]:
        assert sessions.vectors is not None
        shown = sessions.vectors[sessions.vector_ids]
        return [shown[a:b].tolist() for a, b in pairwise(sessions.offsets)]

    some = np.array([4, 2, 2, 20])
    assert of_events(whole.take(some)) == [of_events(whole)[at] for at in some]
    assert len(whole.take(some).vectors) == len({key for at in some for key in sequences[at]})  # type: ignore[arg-type]
    shown = neutral(whole, {"text_vectors"}, units=some)
    given = handout.read(handout.write(shown, tmp_path / "units", handout.write_templates((), tmp_path)))
    assert of_events(given) == of_events(shown)
    assert given.vectors is not None and not given.vectors.flags.writeable
    bare = neutral(whole, {"texts"})
    assert bare.vectors is None and bare.vector_ids is None


@pytest.mark.parametrize(
    "columns", [{"vectors": np.zeros((2, 1), np.float32)}, {"vectors": np.zeros((2, 1)), "vector_ids": [0, 1]}]
)
def test_vectors_are_float32_and_come_with_their_rows(columns: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match="vector"):
        Sessions.of([[0, 1]], **columns)


def test_an_embedding_makes_another_run_of_models_that_take_vectors_alone(tmp_path: Path) -> None:
    keys, cached = {}, set()
    for name in ("none", "one-hot", "marks"):
        record = made(tmp_path, "vectors", embedding=name)
        keys[name] = identity.of_run(record.as_dict())
        cached.add(record.stages["group"]["digest"])
        assert record.components["embedding"]["name"] == name and "embedding" in record.config
        assert "embeddings" in record.plugins or name == "marks"
    assert len(set(keys.values())) == 3 and len(cached) == 1
    (plain,) = run("new-event", dataset="log", data=tmp_path / "a.log", windower="session", parser="drain",
                   registry=found("vectors"), settings=SETTINGS, out=None)  # fmt: skip
    assert plain.status == "ok" and plain.embedding == {} and "embed" not in plain.stages
    assert not {"embedding"} & {*plain.config, *plain.components} and "embeddings" not in plain.plugins


def test_models_of_one_command_share_vectors_where_they_take_the_same(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", LINES)
    traits = [ModelTraits(supervision="unsupervised", needs=frozenset({need}), stochastic=False) for need in NEEDS]  # type: ignore[arg-type]
    models = [ModelComponent(name, Sum, traits=traits[which]) for name, which in (("a", 0), ("b", 0), ("c", 1))]
    both = registry(models=models, embeddings=[EmbeddingComponent("marks", Marks)])
    Marks.fitted.clear()
    records = run(["a", "new-event", "b", "c"], dataset="log", data=log, windower="session", parser="drain",
                  embedding="marks", registry=both, settings=SETTINGS, out=None)  # fmt: skip
    assert [one.status for one in records] == ["ok"] * 4
    assert ["shared" in one.stages.get("embed", {}) for one in records] == [False, False, True, False]
    assert len(Marks.fitted) == 2


def test_what_cannot_be_is_one_line(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", LINES)
    with pytest.raises(ConfigError, match=r"^--embedding marks: no vectors are taken by new-event; leave it out$"):
        run_one(log, found("vectors"), "new-event", SETTINGS, embedding="marks")
    with pytest.raises(ConfigError, match="no embedding is called 'mraks'; did you mean 'marks'"):
        run_one(log, found("vectors"), "sum", SETTINGS, embedding="mraks")
    both = frozenset(NEEDS)
    with pytest.raises(ConfigError, match="vectors or text_vectors, not both"):
        registry(models=[ModelComponent("sum", Sum, traits=ModelTraits(needs=both))])  # type: ignore[arg-type]
    models = [ModelComponent(need[0], Sum, traits=ModelTraits(needs=frozenset({need}))) for need in NEEDS]  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"cannot combine v\+t: v takes vectors of templates, t of messages"):
        registry(models=models).get("model", "v+t")
    (record,) = run("sum", dataset=[[0, 1], [1, 1]] * 20, registry=found("vectors"), out=None)
    assert record.status == "skipped" and "only key sequences" in (record.error or {})["message"]


class Wrong(Marks):
    def of(self, texts: Sequence[str]) -> Any:
        return np.full((len(texts), 2), np.nan, dtype=np.float32)


def test_an_embedding_that_breaks_its_contract_ends_the_run(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", LINES)
    one = run_one(log, found("vectors"), "sum", SETTINGS, windower="session", parser="drain", embedding=Wrong)
    assert one.status == "error" and one.error is not None
    assert (one.error["stage"], one.error["message"]) == ("embed", "embedding: a vector is not finite")


PLUGIN = """
import logbench

@logbench.hookimpl
def logbench_models():
    from vector_spy import Sum
    traits = logbench.ModelTraits(supervision="unsupervised", needs=frozenset({"vectors"}), stochastic=False)
    yield logbench.ModelComponent("sum", Sum, traits=traits)

@logbench.hookimpl
def logbench_embeddings():
    from vector_spy import Marks
    yield logbench.EmbeddingComponent("marks", Marks)
"""


def test_a_sweep_over_embeddings_runs_models_in_processes_of_their_own(tmp_path: Path, run_logbench: Any) -> None:
    distribution(tmp_path / "site", "summing", PLUGIN)
    (tmp_path / "a.csv").write_text(
        "id,label,message\n" + "".join(f"{node},{label},{text}\n" for text, label, _, node in LINES)
    )
    (tmp_path / "my.toml").write_text(
        'files = "a.csv"\nformat = "csv"\nid = "id"\nlabel = "label"\nnormal = ["0"]\n'
        'message = "message"\nparser = "drain"\n'
    )
    own = [f"--set=protocol.{key}={value}" for key, value in SETTINGS["protocol"].items()]
    done = run_logbench(
        "sweep", "sum", "--dataset", "./my.toml", "--data", "a.csv", "--over", "embedding=marks,one-hot,hash",
        "--set", "hash.width=16", "--json", *own, "--out", "runs",
        PYTHONPATH=f"{tmp_path / 'site'}:{Path(vector_spy.__file__).parent}",
    )  # fmt: skip
    assert done.code == 0, done.err
    records = [json.loads(line) for line in (tmp_path / "runs" / "records.jsonl").read_text().splitlines()]
    made_by = [(one["components"]["embedding"]["name"], one["embedding"]["width"]) for one in records]
    assert made_by == [("marks", 2), ("one-hot", 3), ("hash", 16)], done.err
    frame = pl.read_parquet(tmp_path / "runs" / records[0]["artifacts"]["scores"])
    whole = {unit: expected(unit, "vectors", trained_by(frame)) for unit in frame["unit"]}
    assert dict(frame.select("unit", "raw").iter_rows()) == whole
