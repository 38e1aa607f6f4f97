"""What can go wrong by a user's hand: each message is one line that says what, where and what to do."""

from __future__ import annotations


class LogbenchError(Exception):
    """A user's error. The command prints it as one line and exits with 2; anything else keeps its traceback."""


class ConfigError(LogbenchError):
    """An unknown name, option or value."""


class DataError(LogbenchError):
    """A data set that is missing, broken or not what it says it is."""


class PluginError(LogbenchError):
    """A plugin that breaks its contract."""


class LeakError(LogbenchError):
    """Test data reached training: the run ends and says what leaked."""


class IncompatibleError(LogbenchError):
    """A combination that cannot work, such as a model that needs times on data without: a `skipped` row."""
