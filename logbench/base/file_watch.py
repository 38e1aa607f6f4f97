"""Watch which files plugin code opens, because a model that reads the data set's folder may read its labels."""

from __future__ import annotations

import functools
import glob
import importlib
import os
import re
import site
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

# System folders, which hold no data of a run.
SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")
# Memory of other processes and shared memory, which may hold such data.
OTHERS = re.compile(r"/proc/\d+/|/dev/shm/")
# Suffixes of importable files.
CODE = (".py", ".pyc", ".so", ".pyd")
# Audit event of a started program → index of the argument with the command.
STARTING = {"subprocess.Popen": 1, "os.system": 0, "os.exec": 1, "os.posix_spawn": 1, "os.spawn": 2}
# Names of folders of installed distributions.
INSTALLED = ("site-packages", "dist-packages")
# Metadata folders of distributions, relative to a folder of modules.
METADATA = re.compile(r"[^/]+\.(dist|egg)-info/")
# Audit events of listed folders, because a file name may tell the label.
LISTING = ("os.listdir", "os.scandir")
# C functions, by their names in ctypes, that reach files, other processes or their memory.
NATIVE = frozenset({
    "open", "open64", "openat", "fopen", "fopen64", "freopen", "opendir", "mmap", "syscall", "system", "popen",
    "execv", "execve", "execvp", "posix_spawn", "process_vm_readv", "ptrace", "shm_open", "shmat", "connect",
})  # fmt: skip
# A file in an SQL query of polars.
QUERIED = re.compile(r"""(?:read|scan)_\w+\s*\(\s*'([^']+)'""", re.IGNORECASE)
# Flags of files opened for writing.
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Prefix of the path of a written file in the list of opened files.
WRITTEN = "(written) "
# Audit events that rename or link a file.
NAMING = ("os.link", "os.rename")
_watching: list[Watch] = []


class Watch:
    """Record the files that this process opens from now on, except those of Python and the system.

    Also records listed folders, started programs and C functions that reach files, and those of forked processes.
    Files opened by native code are missed, except by polars after `watch_polars`.
    """

    def __init__(self) -> None:
        self._system = _within([*SYSTEM, *_python()])
        self._modules = _within([os.path.realpath(path) for path in sys.path if path])
        self._own = _within([f"/proc/{os.getpid()}"])
        self._opened = tempfile.TemporaryFile()  # noqa: SIM115  forked processes write to the same file
        self._taken = 0
        self._made: set[str] = set()
        _hook()
        _watching.append(self)

    def take(self, allowed: Sequence[Path], own: Sequence[Path] = ()) -> list[str]:
        """Files opened since the last call, except those in `allowed`.

        Args:
            allowed: files and folders that may be read and written.
            own: files of the distribution, which may be read but not written, because another of its models
                may read them.
        """
        size = os.fstat(self._opened.fileno()).st_size
        written = _read_from(self._opened.fileno(), size - self._taken, self._taken)
        self._taken = size
        owned, free = _within(map(os.path.realpath, own)), _within(map(os.path.realpath, allowed))
        opened = []
        for text in dict.fromkeys(map(os.fsdecode, written.split(b"\0")[:-1])):
            within = f"{text.removeprefix(WRITTEN)}{os.sep}"
            left = text.startswith(WRITTEN)
            if within.startswith(owned) if left else not within.startswith((*owned, *free)):
                opened.append(text)
        return opened

    def end(self) -> None:
        """Stop watching."""
        _watching.remove(self)
        self._opened.close()

    def see(self, event: str, arguments: Sequence[Any]) -> None:
        """Record an audit event."""
        if event in ("open", "sqlite3.connect"):
            self.see_file(arguments[0])
            if event == "open" and (arguments[2] or 0) & WRITING:
                self._see_written(arguments[0])
        elif event in NAMING:
            self.see_file(arguments[0])
            self._made.add(os.path.realpath(os.fsdecode(arguments[1])))
        elif event == "os.mkdir":
            self._made.add(os.path.realpath(os.fsdecode(arguments[0])))
        elif event in LISTING:
            self._see_folder(arguments[0])
        elif event == "ctypes.dlsym" and arguments[1] in NATIVE:
            self._note(f"(a function of C) {arguments[1]}")
        elif event in STARTING:
            self._see_program(arguments[STARTING[event]])

    def see_file(self, path: Any) -> None:
        """Record an opened file."""
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor that is open already
        if b"\0" in os.fsencode(path):
            return  # no path, but bytes to read
        file = os.path.realpath(os.fsdecode(path))
        if not os.path.lexists(file):
            self._made.add(file)  # a file that the plugin creates tells it nothing
        if not (file in self._made or self._is_system(file) or self._is_code(file)):
            self._note(file)

    def _is_system(self, file: str) -> bool:
        within = f"{file}{os.sep}"
        return within.startswith(self._own) or (within.startswith(self._system) and not OTHERS.match(within))

    def _is_code(self, file: str) -> bool:
        """Whether a file is a module or metadata of a distribution, below a folder of `sys.path`.

        Only folders that were on `sys.path` at the start count, because a model may add any folder.
        """
        roots = [folder for folder in self._modules if file.startswith(folder)]
        is_module = file.endswith(CODE) and _folder_of_module(Path(file)) in _imported()
        return any(is_module or METADATA.match(file[len(folder) :]) for folder in roots)

    def _see_written(self, path: Any) -> None:
        """Record a written file, which other models of the distribution may read."""
        if isinstance(path, str | bytes | os.PathLike):
            file = os.path.realpath(os.fsdecode(path))
            if "__pycache__" not in file:  # Python writes those itself
                self._note(f"{WRITTEN}{file}")

    def _see_folder(self, path: Any) -> None:
        """Record a listed folder, except those that Python searches for modules."""
        if not isinstance(path, str | bytes | os.PathLike):
            path = "."  # None means the working directory; a descriptor was opened by its path
        folder = os.path.realpath(os.fsdecode(path))
        if not (folder in self._made or folder in _imported() or self._is_system(folder)):
            self._note(f"{folder}{os.sep}")

    def _see_program(self, command: Any) -> None:
        words = command if isinstance(command, list | tuple) else [command]
        texts = [os.fsdecode(word) for word in words if isinstance(word, str | bytes | os.PathLike)]
        python = len(texts) > 1 and texts[0] == sys.executable
        if not (python and self._is_system(os.path.realpath(texts[1]))):  # such as one that compiles for torch
            self._note(f"(a program) {' '.join(texts)}")

    def _note(self, text: str) -> None:
        os.write(self._opened.fileno(), os.fsencode(text) + b"\0")


