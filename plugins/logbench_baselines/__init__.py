"""First-party plugin: baselines."""
