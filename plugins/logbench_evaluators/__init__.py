"""First-party plugin: evaluators."""
