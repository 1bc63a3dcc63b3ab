"""From IT power, weather and set-points to the site's energy flows, a block of steps at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import OUTDOOR_COLUMNS, SiteDrivers
from aidc.plant.facility import Facility, Outdoor, facility
from aidc.plant.faults import Faults
from aidc.plant.tank import ROUNDING_KW, follow
from aidc.schedule import CHILLERS_BY_RULE, SetPoints
from aidc.simulation.faults import warmth
from aidc.site import ModePolicy, Site
from aidc.supply.battery import dispatch
from aidc.supply.generator import island
from aidc.trace import COOLING_PARTS
from aidc.units import S_PER_H

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlantState:
    """What the plant carries from one block to the next."""

    battery_kwh: float
    store_kwh: float  # cold in the chilled-water tank
    air_k: float = 0.0  # excess of the hall air over its set-point
    mass_k: float = 0.0  # excess of racks and equipment

    @classmethod
    def of(cls, site: Site) -> "PlantState":
        """As a horizon starts."""
        tank = site.tank
        stored = 0.0 if tank is None else tank.capacity_kwh * tank.store.soc_start_frac
        return cls(site.battery_kwh * site.battery.soc_start_frac, stored)


@dataclass(frozen=True, slots=True)
class Block:
    """What a block of steps came to.

    Attributes:
        columns: of the trace.
        left: what the next block inherits.
        limit_s: seconds into each step at which the inlet passes its limit; inf: not in it.
        clipped_steps: battery requests that its limits cut.
        store_cut_steps: requests to the tank that its limits or the machines cut.
        law_steps: steps in which a law of the plant met its limits, by law.
    """

    columns: dict[str, NDArray[np.generic]]
    left: PlantState
    limit_s: NDArray[np.float64]
    clipped_steps: int
    store_cut_steps: int
    law_steps: Mapping[str, int]


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
    faults: Faults,
    state: PlantState,
    step_h: float,
) -> Block:
    """Columns of the trace for a block of steps, and what it leaves to the next.

    Args:
        site: the site.
        drivers: its series.
        rows: steps of the block.
        it_reference_kw: IT power at the reference inlet, shape (pools, steps of the block).
        setpoints: of the whole horizon.
        policy: who chooses the cooling mode where the set-points leave it open.
        faults: what of the plant does not work, in every step of the horizon.
        state: at the start of the block.
        step_h: length of a step [h].
    """
    frame, asked = drivers.frame.iloc[rows], setpoints.at(rows)
    broken, air = faults.at(rows), outdoor(frame)
    tariff = frame["tariff_cny_per_kwh"].to_numpy(np.float64)

    def with_chillers(
        charge_kw: Array, discharge_kw: Array, chillers_on: NDArray[np.int8]
    ) -> Facility:
        return facility(
            site,
            it_reference_kw,
            air,
            asked.supply_degc,
            spray=asked.spray,
            policy=policy,
            tariff_cny_per_kwh=tariff,
            water_cny_per_m3=drivers.water_cny_per_m3,
            faults=broken,
            store_charge_kw=charge_kw,
            store_discharge_kw=discharge_kw,
            chillers_on=chillers_on,
        )

    def played(charge_kw: Array, discharge_kw: Array) -> Facility:
        plant = with_chillers(charge_kw, discharge_kw, asked.chillers_on)
        short = (plant.unmet_cooling_kw > ROUNDING_KW) & (asked.chillers_on >= 0)
        if not short.any():
            return plant
        by_rule = np.where(short, np.int8(CHILLERS_BY_RULE), asked.chillers_on)
        return with_chillers(charge_kw, discharge_kw, by_rule)  # the plant's own staging steps in

    plant, kept_kwh, cut = _with_tank(site, asked, played, state.store_kwh, step_h)
    supply = asked.supply_degc
    warm = warmth(
        site, plant, supply + broken.supply_bias_k, step_h * S_PER_H, state.air_k, state.mass_k
    )
    columns: dict[str, NDArray[np.generic]] = {
        item.name: getattr(plant, item.name) for item in fields(plant) if item.name != "limits"
    }
    columns["cooling_kw"] = np.sum([columns[name] for name in COOLING_PARTS], axis=0)
    columns["inlet_degc"] = warm.inlet_degc
    columns["store_kwh"] = kept_kwh
    forms_net = broken.has_grid | (site.backup is not None)
    stored = dispatch(
        asked.battery_charge_kw * broken.has_grid,
        asked.battery_discharge_kw * forms_net,
        site.battery_kwh,
        site.battery,
        state.battery_kwh,
        step_h,
    )
    available = frame["pv_kw"].to_numpy(np.float64)
    alone = island(site.backup, broken.has_grid, plant.facility_kw, available + stored.discharge_kw)
    for name in filter(_drawn, tuple(columns)):
        columns[name] = np.asarray(columns[name], np.float64) * alone.served_frac
    load = plant.facility_kw * alone.served_frac + stored.charge_kw
    net = load - stored.discharge_kw - available - alone.generator_kw
    surplus = np.maximum(-net, 0.0)
    exported = surplus * (broken.has_grid & site.grid_export)
    columns |= {
        "pv_kw": available,
        "pv_curtailed_kw": surplus - exported,
        "grid_export_kw": exported,
        "grid_import_kw": np.where(broken.has_grid, np.maximum(net, 0.0), 0.0),
        "generator_kw": alone.generator_kw,
        "generator_fuel_kw": alone.fuel_kw,
        "unserved_kw": plant.facility_kw * (1.0 - alone.served_frac),
        "battery_charge_kw": stored.charge_kw,
        "battery_discharge_kw": stored.discharge_kw,
        "battery_loss_kw": stored.loss_kw,
        "battery_kwh": stored.energy_kwh,
        "drybulb_degc": frame["drybulb_degc"].to_numpy(np.float64),
        "wetbulb_degc": frame["wetbulb_degc"].to_numpy(np.float64),
        "grid_kgco2e_per_kwh": frame["grid_kgco2e_per_kwh"].to_numpy(np.float64),
        "tariff_cny_per_kwh": tariff,
    }
    kept = float(stored.energy_kwh[-1]) if len(stored.energy_kwh) else state.battery_kwh
    cold = float(kept_kwh[-1]) if len(kept_kwh) else state.store_kwh
    left = PlantState(kept, cold, warm.air_k, warm.mass_k)
    return Block(
        columns, left, warm.limit_s, int(stored.clipped_steps), int(cut.sum()), plant.limits.counts
    )


def _drawn(column: str) -> bool:
    """Whether a column of the plant stops where the site is dark."""
    return column.endswith(("_kw", "_l_per_h")) and not column.startswith("store_")


def _with_tank(
    site: Site,
    asked: SetPoints,
    played: Callable[[Array, Array], Facility],
    stored_kwh: float,
    step_h: float,
) -> tuple[Facility, Array, NDArray[np.bool_]]:
    """The plant with what its tank can do, the content after each step, and where requests were cut.

    The plant says first how much of the requests machines and heat allow; the content of the tank
    then allows some of that, which the plant can always do.
    """
    tank, steps = site.tank, len(asked.supply_degc)
    if tank is None:
        nothing = np.zeros(steps)
        unheard = (asked.store_charge_kw > 0) | (asked.store_discharge_kw > 0)
        return played(nothing, nothing), nothing, unheard
    net_kw = asked.store_charge_kw - asked.store_discharge_kw
    charge = np.minimum(np.maximum(net_kw, 0.0), tank.charge_max_kw)
    discharge = np.minimum(np.maximum(-net_kw, 0.0), tank.discharge_max_kw)
    able = played(charge, discharge)
    flows = follow(tank, able.store_charge_kw, able.store_discharge_kw, stored_kwh, step_h)
    plant = able
    if flows.cut.any():
        plant = played(flows.charge_kw, flows.discharge_kw)
        flows = follow(tank, plant.store_charge_kw, plant.store_discharge_kw, stored_kwh, step_h)
    short = asked.store_charge_kw - plant.store_charge_kw
    short = np.maximum(short, asked.store_discharge_kw - plant.store_discharge_kw)
    return plant, flows.stored_kwh, short > ROUNDING_KW
