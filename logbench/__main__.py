"""`python -m logbench`."""

from .cli import main

main()
