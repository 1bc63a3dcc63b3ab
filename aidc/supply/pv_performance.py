"""How well a PV plant does: yield and performance ratio of layouts, and of a metered plant.

Performance ratio as in IEC 61724-1: energy over peak power, divided by the light on the plane over 1 kW/m2.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.horizon import Horizon
from aidc.site import Pv, Site
from aidc.supply.pv import plane_of_array, pv_kw
from aidc.units import W_PER_KW

Array = NDArray[np.float64]
_LIT_KWH_PER_M2 = 1.0  # a month with less light says nothing of the plant


@dataclass(frozen=True, slots=True)
class LayoutYield:
    """What a layout gives over the horizon.

    Attributes:
        pv: the layout.
        energy_kwh: at the AC side.
        yield_kwh_per_kwp: of it over the peak power.
        light_kwh_per_m2: on the plane.
        performance_ratio: as above.
        peak_kw: highest step.
    """

    pv: Pv
    energy_kwh: float
    yield_kwh_per_kwp: float
    light_kwh_per_m2: float
    performance_ratio: float
    peak_kw: float


def layout_yields(
    site: Site, layouts: Iterable[Pv], weather: pd.DataFrame, horizon: Horizon
) -> list[LayoutYield]:
    """Yield of candidate layouts of one plant, at its own peak power, best first.

    Args:
        site: its place and ``pv_kwp``, above zero.
        layouts: candidates.
        weather: as for `aidc.supply.pv.pv_kw`.
        horizon: the steps.
    """
    made = []
    for pv in layouts:
        there = site.model_copy(update={"pv": pv})
        power = pv_kw(there, weather, horizon)
        light = plane_of_array(there, weather, horizon).global_w_per_m2
        energy = float(power.sum()) * horizon.step_h
        light_kwh = float(light.sum()) * horizon.step_h / W_PER_KW
        specific = energy / site.pv_kwp
        ratio = specific / light_kwh if light_kwh > 0 else 0.0
        made.append(LayoutYield(pv, energy, specific, light_kwh, ratio, float(power.max())))
    return sorted(made, key=lambda one: -one.energy_kwh)


def performance_by_month(
    site: Site, weather: pd.DataFrame, metered_kw: Array, horizon: Horizon, tolerance_frac: float
) -> pd.DataFrame:
    """Metered against expected output, a row a month.

    Args:
        site: its place and plant.
        weather: measured at the place, else the light is not the plant's.
        metered_kw: AC output, shape (steps,).
        horizon: the steps.
        tolerance_frac: how far below the expected ratio a plant may be: the model's own error.

    Returns:
        ``month, metered_kwh, expected_kwh, light_kwh_per_m2, ratio, expected_ratio, below_frac,
        flagged``; months with hardly any light are not flagged.
    """
    expected = pv_kw(site, weather, horizon)
    light = plane_of_array(site, weather, horizon).global_w_per_m2
    hours = horizon.step_h
    frame = pd.DataFrame(
        {
            "metered_kwh": metered_kw * hours,
            "expected_kwh": expected * hours,
            "light_kwh_per_m2": light * hours / W_PER_KW,
        },
        index=horizon.index,
    )
    months = frame.groupby(frame.index.strftime("%Y-%m")).sum()
    lit = months["light_kwh_per_m2"] > _LIT_KWH_PER_M2
    reference = (site.pv_kwp * months["light_kwh_per_m2"]).where(lit)
    months["ratio"] = months["metered_kwh"] / reference
    months["expected_ratio"] = months["expected_kwh"] / reference
    months["below_frac"] = 1.0 - months["ratio"] / months["expected_ratio"]
    months["flagged"] = months["below_frac"] > tolerance_frac
    return months.rename_axis("month").reset_index()
