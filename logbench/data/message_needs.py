"""What a model may ask of the messages of events. It loads nothing, since plans are checked by it."""

# Of `ModelTraits.needs`.
NEEDS = frozenset({"messages", "parameters"})
