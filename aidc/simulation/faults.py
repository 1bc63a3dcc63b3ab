"""Events of a scenario in the simulation: what of the plant works in each step, and how the hall warms."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.event import CoolingTrip, DxTrip, ImportLimit, SensorBias, UtilityLoss, WaterLoss
from aidc.plant import air
from aidc.plant.facility import Facility
from aidc.plant.faults import Faults
from aidc.plant.hall import ThermalMass
from aidc.scenario import Scenario
from aidc.site import Site
from aidc.units import S_PER_H

Array = NDArray[np.float64]
UNMET_KW = 1e-9  # less is rounding
INLET_K = 1e-9
CAPACITY = "capacity"  # cause of unmet heat where no event is in force


def faults_of(scenario: Scenario, site: str) -> Faults:
    """What works in every step of the horizon; several events at once add up."""
    horizon = scenario.horizon(site)
    made = Faults.none(horizon.steps)
    running, dx, water, bias = (
        made.running_frac, made.dx_runs.copy(), made.has_water.copy(), made.supply_bias_k,
    )  # fmt: skip
    grid = made.has_grid.copy()
    at_s = np.arange(horizon.steps) * horizon.step_s
    for event in scenario.events:
        if event.site not in (None, site):
            continue
        first, last = ((time - scenario.start).total_seconds() for time in (event.start, event.end))
        acts = (at_s >= first) & (at_s < last)
        if isinstance(event, CoolingTrip):
            running[acts] *= 1.0 - event.lost_frac
        elif isinstance(event, DxTrip):
            dx[acts] = False
        elif isinstance(event, WaterLoss):
            water[acts] = False
        elif isinstance(event, SensorBias):
            bias[acts] += event.bias_k
        elif isinstance(event, UtilityLoss):
            grid[acts] = False
    return Faults(running, dx, water, bias, grid)


def causes_of(scenario: Scenario, site: str, at_s: float) -> str:
    """Kinds of the events in force at a time, or that it was the capacity."""
    kinds = [
        event.kind
        for event in scenario.events
        if event.site in (None, site)
        and not isinstance(event, ImportLimit)
        and (event.start - scenario.start).total_seconds()
        <= at_s
        < (event.end - scenario.start).total_seconds()
    ]
    return ", ".join(dict.fromkeys(kinds)) or CAPACITY


@dataclass(frozen=True, slots=True)
class Warmth:
    """The hall over a block of steps.

    Attributes:
        inlet_degc: at the end of each step, shape (n,).
        limit_s: seconds into the step at which the inlet passes its limit; inf: not in it.
        air_k, mass_k: excess of air and equipment at the end of the block.
    """

    inlet_degc: Array
    limit_s: Array
    air_k: float
    mass_k: float


def warmth(
    site: Site, plant: Facility, setpoint_degc: Array, step_s: float, air_k: float, mass_k: float
) -> Warmth:
    """How the inlets warm where heat stays in the hall, or where less air is moved than servers draw.

    Within a step the excess follows the two masses of the hall with the heat that is not taken from
    the inlets: what is unmet, or what recirculates for want of air. It ends at the steady inlet of
    that step. Where both are gone the hall is taken to be back at its set-point at once.

    Args:
        site: its hall.
        plant: of the block.
        setpoint_degc: supply air as it would be with all heat taken, shape (n,).
        step_s: length of a step.
        air_k: excess of the air at the start of the block.
        mass_k: excess of the equipment.
    """
    normal = air.inlet_degc(site.hall, setpoint_degc)
    inlet, limit = plant.inlet_degc.copy(), np.full(len(normal), np.inf)
    short_k = plant.inlet_degc - air.inlet_degc(site.hall, plant.supply_air_degc)
    rise_k = site.hall.air_rise_k
    missing = np.where(
        np.isinf(short_k), 1.0, short_k / (rise_k + np.where(np.isinf(short_k), 0.0, short_k))
    )
    left_kw = np.maximum(plant.unmet_cooling_kw, missing * plant.it_kw)
    unmet = np.flatnonzero(left_kw > UNMET_KW * np.maximum(plant.it_kw, 1.0))
    if not len(unmet):
        return Warmth(inlet, limit, 0.0, 0.0)
    mass = ThermalMass.of(site)
    before = -1
    for step in unmet.tolist():
        if step != before + 1:
            air_k, mass_k = 0.0, 0.0
        heat = left_kw[step : step + 1]
        steady_k = float(plant.inlet_degc[step] - normal[step])
        now = np.array([air_k]), np.array([mass_k])
        room_k = site.hall.inlet_max_degc - float(normal[step])
        if steady_k > room_k:
            limit[step] = mass.seconds_to(np.array([room_k]), *now, heat)[0]
        warmer, heavier = mass.warmed(*now, heat, np.array([step_s]))
        air_k = min(float(warmer[0]), steady_k)
        mass_k = min(float(heavier[0]), air_k)
        inlet[step] = normal[step] + air_k
        if limit[step] > step_s:
            limit[step] = np.inf
        before = step
    if before != len(normal) - 1:
        air_k, mass_k = 0.0, 0.0
    return Warmth(inlet, limit, air_k, mass_k)


def incidents(scenario: Scenario, site: str, frame: pd.DataFrame, limit_s: Array) -> pd.DataFrame:
    """A row for every spell in which heat stayed in the hall or the inlets were above their limit.

    Returns:
        ``site, cause, start, end, unmet_kwh, unmet_peak_kw, warmest_inlet_degc, limit_after_s``;
        the last is seconds from the start of the spell to the inlet limit, nan where it held.
    """
    unmet = frame["unmet_cooling_kw"].to_numpy(np.float64)
    hot = (
        frame["inlet_degc"].to_numpy(np.float64)
        > scenario.sites[site].site.hall.inlet_max_degc + INLET_K
    )
    is_unmet = np.concatenate([[False], (unmet > UNMET_KW) | hot, [False]])
    edges = np.flatnonzero(np.diff(is_unmet.astype(np.int8)))
    step = pd.Timedelta(minutes=scenario.step_min)
    rows = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        passed = np.flatnonzero(np.isfinite(limit_s[first:last]))
        after = float("nan")
        if len(passed):
            after = passed[0] * step.total_seconds() + float(limit_s[first + passed[0]])
        rows.append(
            {
                "site": site,
                "cause": causes_of(scenario, site, float(first * step.total_seconds())),
                "start": frame.index[first],
                "end": frame.index[last - 1] + step,
                "unmet_kwh": float(unmet[first:last].sum()) * scenario.step_min / 60,
                "unmet_peak_kw": float(unmet[first:last].max()),
                "warmest_inlet_degc": float(frame["inlet_degc"].iloc[first:last].max()),
                "limit_after_s": after,
            }
        )
    return pd.DataFrame(rows, columns=list(INCIDENT_COLUMNS))


def restarts(scenario: Scenario, site: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A row for every loss of the grid that generators carried: the hall until its cooling is back.

    The UPS holds the servers while generators start and the plant restarts; all their heat stays in
    the hall for those seconds. They are shorter than a step, so the columns of the trace do not show
    them: the heat is removed later in the same step. Columns as of `incidents`.
    """
    here = scenario.sites[site].site
    lost = ~faults_of(scenario, site).has_grid
    first = np.flatnonzero(lost & ~np.concatenate([[False], lost[:-1]]))
    if here.backup is None or not len(first):
        return pd.DataFrame(columns=list(INCIDENT_COLUMNS))
    off_s = np.array([here.backup.generator.start_s + here.backup.cooling_restart_s])
    mass, cold, rows = ThermalMass.of(here), np.zeros(1), []
    for step in first.tolist():
        heat_kw = frame["heat_removed_kw"].to_numpy(np.float64)[step : step + 1]
        inlet_degc = float(frame["inlet_degc"].iloc[step])
        room_k = np.array([max(here.hall.inlet_max_degc - inlet_degc, 0.0)])
        passed_s = float(mass.seconds_to(room_k, cold, cold, heat_kw)[0])
        warmer_k, _ = mass.warmed(cold, cold, heat_kw, off_s)
        rows.append(
            {
                "site": site,
                "cause": "utility_loss",
                "start": frame.index[step],
                "end": frame.index[step] + pd.Timedelta(seconds=float(off_s[0])),
                "unmet_kwh": float(heat_kw[0] * off_s[0] / S_PER_H),
                "unmet_peak_kw": float(heat_kw[0]),
                "warmest_inlet_degc": inlet_degc + float(warmer_k[0]),
                "limit_after_s": passed_s if passed_s <= off_s[0] else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=list(INCIDENT_COLUMNS))


INCIDENT_COLUMNS = (
    "site", "cause", "start", "end", "unmet_kwh", "unmet_peak_kw", "warmest_inlet_degc",
    "limit_after_s",
)  # fmt: skip
