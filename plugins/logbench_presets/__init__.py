"""First-party plugin: presets."""
