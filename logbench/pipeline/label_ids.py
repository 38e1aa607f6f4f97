"""The ids under which the labels of units stand, where a windower splits ids into pieces."""

from __future__ import annotations

import polars as pl

from ..api.contracts import Windower
from ..api.optional_windowers import NamesLabels
from ..base.errors import PluginError


def label_ids(windower: Windower | None, units: pl.Series) -> pl.Series:
    """The id of each unit's label: its name, unless the windower says otherwise (`NamesLabels`).

    Args:
        units: String [units], names; null stays null.

    Returns:
        String [units].

    Raises:
        PluginError: `label_of` gives something else than a text.
    """
    if not isinstance(windower, NamesLabels):
        return units
    ids = [None if unit is None else windower.label_of(unit) for unit in units]
    for unit, name in zip(units, ids, strict=True):
        if unit is not None and not isinstance(name, str):
            raise PluginError(f"the windower's label_of({unit!r}) must return a text, got {type(name).__name__}")
    return pl.Series(units.name, ids, dtype=pl.String)
