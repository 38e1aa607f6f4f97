"""Commands that show what is stored."""

import click


class Look(click.Command):
    """A command under *Look* in `logbench --help`."""

    section = "Look"
