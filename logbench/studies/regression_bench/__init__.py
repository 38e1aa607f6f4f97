"""A suite of runs, its figures as reviewable JSON Lines, and which of them got worse."""
