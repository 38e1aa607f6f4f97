"""Arrays in a file that is checked before memory is taken for them: what a model saves and loads."""

from __future__ import annotations

import math
import re
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from .errors import DataError
from .regular_files import open_regular
from .unpack_limits import ceiling

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Times its packed size that a file of arrays may unpack to, unless `--unpack-ratio` says otherwise.
RATIO = 100.0
# Bytes up to which any ratio is right.
SMALL = 64 << 20
# Kinds of numbers and texts whose bytes are the value; an object would be a pickle.
KINDS = "biufcSU"
# What zipfile and NumPy raise where a file is missing, damaged or made by hand.
FAULTS = (OSError, ValueError, KeyError, RuntimeError, NotImplementedError, EOFError, BadZipFile, zlib.error)
_WANTED = re.compile(r"(?P<type>\w+)(?: \[(?P<sizes>.*)\])?")


def save_arrays(file: Path, **arrays: ArrayLike) -> None:
    """Write numbers and arrays of numbers or texts to a new npz file, for `load_arrays`.

    Raises:
        TypeError: an array holds objects, which would be a pickle.

    Example:

        logbench.save_arrays(folder / "state.npz", known=self.known, limit=self.limit)
    """
    made = {name: np.asarray(value) for name, value in arrays.items()}
    for name, array in made.items():
        if array.dtype.kind not in KINDS:
            raise TypeError(f"{name} holds {array.dtype}, which no file of arrays can hold; save numbers or texts")
    with file.open("xb") as target:
        np.savez(target, **made)  # type: ignore[arg-type]


def load_arrays(file: Path, **wanted: str) -> dict[str, Any]:
    """Arrays of a file that `save_arrays` wrote, each of the type and shape that is asked for.

    Nothing in the file can run code, or take more memory than it has bytes: sizes are compared first. Indices in
    an array may still point anywhere, so a model checks those that it follows.

    Args:
        wanted: type and shape of each array: `float64 [rows, columns]`, where a name stands for the same size each
            time, and `rows + 1` for one more; `int64 [3]`; `float64` alone is a number and comes as one.

    Raises:
        DataError: the file is missing or damaged, or lacks an array of this type and shape, or one holds NaN.

    Example:

        state = logbench.load_arrays(folder / "state.npz", known="bool [keys]", limit="float64")
        self.known, self.limit = state["known"], state["limit"]
    """
    try:
        with open_regular(file) as opened:
            found = _read(opened, wanted)
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        NotImplementedError,
        BadZipFile,
        EOFError,
    ) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:300]
        raise DataError(f"{file}: no saved arrays of this model: {reason}") from error
    return found


def _read(opened: IO[bytes], wanted: dict[str, str]) -> dict[str, Any]:
    check_npz(opened)
    sizes: dict[str, int] = {}
    found = {}
    with np.load(opened, allow_pickle=False) as saved:
        for name, kind in wanted.items():
            if name not in saved.files:
                raise ValueError(f"it has no array {name!r}")
            found[name] = _fitting(saved[name], kind, name, sizes)
    return found


def _fitting(array: NDArray[Any], kind: str, name: str, sizes: dict[str, int]) -> Any:
    """The array as the wanted type; ValueError where it has another type or shape, or NaN."""
    wanted, sides = _parsed(kind)
    fits = array.ndim == len(sides) and _castable(array.dtype, wanted)
    for (side, more), size in zip(sides, array.shape, strict=False):
        known = sizes.setdefault(side, int(side) if side.isdigit() else size - more)
        fits = fits and known >= 0 and known + more == size
    if not fits:
        raise ValueError(f"{name!r} is {array.dtype} {list(array.shape)}, not {kind}")
    if array.dtype.kind in "fc" and np.isnan(array).any():
        raise ValueError(f"{name!r} holds NaN")
    made = array if wanted.kind in "SU" else array.astype(wanted, copy=False)
    return made if sides else made.item()


def _parsed(kind: str) -> tuple[np.dtype[Any], list[tuple[str, int]]]:
    """Type, and name of each side with what it has more, of `float64 [rows, units + 1]`."""
    asked = _WANTED.fullmatch(kind)
    assert asked is not None, kind
    sides = [side.partition("+") for side in (asked["sizes"] or "").split(",") if side]
    return np.dtype(asked["type"]), [(side.strip(), int(more or 0)) for side, _, more in sides]


def _castable(given: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    return given.kind == wanted.kind if wanted.kind in "SU" else np.can_cast(given, wanted, "safe")


def check_npz(opened: IO[bytes]) -> None:
    """Read the headers of an npz file, and nothing else; the position is at its beginning afterwards.

    Raises:
        ValueError: it is none, an array is no array of numbers or texts, or has another size than its header says.
        BadZipFile: it is damaged.
    """
    packed = opened.seek(0, 2)
    opened.seek(0)
    with ZipFile(opened) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if len(set(names)) < len(names):
            raise ValueError("it holds an array twice")
        if sum(entry.compress_size for entry in entries) > packed:
            raise ValueError("its arrays share bytes")
        if sum(entry.file_size for entry in entries) > (most := ceiling(packed, RATIO, SMALL)):
            raise ValueError(f"unpacks to more than {most:,} bytes; if that is right: logbench --unpack-ratio N …")
        for entry in entries:
            if not entry.filename.endswith(".npy"):
                raise ValueError(f"{entry.filename[:80]!r} in it is no array")
            with archive.open(entry) as member:
                check_npy(member, entry.file_size)
    opened.seek(0)


def check_npy(opened: IO[bytes], size: int) -> None:
    """Read the header of an npy file of `size` bytes.

    Raises:
        ValueError: it is none, holds objects, or its shape and type do not make these bytes.
    """
    version = np.lib.format.read_magic(opened)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of version {version} of the format; 1.0 and 2.0 are read")
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = header(opened)
    except Exception as error:  # a literal of Python, which its tokenizer, parser and NumPy refuse in many ways
        raise ValueError("the header of an array is damaged") from error
    cells = math.prod(map(int, shape))
    if dtype.kind not in KINDS or (dtype.itemsize == 0 and cells):
        raise ValueError(f"an array of {str(dtype)[:80]}, which is neither numbers nor texts")
    if any(side < 0 for side in shape) or len(shape) > 32:
        raise ValueError(f"an array of shape {str(shape)[:80]}")
    if cells * dtype.itemsize != size - opened.tell():
        raise ValueError(f"an array of {str(dtype)[:80]} {str(list(shape))[:80]} in {size:,} bytes")
