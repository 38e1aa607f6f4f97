"""Score new logs with a saved model, from files or a stream, and tell alarms.

Takes a bundle and lines, gives scored units, alarms and incidents; imports `running` and the rooms below.
"""
