"""The columns that flow between stages: lines, sessions, windows, scores, frozen and checked.

Arrays and frames come in and go out; imports only `base`.
"""
