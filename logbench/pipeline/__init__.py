"""From lines to sessions: groups lines to units, splits the units, parses messages, and looks for leaks.

`Lines` come in, `Sessions` go out; imports only `api`, `data` and `base`.
"""
