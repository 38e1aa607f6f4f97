"""A saved model on new logs, as files or as a stream.

A bundle and lines come in, scored units go out; imports `running` and what is below.
"""
