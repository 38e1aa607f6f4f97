"""Knows nothing of logs: errors, options, files, digests, processes, progress.

Anyone may import it; it imports no other room.
"""
