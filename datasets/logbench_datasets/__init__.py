"""First-party plugin: data sets."""
