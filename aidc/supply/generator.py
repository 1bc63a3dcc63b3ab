"""Generators that carry a site without grid: how much of it, and what they burn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.site import Backup

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Island:
    """A site in steps without grid; every array has shape (n,), and is neutral where the grid is there.

    Attributes:
        generator_kw: electricity of the generators.
        fuel_kw: heat of the fuel they burn, lower heating value.
        served_frac: share of the load that has power; 1 with the grid.
    """

    generator_kw: Array
    fuel_kw: Array
    served_frac: Array


def island(
    backup: Backup | None,
    has_grid: NDArray[np.bool_],
    load_kw: Array,
    beside_kw: Array,
) -> Island:
    """What generators do while the grid is gone.

    They take what PV and battery leave, to the sum of their ratings. Load beyond that is shed with
    its cooling and losses; without generators nothing forms the site's network, and all of it is dark.
    All sets run while the grid is gone, so their no-load consumption is that of all.

    Args:
        backup: the generators; None: there are none.
        has_grid: shape (n,).
        load_kw: what the site would draw.
        beside_kw: PV and battery discharge, for the site alone.
    """
    lost = ~has_grid
    nothing = np.zeros_like(load_kw)
    if backup is None:
        return Island(nothing, nothing, np.where(lost, 0.0, 1.0))
    wanted_kw = np.maximum(load_kw - beside_kw, 0.0)
    made_kw = np.where(lost, np.minimum(wanted_kw, backup.generator_kw), 0.0)
    there_kw = np.minimum(made_kw + beside_kw, load_kw)
    share = np.divide(there_kw, load_kw, out=np.ones_like(load_kw), where=load_kw > 0)
    unit = backup.generator
    litres_per_h = unit.no_load_l_per_kw_h * backup.generator_kw + unit.l_per_kwh * made_kw
    return Island(
        made_kw,
        np.where(lost, litres_per_h * unit.heat_kwh_per_l, 0.0),
        np.where(lost, share, 1.0),
    )
