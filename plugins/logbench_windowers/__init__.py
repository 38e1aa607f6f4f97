"""First-party plugin: windowers."""
