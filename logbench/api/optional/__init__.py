"""What a component may have beside what its kind must have. Nothing is inherited: `isinstance` looks for it."""
