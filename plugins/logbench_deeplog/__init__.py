"""First-party plugin: deeplog."""
