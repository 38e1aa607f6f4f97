"""Knows nothing of logs: errors, options, files, digests, processes, progress.

Anyone may import it; it imports no other room, so Ctrl-C is heeded from the first moment.
"""

# Exit status after Ctrl-C: 128 plus the signal's number, as in shells.
INTERRUPTED = 130
