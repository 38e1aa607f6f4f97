"""Metrics against choices: one run for each choice that trains or scores anew, the others from its scores."""
