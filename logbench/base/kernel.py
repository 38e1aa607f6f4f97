"""Load the compiled kernel (`kernel.c` and what stands beside it), where it was built, and code texts by it.

`LOGBENCH_KERNEL` says which way is taken: `off` leaves all to polars, `on` is an error without the kernel, a path
names a built library. Both ways give the same, so nothing but time depends on it.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import weakref
from collections.abc import Callable
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_int32,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
    sizeof,
)  # fmt: skip
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .byte_patterns import Table
from .errors import ConfigError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

VARIABLE = "LOGBENCH_KERNEL"
# What the kernel says of a text, and its sets of a byte. Where it cannot tell, polars looks at the text.
NO, YES, PERHAPS = range(3)
# Not `kernel.so`: Python would take it for the module `kernel`. What is loaded by its path may have any name.
LIBRARY = Path(__file__).with_name("kernel.library")
# Names that Python splits as fast as polars does.
_FEW = 10_000
_OUTCOMES = {1: "no memory", 2: "texts of another type", 3: "the stream of texts broke"}


class _Pattern(Structure):
    _fields_ = (
        ("next", c_char_p),
        ("accepts", c_char_p),
        ("ranges", c_char_p),
        ("first", c_int32),
        ("runs", c_uint8),
        ("joins", c_uint8 * 2),
    )


class _Rules(Structure):
    _fields_ = (
        ("after", c_char_p),
        ("after_size", c_size_t),
        ("shape", _Pattern),
        ("with", c_char_p),
        ("with_size", c_size_t),
        ("id", _Pattern),
        ("stamp", c_size_t),
        ("seed", c_uint64),
    )


class _Names(Structure):
    _fields_ = (
        ("bytes", c_void_p),
        ("size", c_size_t),
        ("room", c_size_t),
        ("ends", POINTER(c_uint64)),
        ("hashes", c_void_p),
        ("places", c_void_p),
        ("count", c_uint32),
        ("slots", c_uint32),
    )


class _Codes(Structure):
    _fields_ = (
        *((name, c_uint64) for name in ("texts", "events", "room", "without")),
        ("text", POINTER(c_uint32)),
        *((name, POINTER(c_int32)) for name in ("id", "shape", "stamp")),
        *((name, _Names) for name in ("ids", "shapes", "stamps")),
    )


@dataclass(frozen=True)
class Rules:
    """What is told of a text.

    Attributes:
        after: the message begins after the first of these; where there is none, or it is empty, with the text.
        shape: pattern whose matches in the message are replaced by `put`; None: the message is its own shape.
        id: pattern of ids anywhere in the text; None: none are looked for.
        stamp: characters at the text's begin; 0: none are told.
        seed: of hashes, so that nobody can write a log whose names fall on one place.
    """

    after: str = ""
    shape: Table | None = None
    put: str = ""
    id: Table | None = None
    stamp: int = 0
    seed: int = field(default_factory=partial(secrets.randbits, 64), compare=False, repr=False)


@dataclass(frozen=True)
class Coded:
    """Events of texts: one for each distinct id that a text names, one for a text that names none.

    Attributes:
        texts: number of texts. without: of those that name no id, where ids are looked for.
        text: uint32 [events], the text's number. id, shape, stamp: int32 [events], numbers of names; −1: no id,
            and no shape of a text without one.
        ids, shapes, stamps: names in first-seen order.
    """

    texts: int
    without: int
    text: NDArray[np.uint32]
    id: NDArray[np.int32]
    shape: NDArray[np.int32]
    stamp: NDArray[np.int32]
    ids: Names
    shapes: Names
    stamps: Names


class Names:
    """Distinct names in first-seen order, in the kernel's memory; a `Kernel` makes them."""

    def __init__(self, loaded: ctypes.CDLL, raw: _Names | None = None) -> None:
        self._loaded, self._raw = loaded, raw or _Names()
        weakref.finalize(self, loaded.logbench_free_names, self._raw)

    def __len__(self) -> int:
        return int(self._raw.count)

    def join(self, some: Names) -> NDArray[np.int32]:
        """Add those of `some` that are new, coded with the same `Rules.seed`; the number of each here, int32.

        Raises:
            MemoryError: there is too little.
        """
        number = np.empty(len(some), dtype=np.int32)
        if self._loaded.logbench_join(byref(self._raw), byref(some._raw), number.ctypes.data):
            raise MemoryError(_OUTCOMES[1])
        return number

    def series(self) -> pl.Series:
        """The names, String."""
        return _series(self._raw)


