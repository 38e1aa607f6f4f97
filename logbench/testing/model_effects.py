"""Rules for models: they have no side effects, and save only into the given folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..api.optional_models import Loads, Saves
from ..base.stored_formats import ALLOWED, faulty_file
from ..data.sessions import Sessions
from .model import fit_other
from .model_fitted import asked_of, context_of, fitted, same, scored, train_of
from .outcome import InapplicableError, expect
from .rule import Subject, rule
from .side_effects import Watch, watched


@rule("model", "save", "a saved and loaded model gives the same scores, and writes only into the given folder")
def save(subject: Subject) -> None:
    model = fitted(subject).model
    having = [name for name, kind in (("save", Saves), ("load", Loads)) if isinstance(model, kind)]
    if not having:
        raise InapplicableError("it has no save(folder) and load(folder)")
    expect(len(having) == 2, "both save(folder) and load(folder)", f"only {having[0]}")
    folder = subject.fresh("saved")
    moved = folder.with_name(f"{folder.name}-moved")
    with watched(subject.fresh("watched"), folder, moved) as watch:
        model.save(folder)
        fit_other(subject)  # overwrites state that is kept only in memory
        folder.rename(moved)
        loaded = subject.build()
        loaded.load(moved)
    _only_there(watch)
    expect(not (wrong := faulty_file(moved)), f"files of {ALLOWED} alone: no bundle holds others", wrong)
    asked = asked_of(subject)
    same(fitted(subject).scores, scored(subject, loaded, asked), asked.ids, "the loaded model to score alike")


@rule("model", "input", "inputs are not changed")
def unchanged(subject: Subject) -> None:
    _, changed = _observed(subject)
    expect(not changed, "its input unchanged: the next model gets the same arrays", f"changed {changed}")


@rule("model", "random-state", "no global random state is touched")
def random_state(subject: Subject) -> None:
    watch, _ = _observed(subject)
    expect(not watch.states, "generators of its own, seeded by context.seed", f"{', '.join(watch.states)} moved")


@rule("model", "files", "nothing is written, and the working directory stays")
def files(subject: Subject) -> None:
    watch, _ = _observed(subject)
    _only_there(watch)
    expect(not watch.moved, "the working directory to stay", "it was changed")


def _only_there(watch: Watch) -> None:
    expect(
        not watch.written, "no file written outside the given folder", ", ".join(map(_short, watch.written[:3]))
    )


def _short(path: str) -> str:
    return f"…/{Path(path).name}" if len(path) > 60 else path


@rule("model", "quiet", "nothing is printed: context.note and context.progress are for that")
def quiet(subject: Subject) -> None:
    watch, _ = _observed(subject)
    expect(not watch.printed, "nothing on standard output (context.note tells the user)", repr(watch.printed[:60]))


def _observed(subject: Subject) -> tuple[Watch, str]:
    """Side effects of one fit and score, and the names of changed inputs."""

    def observe() -> tuple[Watch, str]:
        train, asked, context = train_of(subject), asked_of(subject), context_of(subject)
        assert context.held_out is not None
        given = {"train": train, "sessions": asked, "held_out": context.held_out}
        before = {name: _contents(sessions) for name, sessions in given.items()}
        model = subject.build()
        with watched(subject.fresh("watched")) as watch:
            model.fit(train, context)
            model.score(asked, context)
        return watch, ", ".join(name for name in given if _contents(given[name]) != before[name])

    return subject.cached("observed", observe)


def _contents(sessions: Sessions) -> list[bytes]:
    columns = [sessions.offsets, *(getattr(sessions, name) for name in Sessions.columns)]
    return [column.tobytes() for column in columns if isinstance(column, np.ndarray)]
