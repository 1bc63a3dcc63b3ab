"""What the PV plant can deliver: pvlib's functions in the chain of NREL's PVWatts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.errors import BalanceError
from aidc.horizon import Horizon
from aidc.site import Pv, Site
from aidc.supply import sun

Array = NDArray[np.float64]
_INPUTS = ("drybulb_degc", "ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2", "wind_m_per_s")
_DARK_W_PER_M2 = 1e-6  # below it quotients overflow inside the models


@dataclass(frozen=True, slots=True)
class PlaneOfArray:
    """Light on the modules and their temperature, each of shape (steps,); 0 W/m2 at night.

    Attributes:
        global_w_per_m2: all that falls on the plane.
        effective_w_per_m2: what reaches the cells through the glass.
        cell_degc: cell temperature; the air's at night.
    """

    global_w_per_m2: Array
    effective_w_per_m2: Array
    cell_degc: Array


def pv_kw(site: Site, weather: pd.DataFrame, horizon: Horizon) -> Array:
    """AC power that the PV plant could deliver in every step [kW], shape (steps,).

    Never negative, never above the inverters, zero while the sun is down.

    Args:
        site: its place, ``pv_kwp`` and ``pv``.
        weather: air, wind and irradiance on the horizon.
        horizon: the steps; the sun stands where it is at their middle.

    Raises:
        SeriesError: weather with gaps or on another index.

    References:
        A. Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641 (2014).
    """
    from pvlib import inverter, pvsystem

    if site.pv_kwp == 0:
        return np.zeros(horizon.steps)
    light = plane_of_array(site, weather, horizon)
    module = site.pv.module
    dc_kw = (
        pvsystem.pvwatts_dc(
            light.effective_w_per_m2, light.cell_degc, site.pv_kwp, module.gamma_per_k
        )
        * (1 - module.losses_frac)
        * (1 - site.pv.soiling_frac)
        * (1 - module.degradation_frac_per_year) ** site.pv.age_years
    )
    rating_kw = site.pv_kwp / module.dc_ac_ratio
    efficiency = module.inverter_efficiency_frac
    ac_kw = inverter.pvwatts(np.maximum(dc_kw, 0.0), rating_kw / efficiency, efficiency)
    delivered = np.clip(ac_kw, 0.0, rating_kw) * site.pv.derate_frac
    if not np.isfinite(delivered).all():
        raise BalanceError(f"PV of {site.name} is not a number in {horizon.index[0].date()}")
    return np.asarray(delivered, np.float64)


def plane_of_array(site: Site, weather: pd.DataFrame, horizon: Horizon) -> PlaneOfArray:
    """Light on the modules and their temperature.

    Beam and sky after Perez; glass takes its part of the beam by angle and of the rest by a
    constant. Only steps with the sun up are computed: the models have 0/0 at night.

    Args:
        site: its place and ``pv``.
        weather: as for `pv_kw`.
        horizon: the steps.

    Raises:
        SeriesError: weather with gaps or on another index.
    """
    from pvlib import atmosphere, iam, irradiance

    horizon.check(weather, _INPUTS)
    place = sun.position(horizon, site.latitude_deg, site.longitude_deg, site.elevation_m)
    day = place["apparent_zenith"].to_numpy() < 90.0
    air, ghi, dni, dhi, wind = (weather[name].to_numpy(np.float64) for name in _INPUTS)
    ghi, dni, dhi = (np.where(light < _DARK_W_PER_M2, 0.0, light) for light in (ghi, dni, dhi))
    zenith, azimuth = (place[name].to_numpy()[day] for name in ("apparent_zenith", "azimuth"))
    extra = irradiance.get_extra_radiation(
        horizon.index[day].tz_convert("UTC").day_of_year.to_numpy()
    )
    angle = irradiance.aoi(site.pv.tilt_deg, site.pv.azimuth_deg, zenith, azimuth)
    sky = irradiance.perez(
        site.pv.tilt_deg, site.pv.azimuth_deg, dhi[day], dni[day], extra, zenith, azimuth,
        atmosphere.get_relative_airmass(zenith),
    )  # fmt: skip
    ground = irradiance.get_ground_diffuse(site.pv.tilt_deg, ghi[day], site.pv.module.albedo)
    beam = dni[day] * np.maximum(np.cos(np.radians(angle)), 0.0)
    diffuse = np.nan_to_num(sky, nan=0.0) + ground  # Perez leaves a gap where there is no sky light

    total, effective, cell = np.zeros(horizon.steps), np.zeros(horizon.steps), air.copy()
    total[day] = beam + diffuse
    effective[day] = beam * iam.physical(angle) + diffuse * site.pv.module.diffuse_iam
    cell[day] = cell_degc(site.pv, total[day], air[day], wind[day])
    return PlaneOfArray(total, effective, cell)


def cell_degc(pv: Pv, light_w_per_m2: Array, air_degc: Array, wind_m_per_s: Array) -> Array:
    """Cell temperature [degC] by the model of the mount, shape (n,)."""
    from pvlib import temperature

    mount = pv.mount
    if mount.model == "faiman":
        return np.asarray(
            temperature.faiman(
                light_w_per_m2, air_degc, wind_m_per_s, mount.u0_w_per_m2_k, mount.u1_w_s_per_m3_k
            )
        )
    return np.asarray(
        temperature.sapm_cell(
            light_w_per_m2, air_degc, wind_m_per_s, mount.sapm_a, mount.sapm_b, mount.sapm_delta_t_k
        )
    )
