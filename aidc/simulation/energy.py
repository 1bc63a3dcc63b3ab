"""From IT power, weather and set-points to the site's energy flows, a block of steps at a time."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import OUTDOOR_COLUMNS, SiteDrivers
from aidc.plant.facility import Outdoor, facility
from aidc.schedule import SetPoints
from aidc.site import ModePolicy, Site
from aidc.supply.battery import dispatch
from aidc.trace import COOLING_PARTS


@dataclass(frozen=True, slots=True)
class PlantState:
    """What the plant carries from one block to the next."""

    battery_kwh: float
    month_peak_kw: float


def outdoor(frame: pd.DataFrame) -> Outdoor:
    """The weather columns of a driver frame as arrays."""
    return Outdoor(*(frame[name].to_numpy(np.float64) for name in OUTDOOR_COLUMNS))


def block(
    site: Site,
    drivers: SiteDrivers,
    rows: slice,
    it_reference_kw: NDArray[np.float64],
    setpoints: SetPoints,
    policy: ModePolicy,
    battery_kwh: float,
    step_h: float,
) -> tuple[dict[str, NDArray[np.generic]], float, int]:
    """Columns of the trace for a block of steps, the energy left in the battery, and clipped requests.

    Args:
        site: the site.
        drivers: its series.
        rows: steps of the block.
        it_reference_kw: IT power at the reference inlet, shape (pools, steps of the block).
        setpoints: of the whole horizon.
        policy: who chooses the cooling mode where the set-points leave it open.
        battery_kwh: stored at the start of the block.
        step_h: length of a step [h].
    """
    frame = drivers.frame.iloc[rows]
    plant = facility(
        site,
        it_reference_kw,
        outdoor(frame),
        setpoints.supply_degc[rows],
        spray=setpoints.spray[rows],
        policy=policy,
        tariff_cny_per_kwh=frame["tariff_cny_per_kwh"].to_numpy(np.float64),
        water_cny_per_m3=drivers.water_cny_per_m3,
    )
    columns: dict[str, NDArray[np.generic]] = {
        item.name: getattr(plant, item.name)
        for item in fields(plant)
        if item.name != "carnot_guarded"
    }
    columns["cooling_kw"] = np.sum([columns[name] for name in COOLING_PARTS], axis=0)
    stored = dispatch(
        setpoints.battery_charge_kw[rows],
        setpoints.battery_discharge_kw[rows],
        site.battery_kwh,
        site.battery,
        battery_kwh,
        step_h,
    )
    available = frame["pv_kw"].to_numpy(np.float64)
    load = plant.facility_kw + stored.charge_kw
    net = load - stored.discharge_kw - available
    surplus = np.maximum(-net, 0.0)
    columns |= {
        "pv_kw": available,
        "pv_curtailed_kw": np.zeros_like(surplus) if site.grid_export else surplus,
        "grid_export_kw": surplus if site.grid_export else np.zeros_like(surplus),
        "grid_import_kw": np.maximum(net, 0.0),
        "battery_charge_kw": stored.charge_kw,
        "battery_discharge_kw": stored.discharge_kw,
        "battery_loss_kw": stored.loss_kw,
        "battery_kwh": stored.energy_kwh,
        "drybulb_degc": frame["drybulb_degc"].to_numpy(np.float64),
        "wetbulb_degc": frame["wetbulb_degc"].to_numpy(np.float64),
        "grid_kgco2e_per_kwh": frame["grid_kgco2e_per_kwh"].to_numpy(np.float64),
        "tariff_cny_per_kwh": frame["tariff_cny_per_kwh"].to_numpy(np.float64),
    }
    left = float(stored.energy_kwh[-1]) if len(stored.energy_kwh) else battery_kwh
    return columns, left, int(stored.clipped_steps)
