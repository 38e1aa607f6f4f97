"""Broken files of every format through reading and grouping: `python tests/fuzz.py N SEED`. (data2 writes this.)"""
