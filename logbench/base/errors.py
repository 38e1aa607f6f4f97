"""Errors that users can cause or fix. A message is one line: what is wrong, where, and what to do."""

from __future__ import annotations

import re

from .escapes import printable

# All that `str.splitlines` takes for the end of a line, with white space around it.
_LINE_ENDS = re.compile(r"\s*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\s*")


class LogbenchError(Exception):
    """An error that a user can fix. The command prints one line and exits with 2; other errors keep tracebacks.

    Line ends within the message become spaces, as where it quotes what a user typed, and signs that steer a
    terminal become `�`.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(printable(_LINE_ENDS.sub(" ", str(message)).strip()))


class ConfigError(LogbenchError):
    """An unknown name, option or value."""


class DataError(LogbenchError):
    """A data set that is missing, damaged or not as declared."""


class PluginError(LogbenchError):
    """A plugin that breaks its contract."""


class LeakError(LogbenchError):
    """Test data reached training. The run ends and names what leaked."""


class IncompatibleError(LogbenchError):
    """A combination that cannot work, such as a model that needs times on data without: a `skipped` row."""
