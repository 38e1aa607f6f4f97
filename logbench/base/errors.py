"""Errors that users can cause or fix. A message is one line: what is wrong, where, and what to do."""

from __future__ import annotations


class LogbenchError(Exception):
    """An error that a user can fix. The command prints one line and exits with 2; other errors keep tracebacks."""


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
