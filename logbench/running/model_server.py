"""Serve models of one distribution in a process that holds no label they must not see.

Answers requests one after another, each a JSON object with the key `do`. Arrays travel as files.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..api.optional_models import MODEL_METHODS
from ..base.child_process import TICK_S, serving
from ..base.code_files import located
from ..base.errors import PluginError
from ..base.failure import failure_of
from ..base.file_watch import Watch, watch_polars, watch_processes
from ..base.freed_memory import give_back
from ..base.jsonable import to_jsonable
from ..base.loading import loading
from ..base.process_tree import adopt
from ..base.state_guard import guarded
from ..components.configured import configured
from ..components.entry import Plugin, installed
from ..components.lone_modules import make_importable
from ..components.registry import Registry
from ..data import handout
from ..data.scores import Scores, facts_of
from ..data.sessions import Sessions
from .models import update_all
from .provenance import forget_peaks, gpu_name, peak_gpu_mb, peak_rss_mb
from .said import SAID

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ..api.contracts import Model

# Columns of `Scores` that travel as files with these names.
ARRAYS = ("primary", "event", "ignoring", "ignoring_event", "events", "unjudged")
# Of the command that starts another process of a model.
SPAWNED = "from multiprocessing.spawn import spawn_main"
# Seconds to wait for threads that a model leaves running.
GRACE_S = 3.0
SAID_FILE = "said.arrow"


def serve(descriptor: int, block: Sequence[str]) -> None:
    """Answer requests until the pipe closes. The first says whose models are served.

    That is its `home`: the distribution whose plugins are loaded, or the path of a file of the user's own.

    Args:
        block: plugins not to load.
    """
    pipe = serving(descriptor)
    adopt()
    watch_polars()
    watch_processes()
    there = installed()
    if not pipe.poll():  # nobody asks yet, so there is time for what many models load
        with loading():
            import_module("scipy.sparse")
    try:
        home = json.loads(pipe.recv_bytes())["home"]
    except (EOFError, OSError):  # no model runs
        return
    plugins = [plugin for plugin in there if plugin.distribution == home]
    if not plugins:
        make_importable(Path(home))
    watch = Watch()  # from before plugins load until the end, because their threads may open files
    server = Server(pipe, plugins, block, watch)
    with contextlib.suppress(EOFError, OSError):
        while True:
            server.answer(json.loads(pipe.recv_bytes()))


class Server:
    """Holds models by name, and the handed-out units."""

    def __init__(self, pipe: Connection, plugins: Sequence[Plugin], block: Sequence[str], watch: Watch) -> None:
        self._pipe, self._block, self._watch = pipe, block, watch
        self._plugins = {plugin.name: plugin for plugin in plugins}
        self._registries: dict[str, Registry] = {}
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._models: dict[str, Model] = {}
        packages = (located(plugin.module.partition(".")[0]) for plugin in plugins)
        self._own = [found.path for found in packages if found is not None and found.path.is_dir()]
        self._units: dict[str, Sessions] = {}
        self._left: set[threading.Thread] = set()

    def answer(self, request: Mapping[str, Any]) -> None:
        """Do one request; send its result or its error."""
        action: Callable[[Mapping[str, Any]], Mapping[str, Any]] = getattr(self, f"do_{request['do']}")
        resident = forget_peaks()  # of models that this process served before
        begun, cpu = time.perf_counter(), time.process_time()
        try:
            if request["do"] == "build":
                self._registry(request["plugin"])  # what loading a plugin changes stays changed
            with self._apart(request):
                result = action(request)
        except BaseException as error:
            self._send("failed", to=_address(request), **failure_of(error))
            if not isinstance(error, Exception | SystemExit):
                raise  # such as a panic in native code, after which the process cannot be trusted
            return
        self._send(
            "done",
            to=_address(request),
            **result,
            wall_s=round(time.perf_counter() - begun, 4),
            cpu_s=round(time.process_time() - cpu, 4),
            peak_rss_mb=round(peak := peak_rss_mb(), 1),
            added_rss_mb=None if resident is None else round(max(peak - resident, 0.0), 1),
            peak_gpu_mb=peak_gpu_mb(),
            gpu=gpu_name(),
        )
        give_back()  # the worker evaluates meanwhile

    def do_build(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Build the model at `address` of `plugin` with `config`; return its optional `methods`."""
        entry = self._registry(request["plugin"]).get("model", request["address"])
        with contextlib.nullcontext() if self._models else loading():  # else it would keep what they left
            model = configured(entry, request["config"]).build()
        self._models[request["name"]] = model
        return {"methods": [name for name, kind in MODEL_METHODS.items() if isinstance(model, kind)]}

    def do_fit(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fit on `units`; return the model's `facts`."""
        answer = self._model(request).fit(self._handed(request["units"]), self._context(request))
        return {"facts": to_jsonable(facts_of(answer, f"model {request['name']!r}: fit"))}

    def do_score(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Score `units`; write arrays into the folder `answer`, return `facts` and names of `others`."""
        units = self._handed(request["units"])
        answer = self._model(request).score(units, self._context(request))
        scores = Scores.of(answer, len(units), request["name"], len(units.keys))
        folder = Path(request["answer"])
        for name in ARRAYS:
            if (column := getattr(scores, name)) is not None:
                np.save(folder / f"{name}.npy", column)
        for number, column in enumerate(scores.others.values()):
            np.save(folder / f"other{number}.npy", column)
        return {"facts": to_jsonable(dict(scores.facts)), "others": list(scores.others)}

    def do_expected(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write keys expected at `events` of `units` as an Arrow file into the folder `answer`."""
        return self._say(request)

    def do_explain(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write why `events` of `units` decided as an Arrow file into the folder `answer`."""
        return self._say(request)

    def _say(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        method = request["do"]
        events = np.array(request["events"], dtype=np.int64)
        said = getattr(self._model(request), method)(
            self._handed(request["units"]), events, self._context(request)
        )
        if not isinstance(said, pl.Series):
            got, wanted = type(said).__name__, "keys" if method == "expected" else "texts"
            raise PluginError(f"model {request['name']!r}: {method} must return a Series of {wanted}, got {got}")
        column, dtype = SAID[method]
        pl.DataFrame({column: said.cast(dtype)}).write_ipc(Path(request["answer"]) / SAID_FILE)
        return {}

    def do_update(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Learn from `units`, one after another, with their `verdicts`, and their `labels` (-1: not told)."""
        update_all(self._model(request), self._handed(request["units"]), request["verdicts"], request["labels"])
        return {}

    def do_save(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Save into the existing `folder`."""
        model: Any = self._model(request)
        model.save(Path(request["folder"]))
        return {}

    def do_load(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Load from `folder`."""
        model: Any = self._model(request)
        model.load(Path(request["folder"]))
        return {}

    def _registry(self, name: str) -> Registry:
        """A registry of one plugin, since loading all of a distribution takes longer than many a run."""
        if name not in self._registries:
            one = [self._plugins[name]] if name in self._plugins else []  # none offers a file of the user's own
            self._registries[name] = Registry(one, self._block, kinds=("model",))
        return self._registries[name]

    def _model(self, request: Mapping[str, Any]) -> Model:
        return self._models[request["name"]]

    def _handed(self, values: Mapping[str, Any]) -> Sessions:
        """Read units once for all models that get them, so that shared steps are done once."""
        handed = handout.Handout(**values)
        if handed.labels is not None:  # for this model alone
            return handout.read(handed)
        if handed.folder not in self._units:
            self._units[handed.folder] = handout.read(handed)
        return self._units[handed.folder]

    def _context(self, request: Mapping[str, Any]) -> Context:
        values = dict(request["context"])
        held_out = values.pop("held_out")
        return Context(
            **values,
            held_out=None if held_out is None else self._handed(held_out),
            progress=self._progress(),
            note=self._note,
        )

    def _progress(self) -> Any:
        last = time.monotonic()

        def report(done: float, total: float | None = None, detail: str = "") -> None:
            nonlocal last
            if time.monotonic() - last > TICK_S:
                last = time.monotonic()
                self._send("progress", done=float(done), total=total and float(total), detail=str(detail))

        return report

    @contextlib.contextmanager
    def _apart(self, request: Mapping[str, Any]) -> Iterator[None]:
        """Restore global state after a request, and report opened files that are not the distribution's own.

        Includes files opened since the last request.
        """
        with guarded(self._note), contextlib.redirect_stdout(sys.stderr):
            yield
            self._wait_for_threads()
            _flush()
        given = [Path(request[name]) for name in ("answer", "folder", "handed") if name in request]
        opened = self._watch.take(given, self._own)
        if (request.get("context") or {}).get("devices", 1) > 1 and any(SPAWNED in name for name in opened):
            opened = [name for name in opened if SPAWNED not in name]
            self._note("its other processes, which --devices asks for, are not watched: they may open any file")
        if opened:
            self._send("opened", files=opened)

    def _wait_for_threads(self) -> None:
        """Wait a little for threads that the model left running; note those that do not end."""
        others = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
        for thread in set(others) - self._left:
            thread.join(GRACE_S)
        if left := [thread.name for thread in others if thread.is_alive() and thread not in self._left]:
            self._left |= set(others)
            self._note(f"left running: {', '.join(left)}")

    def _note(self, text: str) -> None:
        self._send("note", text=str(text))

    def _send(self, kind: str, **values: Any) -> None:
        if os.getpid() != self._process:  # a model forked, and its copy of this process went on
            os._exit(1)
        with self._lock:  # a model may report from a thread
            self._pipe.send_bytes(json.dumps({"kind": kind, **values}).encode())


def _flush() -> None:
    """Flush the model's prints, those of C code too, before the process may be killed."""
    sys.stderr.flush()
    with contextlib.suppress(OSError, TypeError, AttributeError):  # if the C library has no such name
        ctypes.CDLL(None).fflush(None)


def _address(request: Mapping[str, Any]) -> list[str]:
    """Request and model that an answer belongs to."""
    return [request["do"], request["name"]]
