"""From scores to verdicts and metrics, and how sure these are.

Frames of scored units come in; thresholds, counts, metrics and intervals go out; imports only `api`, `data` and
`base`.
"""
