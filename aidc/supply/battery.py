"""A battery follows requests as far as its power and its window allow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aidc.equipment import Battery
from aidc.errors import Fault, SeriesError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BatteryFlows:
    """What the battery did: ``charge - discharge - loss`` is the change of its energy.

    Attributes:
        charge_kw: AC power into the battery, shape (n,).
        discharge_kw: AC power out of it, shape (n,).
        loss_kw: what both directions lose inside, shape (n,).
        energy_kwh: stored at the end of each step, shape (n,).
        clipped_steps: steps in which a request could not be followed in full.
    """

    charge_kw: Array
    discharge_kw: Array
    loss_kw: Array
    energy_kwh: Array
    clipped_steps: int


def dispatch(
    charge_request_kw: ArrayLike,
    discharge_request_kw: ArrayLike,
    capacity_kwh: float,
    battery: Battery,
    soc_start_kwh: float,
    step_h: float,
) -> BatteryFlows:
    """Requests as the battery can follow them, one step after another.

    Power stays within the C-rate, energy within the window of charge; a battery that starts
    outside its window moves only towards it. It cannot do both at once: of two requests in one
    step the smaller is taken off the larger, and the step counts as clipped.

    Args:
        charge_request_kw: asked AC power in, shape (n,).
        discharge_request_kw: asked AC power out, shape (n,).
        capacity_kwh: nominal energy; 0 is no battery.
        battery: its row of the catalog.
        soc_start_kwh: stored at the start.
        step_h: length of a step [h].

    Raises:
        SeriesError: requests of unequal length, negative or not finite, or a start beyond 0 to
            the capacity; every fault at once.
    """
    charge = np.atleast_1d(np.asarray(charge_request_kw, np.float64))
    discharge = np.atleast_1d(np.asarray(discharge_request_kw, np.float64))
    _check(charge, discharge, capacity_kwh, soc_start_kwh)
    limit_kw = battery.c_rate_per_h * capacity_kwh
    low, high = battery.soc_min_frac * capacity_kwh, battery.soc_max_frac * capacity_kwh
    into, out_of = battery.charge_efficiency_frac, 1 / battery.discharge_efficiency_frac

    energy, net = float(soc_start_kwh), charge - discharge
    charged, discharged, stored = (np.zeros(len(net)) for _ in range(3))
    for step, asked in enumerate(net.tolist()):
        if asked > 0:
            room_kw = max(high - energy, 0.0) / (into * step_h)
            power = min(asked, limit_kw, room_kw)
            charged[step] = power
            energy += power * into * step_h
        elif asked < 0:
            there_kw = max(energy - low, 0.0) / (out_of * step_h)
            power = min(-asked, limit_kw, there_kw)
            discharged[step] = power
            energy -= power * out_of * step_h
        stored[step] = energy
    short = (charge - charged) + (discharge - discharged)
    clipped = short > 1e-9 * np.maximum(charge + discharge, 1.0)
    loss = charged * (1 - into) + discharged * (out_of - 1)
    return BatteryFlows(charged, discharged, loss, stored, int(clipped.sum()))


def _check(charge: Array, discharge: Array, capacity_kwh: float, soc_start_kwh: float) -> None:
    faults = []
    if charge.shape != discharge.shape:
        message = (
            f"{charge.size} charge and {discharge.size} discharge requests; give one of each a step"
        )
        faults.append(Fault("", 0, 0, "battery", message))
    for key, request in (("charge_request_kw", charge), ("discharge_request_kw", discharge)):
        wrong = np.flatnonzero(~(np.isfinite(request) & (request >= 0)))
        if wrong.size:
            message = f"{request[wrong[0]]:g} in step {wrong[0]}; a request is 0 or more, its name gives the direction"
            faults.append(Fault("", 0, 0, key, message))
    if not 0 <= soc_start_kwh <= capacity_kwh:
        message = f"{soc_start_kwh:g} kWh is not within 0 and the capacity of {capacity_kwh:g} kWh"
        faults.append(Fault("", 0, 0, "soc_start_kwh", message))
    if faults:
        raise SeriesError(faults)