class Kernel:
    """The functions of a built library.

    Attributes:
        functions: all of them, see `kernel_json.py` for others.

    Raises:
        OSError: it cannot be loaded, or was built from another `kernel.c`.
    """

    def __init__(self, library: Path) -> None:
        self.library = library
        self.functions = ctypes.CDLL(str(library.absolute()))
        source, self._code, self._code_lines, self._free, self._place, join, free_names = (
            getattr(self.functions, f"logbench_{name}")
            for name in ("source", "code", "code_lines", "free", "place", "join", "free_names")
        )
        source.restype = c_char_p
        if source() != digest().encode():
            raise OSError(f"{library}: built from another kernel.c; install logbench again")
        self._code.argtypes, self._code.restype = (c_void_p, POINTER(_Rules), POINTER(_Codes)), c_int
        self._code_lines.argtypes = c_char_p, c_size_t, POINTER(_Rules), POINTER(_Codes)
        self._code_lines.restype = c_int
        self._free.argtypes, self._free.restype = (POINTER(_Codes),), None
        join.argtypes, join.restype = (POINTER(_Names), POINTER(_Names), c_void_p), c_int
        free_names.argtypes, free_names.restype = (POINTER(_Names),), None
        self._place.argtypes, self._place.restype = (c_void_p, c_size_t, c_void_p, c_void_p), None

    def code(self, texts: pl.Series, rules: Rules) -> Coded:
        """Code String [n], null as the empty text; threads may call at once.

        Raises:
            MemoryError: there is too little.
        """
        stream = texts.__arrow_c_stream__()
        return self._coded(partial(self._code, pointer(stream, b"arrow_array_stream")), rules)

    def code_lines(self, lines: bytes, rules: Rules) -> Coded:
        """Code the lines of valid UTF-8, as `byte_streams.parse` cuts them; threads may call at once.

        Raises:
            MemoryError: there is too little.
        """
        return self._coded(partial(self._code_lines, lines, len(lines)), rules)

    def names(self) -> Names:
        """No names yet, for others to join."""
        return Names(self.functions)

    def check(self, outcome: int) -> None:
        """Check what a function returned.

        Raises:
            MemoryError: there was too little. OSError: polars gave what it should not.
        """
        if outcome:
            raise (MemoryError if outcome == 1 else OSError)(f"{self.library}: {_OUTCOMES[outcome]}")

    def _coded(self, code: Callable[[_Rules, _Codes], int], rules: Rules) -> Coded:
        codes = _Codes()
        try:
            self.check(code(_raw(rules), codes))
            columns = (getattr(codes, name) for name in ("text", "id", "shape", "stamp"))
            text, id_, shape, stamp = (_array(column, codes.events) for column in columns)
            ids, shapes, stamps = (
                Names(self.functions, _moved(getattr(codes, f"{name}s"))) for name in ("id", "shape", "stamp")
            )
            return Coded(codes.texts, codes.without, text, id_, shape, stamp, ids, shapes, stamps)
        finally:
            self._free(codes)

    def places(self, unit: NDArray[np.int32], place: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where each event goes, sorted by unit, int64 [events]; the next free `place` of each unit moves on."""
        unit, at = np.ascontiguousarray(unit, dtype=np.int32), np.empty(len(unit), dtype=np.int64)
        assert place.dtype == np.int64 and place.flags.c_contiguous
        assert not len(unit) or (unit.min() >= 0 and unit.max() < len(place))
        self._place(unit.ctypes.data, len(unit), place.ctypes.data, at.ctypes.data)
        return at


@lru_cache
def digest() -> str:
    """Names the sources that a library was built from, 16 hex digits."""
    read = b"".join(path.read_bytes() for path in sorted(LIBRARY.parent.glob("kernel*.[ch]")))
    return sha256(read.replace(b"\r\n", b"\n")).hexdigest()[:16]


def kernel() -> Kernel | None:
    """The kernel, or None where lines are read by polars, see the module.

    Raises:
        ConfigError: `LOGBENCH_KERNEL` asks for it, and it cannot be loaded.
    """
    asked = os.environ.get(VARIABLE, "")
    if asked == "off":
        return None
    found = _loaded(LIBRARY if asked in ("", "on") else Path(asked))
    if isinstance(found, Kernel):
        return found
    if asked:
        raise ConfigError(f"{VARIABLE}={asked}: {found}")
    return None


def in_use() -> str:
    """Say how lines are read, and why, for people."""
    if found := kernel():
        return f"compiled kernel ({found.library})"
    return f"polars ({VARIABLE}=off)" if os.environ.get(VARIABLE) else f"polars ({_loaded(LIBRARY)})"


@lru_cache
def _loaded(library: Path) -> Kernel | str:
    """The kernel of a library, or why there is none."""
    import polars as pl

    if not library.is_file():
        installed = f"no {library.name}: no C compiler when logbench was installed"
        return installed if library == LIBRARY else "no such file"
    texts = ["a", None, "longer than twelve bytes"]
    try:
        found = Kernel(library)
        coded = found.code(pl.Series(texts), Rules())
        return (
            found
            if coded.shapes.series().to_list() == [text or "" for text in texts]
            else f"{library}: codes wrongly"
        )
    except (OSError, AttributeError) as error:
        return str(error)


def _raw(rules: Rules) -> _Rules:
    after, put = rules.after.encode(), rules.put.encode()
    shape, ids = _pattern(rules.shape), _pattern(rules.id)
    return _Rules(after, len(after), shape, put, len(put), ids, rules.stamp, rules.seed)


def _pattern(table: Table | None) -> _Pattern:
    if table is None:
        return _Pattern(None, None, None, -1)
    joins = table.joins or b"\0\0"
    runs = table.joins is not None
    return _Pattern(table.next, table.accepts, table.ranges, table.first, runs, (c_uint8 * 2)(joins[0], joins[-1]))


def _moved(names: _Names) -> _Names:
    """The names, which their place forgets."""
    moved = _Names.from_buffer_copy(names)
    ctypes.memset(byref(names), 0, sizeof(names))
    return moved


def _array(pointer: Any, size: int) -> NDArray[Any]:
    if not size:
        return np.empty(0, dtype=pointer._type_)
    return np.ctypeslib.as_array(pointer, shape=(size,)).copy()


def _series(names: _Names) -> pl.Series:
    """The names, String; polars splits many of them, unless one holds a line end itself."""
    import polars as pl

    if not names.count:
        return pl.Series(dtype=pl.String)
    held = ctypes.string_at(names.bytes, names.size)
    if held.count(b"\n") > names.count:
        ends = [0, *(end + 2 for end in names.ends[: names.count])]
        return pl.Series([held[begin : end - 2].decode() for begin, end in pairwise(ends)], dtype=pl.String)
    if names.count < _FEW:  # polars begins slowly
        return pl.Series(held.decode().split("\r\n")[:-1], dtype=pl.String)
    return pl.read_lines(b"\r\n" + held, name="").slice(1).to_series()  # nothing looks packed after a line end


def pointer(capsule: Any, name: bytes) -> int:
    """What a capsule of Python points to."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = c_void_p, (ctypes.py_object, c_char_p)
    return int(get(capsule, name) or 0)
