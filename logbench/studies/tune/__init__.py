"""Choose a model's options on training units alone: trials by Optuna, judged on held-out units."""
