"""The command `logbench`: one file a subcommand, loaded when it is called. Users' errors become one line here."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..base.colours import led
from ..base.errors import ConfigError, LogbenchError
from ..base.jsonable import shorten
from ..base.loading import loading
from ..base.options import suggest
from ..base.progress_bars import Bars
from ..base.screen import folded, screen_width
from ..base.unpack_limits import VARIABLE
from ..components.registry import Registry
from . import interrupt, output

if TYPE_CHECKING:
    from ..running.workers import Jobs
    from ..studies.workbench import Workbench

# First sentences of the commands by what they are for, so that `logbench --help` loads none of them.
SECTIONS = {
    "Measure": {
        "run": "Run models on a data set and print a table.",
        "leaderboard": "Run many models under one protocol and rank them.",
        "protocols": "Show one trained model under many protocols.",
        "sweep": "Show a metric for every combination of some options.",
        "robust": "Show how far a model falls as its logs get worse.",
        "transfer": "Train on one data set and test on others.",
        "tune": "Choose options by trials on training units, then test once.",
        "compare": "Compare runs with the first.",
        "rescore": "Compute new verdicts and metrics from stored scores.",
        "reproduce": "Run a published table and print its figures next to ours.",
        "parsers": "Measure the accuracy of parsers on labelled templates.",
        "bench": "Run a suite of benchmarks, and compare it with a baseline.",
    },
    "Look": {
        "runs": "List the runs of a folder, oldest first.",
        "show": "Show a run's ranked units, or all lines of one unit.",
        "list": "List components of one KIND or all.",
        "models": "List models, show their cards, measure their parts.",
        "datasets": "List, show, fetch and add data sets.",
        "options": "Show options with their default and meaning.",
        "presets": "List presets (published set-ups), or show their values.",
        "plugins": "List plugins with their hooks, and broken ones.",
    },
    "Own logs": {
        "detect": "Find what is unusual in logs, without labels.",
        "score": "Score new logs with a saved model; labels are not needed.",
        "export": "Export a deep model as a graph that runs without torch.",
    },
    "Sealed parts": {
        "seal": "Split a data set into an open and a sealed part.",
        "submit": "Pack a model into one file for a maintainer.",
        "judge": "Judge a submission on sealed data; sign the record.",
    },
    "Maintain": {
        "check": "Check that what plugins offer keeps its contract.",
        "check-records": "Check records of others.",
        "cache": "Show, fill or clear the cache.",
        "schema": "Print the JSON Schema (draft 2020-12) of WHAT.",
        "man": "Write manual pages, one a command.",
        "new-plugin": "Write a small plugin that works: change it into your own.",
    },
}
# Heading of a plugin's commands that name none.
OTHERS = "Of plugins"
COMMANDS = {name: text for section in SECTIONS.values() for name, text in section.items()}
# Most signs of an error.
MOST_SHOWN = 4000
_USERS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EROFS,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EFBIG,
}


class State:
    """Shared by subcommands: the registry, built on first use, and the typed command."""

    def __init__(self, block: Sequence[str]) -> None:
        self.block = block
        self.command = "logbench " + " ".join(sys.argv[1:])

    @cached_property
    def registry(self) -> Registry:
        with contextlib.redirect_stdout(sys.stderr), loading():
            registry = Registry(block=self.block, reserved=COMMANDS)
        known = {name for plugin in registry.plugins for name in (plugin.name, plugin.distribution)}
        for name in self.block:
            if name not in known:
                raise ConfigError(f"--block {name}: no plugin or distribution has this name{suggest(name, known)}")
        for plugin in registry.broken:
            _say(f"warning: plugin {plugin} is set aside: {plugin.error}")
        return registry

    @contextlib.contextmanager
    def workbench(
        self, options: Mapping[str, Any], *, jobs: int | Jobs | None = None, resume: bool = True
    ) -> Iterator[Workbench]:
        """What a study of many runs works with, in worker processes; at the end no process is left.

        The first of them starts before anything else, and loads while this process does.

        Args:
            options: with `timeout` and `memory_limit` where the command has `limit_options`, and `executor` where
                it has `executor_option`.

        Raises:
            ConfigError: no such executor, or what it requires is not installed.
        """
        from ..base.child_process import Limits
        from ..running.workers import Crew, Jobs

        limits = Limits(options.get("timeout"), options.get("memory_limit"))
        asked = options.get("executor")
        most = jobs if isinstance(jobs, Jobs) else Jobs(jobs or 1)
        here = Jobs(1) if asked else most
        with Bars() as bars, Crew(here.most, self.block, limits, bars.note, as_it_pays=here.as_it_pays) as crew:
            with loading():
                from ..studies.workbench import Workbench, open_elsewhere

            bench = Workbench(self.registry, bars, crew, resume)
            if not asked:
                yield bench
                return
            name, _, address = asked.partition("://")
            place = self.registry.executor(name).item
            room = None if jobs is None or most.as_it_pays else most.most
            with open_elsewhere(place, address, bench, crew, block=self.block, limits=limits, jobs=room) as far:
                yield far


class Commands(click.Group):
    """Subcommands of the core and of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_state(ctx).registry.commands)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their first sentences, by what they are for; none of the core is loaded."""
        offered = _state(ctx).registry.commands
        sections = {
            title: {name: click.Command(name, help=text) for name, text in own.items()}
            for title, own in SECTIONS.items()
        }
        for name, offer in sorted(
            offered.items(), key=lambda pair: (not hasattr(pair[1].item, "section"), pair[0])
        ):
            if not offer.item.hidden:
                sections.setdefault(getattr(offer.item, "section", OTHERS), {})[name] = offer.item
        longest = max(len(name) for section in sections.values() for name in section)
        for title, commands in sections.items():
            if commands:
                with formatter.section(title):
                    room = formatter.width - 6 - longest
                    rows = [(f"{name:<{longest}}", one.get_short_help_str(room)) for name, one in commands.items()]
                    formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            with loading():
                module = importlib.import_module(f".{cmd_name.replace('-', '')}", __name__)
            command: click.Command = module.command
            return command
        offered = _state(ctx).registry.commands
        if cmd_name in offered:
            found: click.Command = offered[cmd_name].item
            if ctx.resilient_parsing:  # the shell asks for values
                importlib.import_module(".plugin_completion", __name__).of_plugin(found)  # it imports this module
            return found
        raise click.UsageError(f"no command is called {cmd_name!r}{suggest(cmd_name, [*COMMANDS, *offered])}", ctx)


def _state(ctx: click.Context) -> State:
    if ctx.obj is None:
        ctx.obj = State(ctx.params.get("block", ()))
    state: State = ctx.obj
    return state


def version() -> str:
    """Version of the installed distribution."""
    return installed_version("logbench-harness")


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    click.echo(f"logbench {version()}")
    if ctx.params.get("verbose"):
        from ..base.kernel import in_use

        libraries = ", ".join(f"{name} {installed_version(name)}" for name in ("polars", "numpy"))
        click.echo(f"Python {platform.python_version()}, {libraries}, {platform.platform()}")
        click.echo(f"lines are read by {in_use()}")
    ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: logbench run deeplog --dataset hdfs-sim",
)
@click.option(
    "--block", multiple=True, metavar="PLUGIN", help="Do not load a plugin or distribution (repeatable)."
)
@click.option(
    "--unpack-ratio", type=click.FloatRange(min=1), metavar="N",
    help="Let a packed file unpack to N times its size (default: 1000, arrays of a bundle 100).",
)  # fmt: skip
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit; with -v also what logbench runs on.",
)
@click.option("-v", "verbose", is_flag=True, is_eager=True, help="Say more of --version.")
@click.pass_context
def cli(ctx: click.Context, block: tuple[str, ...], unpack_ratio: float | None, verbose: bool) -> None:
    """Benchmark log anomaly detectors under explicit protocols, from raw log to table."""
    if verbose:
        raise click.UsageError("-v says more of --version: give both", ctx)
    if unpack_ratio is not None:
        os.environ[VARIABLE] = f"{unpack_ratio:g}"  # other processes read it, too
    ctx.obj = State(block)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command: exit 0 for success, 1 for a bug or a worse comparison, 2 for a user's error."""
    interrupt.install()
    output.reopen()
    output.take()
    try:
        code = cli.main(args=None if argv is None else [*argv], prog_name="logbench", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        code = 2
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "logbench"
        code = _fail(f"{error.format_message()} (see: {path} --help)")
    except click.ClickException as error:
        code = _fail(error.format_message())
    except LogbenchError as error:
        code = _fail(str(error))
    except (KeyboardInterrupt, click.Abort) as error:
        if isinstance(error.__cause__, EOFError):  # click takes it for Ctrl-D at a question
            raise error.__cause__ from None
        print(interrupt.MESSAGE, file=sys.stderr)
        code = interrupt.code_of(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        if error.errno not in _USERS:
            raise
        code = _fail(f"{error.filename or 'writing'}: {error.strerror}")
    except BaseException:  # a bug, whose traceback Python prints
        _tell(1)
        raise
    code = code if isinstance(code, int) else 0
    _tell(code)
    output.leave_threads(code)
    sys.exit(code)


def _tell(code: int) -> None:
    if notify := sys.modules.get(f"{__name__}.notify"):  # no command had the option otherwise
        notify.tell(code)


def _fail(message: str) -> int:
    _say(f"error: {shorten(message, MOST_SHOWN)}")
    return 2


def _say(text: str) -> None:
    print(led(folded(text, screen_width(sys.stderr)), sys.stderr), file=sys.stderr)


def pass_state(function: Any) -> Any:
    """Pass the `State` to a subcommand."""
    return click.pass_obj(function)
