"""Traces of system calls: ADFA-LD (Linux, Creech and Hu 2013) and AWSCTD (Windows)."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from logbench import Card, DataError

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import KeySequences, LogFiles

FOLDERS = (
    ("Training_Data_Master", "train", 0),
    ("Validation_Data_Master", "test", 0),
    ("Attack_Data_Master", "test", 1),
)

ADFA = Card(
    title="ADFA-LD: 5,951 traces of Linux system calls",
    label="a trace is anomalous where it was recorded during an attack, as its folder says",
    layout=f"the archive ADFA-LD.zip, or a folder with the folders {', '.join(name for name, _, _ in FOLDERS)}",
    parser="none",
    windower="session",
    protocol="given-part",
    unit="trace",
    citation="Creech and Hu, WCNC 2013, doi 10.1109/wcnc.2013.6555301",
    cite=(works.CREECH,),
    faults=(
        "where it is published, its digest and its licence are not known here",
        "system calls come without arguments and times",
    ),
    published={"sessions": 5_951, "anomalies": 746, "events": 2_747_550},
)
AWSCTD = Card(
    title="AWSCTD: traces of Windows system calls, a CSV row each",
    label="a trace is anomalous where its last cell is anything but `Clean`: the malware's family",
    layout="a folder with *.csv, in folders or not, as the archive's folder CSV; or one of these files",
    parser="none",
    windower="session",
    protocol="random-half",
    unit="trace",
    citation="github.com/DjPasco/AWSCTD",
    cite=(works.AWSCTD,),
    faults=(
        "each file holds traces cut to one length: point to the files of one length",
        "its licence and digests are not known",
        "the format is as LogLead's loader reads it; logbench has not met the files themselves",
    ),
)


class AdfaLd:
    """Reads a file a trace, numbers with spaces between; the training folder is the given training part."""

    def read(self, path: Path) -> KeySequences:
        """Units by their files' names without `.txt`, attacks after normal ones; see `Dataset.read`."""
        import polars as pl

        from logbench import KeySequences

        files: list[Path] = []
        frames = []
        for name, part, label in FOLDERS:
            found = _found(path, name)
            text = [b"".join(one.chunks()).decode().strip() for one in found]
            units = [_unit(name, one.name) for one in found]
            names = [one.stream.name for one in found]
            frames.append(_sequences(units, pl.Series(text, dtype=pl.String).str.split(" "), names, part, label))
            files += found.files
        traces = pl.concat(frames)
        return KeySequences(traces, list(dict.fromkeys(files)), types=lambda: _attacks(traces["unit"]))


def _found(path: Path, name: str) -> LogFiles:
    """Traces in the folder `name`, which may lie below one more folder, in an archive or not."""
    from logbench import find_texts

    refused = f"{path}: has no {name} with .txt files; needed is {ADFA.layout}"
    found = find_texts(path, [f"{name}/**/*.txt"], "latin-1", least=False)
    if not found.files:
        found = find_texts(path, [f"*/{name}/**/*.txt"], "latin-1", least=False)
    if not found.files or any(name not in PurePath(one.name).parts for one in found):
        raise DataError(refused)
    return found


def _unit(name: str, file: str) -> str:
    parts = PurePath(file).with_suffix("").parts
    return f"{name.split('_', maxsplit=1)[0].lower()}/{'/'.join(parts[parts.index(name) + 1 :])}"


def _attacks(units: pl.Series) -> pl.DataFrame:
    """Columns `unit` and `type` of attacks: `Hydra_FTP` of `attack/Hydra_FTP_3/…`."""
    import polars as pl

    named = units.str.extract(r"^attack/([^/]+?)(?:_[0-9]+)?/", 1)
    return pl.DataFrame({"unit": units, "type": named}).drop_nulls()


class Awsctd:
    """Reads a row a trace: system calls, and last the label."""

    def read(self, path: Path) -> KeySequences:
        """Units are called by file and row, `file:row`, rows from 1; see `Dataset.read`."""
        import polars as pl

        from logbench import KeySequences, LineFormat, open_lines

        lines = open_lines(path, ["**/*.csv"], LineFormat())
        rows = lines.frame.select("raw", "file").collect().filter(pl.col("raw").str.strip_chars() != "")
        if not len(rows):
            raise DataError(f"{path}: no trace to read; are the files empty?")
        cells = rows["raw"].str.strip_chars().str.split(",")
        label = cells.list.last().str.strip_chars().str.to_lowercase()
        row = rows.select(pl.int_range(1, pl.len() + 1).over("file")).to_series()
        if len(bad := rows.filter(label.str.contains(r"^-?[0-9]*$"))):
            raise DataError(f"{path}: a row must end in its label: {bad['raw'][0][-60:]!r} of {bad['file'][0]}")
        frame = rows.select(
            unit=pl.format("{}:{}", "file", row),
            keys=_numbered(cells.list.reverse().list.slice(1).list.reverse()),
            label=(label != "clean").cast(pl.Int8),
            family=cells.list.last().str.strip_chars(),
        )
        families = frame.filter(pl.col("label") == 1).select("unit", type="family")
        return KeySequences(frame.drop("family"), lines.files, types=lambda: families)


def _numbered(cells: pl.Series) -> pl.Series:
    """Numbers as they are, names by alphabet: by occurrence a number would tell the file, and so the class."""
    import polars as pl

    numbers = cells.list.eval(pl.element().str.strip_chars().cast(pl.Int64, strict=False))
    if not numbers.explode().null_count():
        return numbers
    names = cells.explode(empty_as_null=False).str.strip_chars()
    first = {name: number for number, name in enumerate(names.unique().sort())}
    return cells.list.eval(pl.element().str.strip_chars().replace_strict(first, return_dtype=pl.Int64))


def _sequences(units: list[str], words: pl.Series, files: list[str], part: str, label: int) -> pl.DataFrame:
    import polars as pl

    frame = pl.DataFrame({"unit": units, "words": words}).with_columns(
        keys=pl.col("words").list.eval(pl.element().str.strip_chars().filter(pl.element().str.strip_chars() != ""))
    )
    numbers = frame["keys"].list.eval(pl.element().cast(pl.Int64, strict=False))
    broken = numbers.list.eval(pl.element().is_null()).list.any()
    if (at := broken.arg_true()).len():
        raise DataError(f"{files[at[0]]}: must hold system call numbers with spaces between")
    return frame.select("unit", keys=numbers, label=pl.lit(label, pl.Int8), part=pl.lit(part))