@functools.cache
def _hook() -> None:
    """Install the audit hook once a process. It cannot be removed, and is idle while nobody watches."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        for watch in _watching:
            watch.see(event, arguments)

    sys.addaudithook(audit)


def _folder_of_module(file: Path) -> str:
    """The `sys.path` folder from which Python imports a module in this file."""
    folder = file.parent.parent if file.parent.name == "__pycache__" else file.parent
    return str(folder.parent if file.name.startswith("__init__.") else folder)


def _imported() -> set[str]:
    """Folders that Python searched for modules."""
    return {os.path.realpath(known) for known in sys.path_importer_cache}


def _within(folders: Iterable[str]) -> tuple[str, ...]:
    """Prefixes with a final separator: a path with one starts with a prefix if it is or lies in the folder."""
    return tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in folders)


def watch_polars() -> None:
    """Make the readers of polars visible to a `Watch`, because they open files in native code."""
    seen = {id(value): _seen(value) for name, value in vars(pl).items() if name.startswith(("read_", "scan_"))}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "polars":
            for attribute, value in list(vars(module).items()):
                if id(value) in seen:
                    setattr(module, attribute, seen[id(value)])
    pl.SQLContext.execute = _queried(pl.SQLContext.execute)  # type: ignore[method-assign]


def watch_processes() -> None:
    """Make programs visible that start without an audit event, as in `multiprocessing` and joblib."""
    try:
        starting: Any = importlib.import_module("_posixsubprocess")
    except ImportError:  # another system
        return
    start: Callable[..., int] = starting.fork_exec

    def begin(command: Sequence[Any], *arguments: Any) -> int:
        if not any("resource_tracker" in os.fsdecode(word) for word in command):  # it reads no data
            for watch in _watching:
                watch.see("os.exec", ("", command))
        return start(command, *arguments)

    starting.fork_exec = begin


def _read_from(number: int, size: int, begin: int) -> bytes:
    """Bytes of a file that a forked process may write to meanwhile."""
    if sys.platform != "win32" and hasattr(os, "pread"):
        return os.pread(number, size, begin)
    os.lseek(number, begin, os.SEEK_SET)
    return os.read(number, size)  # up to where it goes on to be written


def _seen(reader: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(reader)
    def read(*arguments: Any, **options: Any) -> Any:
        for source in (*arguments[:1], options.get("source")):
            for one in source if isinstance(source, list | tuple) else [source]:
                _see_native(one)
        return reader(*arguments, **options)

    return read


def _queried(execute: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(execute)
    def ask(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        for path in QUERIED.findall(query):
            _see_native(path)
        return execute(self, query, *arguments, **options)

    return ask


def _see_native(path: Any) -> None:
    """Record a file that native code opens, or all files of a pattern."""
    for watch in _watching:
        if isinstance(path, str) and glob.has_magic(path) and not os.path.lexists(path):
            for one in glob.glob(path, recursive=True):  # noqa: PTH207  as polars reads it
                watch.see_file(one)
        else:
            watch.see_file(path)


def _python() -> list[str]:
    """Folders of the interpreter, of installed packages, and of this one, which need not lie among them."""
    installed = (*sysconfig.get_paths().values(), *site.getsitepackages())
    found = {sys.prefix, sys.base_prefix, *installed, str(Path(__file__).parents[1])}
    found |= {path for path in sys.path if Path(path).name in INSTALLED}  # of an environment below this one, too
    return [os.path.realpath(path) for path in found]
