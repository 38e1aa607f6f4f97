"""The messages of a log by line number: read when the first model asks for them, into a file of their own."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import numpy as np

from ..base.errors import DataError
from ..base.files import for_temporary_files, written
from ..base.progress import Progress, silent
from ..data.event_buffer import array
from ..data.lines import Lines
from ..data.message_file import MessageFile, encoded

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LogMessages:
    """Gives the messages of a log.

    Args:
        lines: the log. total: lines that it had when it was grouped.
    """

    def __init__(self, lines: Lines, total: int) -> None:
        self._lines, self._total = lines, total
        self._file: MessageFile | None = None

    def __call__(self) -> MessageFile:
        """The messages by line number from 0, null as the empty one."""
        return self.read(silent)

    def read(self, progress: Progress) -> MessageFile:
        """The same; `progress` follows the reading, which is done once.

        Raises:
            DataError: the log has changed meanwhile, or the file cannot be written.
        """
        if self._file is None:
            self._file = self._written(progress)
        return self._file

    def _written(self, progress: Progress) -> MessageFile:
        offsets: NDArray[np.int64] = array(self._total + 1, np.dtype(np.int64))
        offsets[0], done = 0, 0
        with tempfile.TemporaryFile(dir=for_temporary_files()) as file:
            for batch in Lines(self._lines.frame.select("line", "message"), self._lines.files).batches(1 << 16):
                data, ends = encoded(batch["message"])
                if done + len(ends) > self._total:
                    break
                with written(for_temporary_files()):
                    file.write(data)
                offsets[done + 1 : done + 1 + len(ends)] = offsets[done] + ends
                done += len(ends)
                progress(done, self._total, "messages")
            else:
                if done == self._total:
                    return MessageFile.mapped(file, offsets)
        where = ", ".join(map(str, self._lines.files)) or "the data set"
        raise DataError(f"{where}: the log changed while it was read; run again")
