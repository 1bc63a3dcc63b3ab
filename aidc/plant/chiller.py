"""Chillers: staging, capacity and electricity for heat, by one of two laws that Carnot bounds."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aidc.equipment import Chiller, OutOfRange
from aidc.errors import Fault, InputError
from aidc.plant import chiller_eir
from aidc.plant.curves import sampled
from aidc.units import ZERO_DEGC_IN_K

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def machines_running(
    heat_kw: Array, capacity_kw: ArrayLike, count: ArrayLike, stage_up_frac: float
) -> Array:
    """Machines that share a heat, shape (n,); the next one is on above a load share.

    None at no heat; all where a machine has no capacity left.
    """
    each = np.broadcast_to(np.asarray(capacity_kw, np.float64) * stage_up_frac, heat_kw.shape)
    asked = np.divide(
        heat_kw,
        each,
        out=np.where(heat_kw > 0.0, np.asarray(count, np.float64), 0.0),
        where=each > 0.0,
    )
    return np.clip(np.ceil(asked), 0.0, count)


def available_kw(
    chiller: Chiller, leaving_degc: Array, condenser_degc: Array
) -> tuple[Array, Mask]:
    """Heat that one machine can take [kW], and where its curves are outside their limits, shape (n,) each.

    A fitted chiller has its nameplate capacity everywhere. Where ``out_of_range`` is ``error`` the
    curves are read at their edge; `refuse_outside` stops on the steps that matter.
    """
    if chiller.curves is None:
        return np.full_like(condenser_degc, chiller.capacity_kw), np.zeros(
            len(condenser_degc), np.bool_
        )
    found = _curves(chiller, leaving_degc, condenser_degc)
    return chiller.capacity_kw * np.maximum(found.capacity_ratio, 0.0), found.outside


def refuse_outside(
    chiller: Chiller, leaving_degc: Array, condenser_degc: Array, running: Mask
) -> None:
    """Stops where a running machine's curves do not hold and ``out_of_range`` is ``error``.

    Raises:
        InputError: the temperatures, the limits and the other choices.
    """
    if chiller.curves is not None and chiller.out_of_range == "error":
        chiller_eir.refuse(chiller.curves, leaving_degc[running], condenser_degc[running])


def electricity_per_heat(
    chiller: Chiller, part_load_frac: Array, leaving_degc: Array, condenser_degc: Array
) -> tuple[Array, Mask]:
    """Electricity per heat removed, and where Carnot had to hold it, shape (n,) each.

    Below its least part load a machine cycles: its efficiency stays that of the least part load.

    Args:
        chiller: a fitted law or the curves of a tested machine.
        part_load_frac: heat over the capacity available on the running machines, 0 to 1.
        leaving_degc: chilled water.
        condenser_degc: condenser water that enters.
    """
    plr = np.clip(part_load_frac, chiller.plr_min_frac, 1.0)
    evaporating_k = leaving_degc - chiller.evaporator_approach_k + ZERO_DEGC_IN_K
    condensing_k = (
        condenser_degc
        + chiller.condenser_approach_per_plr_k * plr
        + chiller.condenser_approach_k
        + ZERO_DEGC_IN_K
    )
    lift_k = np.maximum(condensing_k - evaporating_k, chiller.lift_min_k)
    if chiller.curves is not None:
        found = _curves(chiller, leaving_degc, condenser_degc)
        stated = chiller_eir.electricity_per_heat(
            chiller.curves, chiller.plr_min_frac, part_load_frac, found.eir_ratio
        )
    else:
        stated = _fitted(chiller, plr, lift_k / evaporating_k)
    least = lift_k / (chiller.carnot_limit_frac * evaporating_k)
    return np.maximum(stated, least), stated < least


def _fitted(chiller: Chiller, plr: Array, carnot: Array) -> Array:
    """The two-parameter law on the Carnot ratio, times the part-load curve, shape (n,)."""
    a, b, curve = chiller.carnot_a, chiller.carnot_b, chiller.part_load_curve
    if a is None or b is None or curve is None:
        raise InputError(Fault("", 0, 0, f"chillers {chiller.name}", "has no law; see its model"))
    return (a + b * carnot) * sampled(curve)(plr) / plr


def _curves(chiller: Chiller, leaving_degc: Array, condenser_degc: Array) -> chiller_eir.Curves:
    if chiller.curves is None or chiller.out_of_range is None:
        raise InputError(Fault("", 0, 0, f"chillers {chiller.name}", "has no law; see its model"))
    beyond: OutOfRange = "extrapolate" if chiller.out_of_range == "extrapolate" else "clamp"
    return chiller_eir.at(chiller.curves, leaving_degc, condenser_degc, beyond)
