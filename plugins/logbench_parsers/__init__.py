"""First-party plugin: parsers."""
