"""From a name to a configured thing: plugins are found, checked and looked up; models are combined.

Names and options come in, `ConfiguredComponent`s go out; imports `evaluation`, `reading` and what is below.
"""
