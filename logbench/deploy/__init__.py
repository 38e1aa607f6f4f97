"""Score new logs with a saved model, from files or a stream.

Takes a bundle and lines, gives scored units; imports `running` and the rooms below.
"""
