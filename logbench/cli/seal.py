"""`logbench seal`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.plan import Plan
from ..base.files import check_free
from ..base.maintainer_key import make_key, read_key
from ..base.options import parse_settings
from ..base.progress_bars import Bars
from . import State, completion, pass_state
from .apart import apart
from .shared_options import local, say, set_option, windower_option


class Share(click.ParamType[float]):
    """A share as `20%` or `0.2`, above 0 and below 1."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share, from 0 to 1."""
        text = str(value)
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{text!r} is no share; give one such as 20% or 0.2", param, ctx)
        if not 0 < share < 1:
            self.fail(f"{text} must be above 0 and below 100%", param, ctx)
        return share


@click.command("seal", epilog="Example: logbench seal hdfs-sim --share 20% --key maintainer.key --out split")
@click.argument("dataset", shell_complete=completion.dataset)
@click.option("--share", type=Share(), default="20%", show_default=True, metavar="SHARE",
              help="Share of the units to seal.")  # fmt: skip
@click.option("--key", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="File of the maintainer's key, for its owner alone; made if it is missing.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), help="File or folder with the raw data.")
@windower_option
@set_option
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="New folder for `open` and `sealed`.")  # fmt: skip
@pass_state
@apart
def command(state: State, dataset: str, share: float, key: Path, data: Path | None, windower: str | None,
            settings: tuple[str, ...], out: Path) -> int:  # fmt: skip
    """Split a data set into an open and a sealed part.

    Which units are sealed, only the key tells. `open` is what others get: they give it as --data. `sealed` stays
    with the maintainer, as the key does. A line of units of both parts is open without ids of sealed ones.
    """
    from ..studies.seal import seal

    check_free("--out", out, False)
    secret = read_key(key) if key.exists() else make_key(key)
    where = None if data is None else local(data)
    model = next(iter(state.registry.components["model"]))
    plan = Plan(model=model, dataset=dataset, data=where, windower=windower, settings=parse_settings(settings))
    with Bars() as bars, bars.stage("read") as progress:
        facts = seal(plan, secret, share, out, state.registry, progress)
    say(f"{facts['sealed_units']:,} of {facts['units']:,} units sealed, by key {facts['fingerprint']}")
    if "lines" in facts:
        more = f", {facts['scrubbed_lines']:,} of them without the sealed units that they name"
        say(f"{facts['open_lines']:,} of {facts['lines']:,} lines open{more if facts['scrubbed_lines'] else ''}")
    say(f"for everybody: {out / 'open'}")
    say(f"for you alone, as {key}: {out / 'sealed'}")
    return 0
