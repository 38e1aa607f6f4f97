"""From bytes to lines: finds, fetches and unpacks files, and reads their lines by a declared format.

A path comes in, `Lines` go out; imports only `api`, `data` and `base`.
"""
