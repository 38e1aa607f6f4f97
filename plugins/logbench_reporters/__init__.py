"""First-party plugin: reporters."""
