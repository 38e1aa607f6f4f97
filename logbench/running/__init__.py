"""From one plan to one record: resolves, prepares, fits, scores, decides and evaluates, in worker processes.

A `Plan` comes in, a `RunRecord` with its frames goes out; imports every room but those of many runs.
"""
