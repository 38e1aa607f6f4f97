"""Exit statuses that several modules give. It loads nothing, so that Ctrl-C is heeded from the first moment."""

# After Ctrl-C: 128 plus the signal's number, as in shells.
INTERRUPTED = 130
