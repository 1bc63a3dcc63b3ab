"""PV layouts compared, and a metered plant held against what it should give."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from aidc import catalog
from aidc.api.drivers import drivers_of
from aidc.equipment import PvMount
from aidc.errors import InputError
from aidc.scenario import Scenario
from aidc.supply.pv_performance import LayoutYield, layout_yields, performance_by_month
from aidc.supply.timeseries import means_on_steps, read_series

_METERED = "pv_kw"
_MOST_OVER_PEAK = 1.5  # a meter that reads more of the peak power has another unit


def layouts(
    scenario: Scenario,
    *,
    tilts_deg: Sequence[float],
    azimuths_deg: Sequence[float],
    mounts: Sequence[str],
) -> dict[str, list[LayoutYield]]:
    """Yield of every combination at every site with PV, best first; empty means as the site has it.

    Raises:
        InputError: no site has PV, or a mount that the catalog does not have.
    """
    found = {}
    for name, choice in scenario.sites.items():
        site = choice.site
        if site.pv_kwp <= 0:
            continue
        kinds = [catalog.row("pv_mounts", PvMount, mount) for mount in mounts] or [site.pv.mount]
        candidates = [
            site.pv.model_copy(update={"tilt_deg": tilt, "azimuth_deg": azimuth, "mount": mount})
            for tilt, azimuth, mount in product(
                tilts_deg or [site.pv.tilt_deg], azimuths_deg or [site.pv.azimuth_deg], kinds
            )
        ]
        weather = drivers_of(scenario).sites[name].frame
        found[name] = layout_yields(site, candidates, weather, scenario.horizon(name))
    if not found:
        raise InputError("no site of the scenario has PV; give one with --set site.pv_kwp=1MWp")
    return found


def metered_performance(
    scenario: Scenario, site: str, file: Path, tolerance_frac: float
) -> pd.DataFrame:
    """A metered plant by month; see `aidc.supply.pv_performance.performance_by_month`.

    Args:
        scenario: its weather should be measured at the plant.
        site: the plant's.
        file: CSV with ``time`` and ``pv_kw``, each the mean until the next row.
        tolerance_frac: how far below the expected ratio is still the model's error.

    Raises:
        InputError: no such site, or every fault of the file.
    """
    if site not in scenario.sites:
        raise InputError(f"no site '{site}'; the scenario has {', '.join(scenario.sites)}")
    plant, horizon = scenario.sites[site].site, scenario.horizon(site)
    series = read_series(file, horizon, {_METERED: (0.0, _MOST_OVER_PEAK * plant.pv_kwp)})
    metered = means_on_steps(series, _METERED, horizon)
    weather = drivers_of(scenario).sites[site].frame
    return performance_by_month(plant, weather, metered, horizon, tolerance_frac)
