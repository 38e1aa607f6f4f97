"""Turn one plan into one record: resolve, prepare, fit, score, decide and evaluate, in worker processes.

Takes a `Plan`, gives a `RunRecord` with its frames; imports every room below, none of those for many runs.
"""
