"""What a window must know of the month about it to see the demand charge as the month will pay it.

A month pays for its highest import alone, so the worth of a peak is a function of the whole month.
With the imports p of a window and the cost c(q) of the rest of the month under a peak of at most q,
the rest is worth min over q >= p of (price x q + c(q)): flat up to the peak that the rest reaches anyway, then
rising to the full price. The window sees that as a floor with the price above it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import SiteDrivers
from aidc.optimization.plant_tables import Option, sample
from aidc.site import ModePolicy, Site
from aidc.units import H_PER_DAY, S_PER_H

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Peaks:
    """The demand charge as one window sees it.

    Attributes:
        floor_kw: month -> import that it reaches whatever the window does: so far, or in what follows
            the window.
        share: month -> part of it that the horizon covers, and pays for.
        above_mean_kw: highest step of each slot above the slot's mean, shape (slots,).
    """

    floor_kw: Mapping[int, float]
    share: Mapping[int, float]
    above_mean_kw: Array


def month_numbers(index: pd.DatetimeIndex) -> NDArray[np.int64]:
    """A number for the month of each time, rising from month to month, shape (n,)."""
    return np.asarray(index.year * 12 + index.month, np.int64)


def peaks_of(
    expected_kw: Array,
    index: pd.DatetimeIndex,
    window: slice,
    per_slot: int,
    so_far_kw: float,
) -> Peaks:
    """The peaks about a window.

    Args:
        expected_kw: import of every step of the horizon if no job is moved, shape (steps,).
        index: of the horizon.
        window: its steps.
        per_slot: steps in a slot.
        so_far_kw: highest import of the running month before the window.
    """
    months = month_numbers(index)
    step_h = (index[1] - index[0]).total_seconds() / S_PER_H if len(index) > 1 else 0.0
    after_months, after_kw = months[window.stop :], expected_kw[window.stop :]
    floor, share = {}, {}
    for month in dict.fromkeys(months[window].tolist()):
        steps = np.flatnonzero(months == month)
        floor[month] = float(np.max(after_kw[after_months == month], initial=0.0))
        hours = index[steps[0]].days_in_month * H_PER_DAY
        share[month] = min(len(steps) * step_h / hours, 1.0) if step_h else 1.0
    running = int(months[window.start])
    floor[running] = max(floor[running], so_far_kw)
    by_slot = expected_kw[window].reshape(-1, per_slot)
    return Peaks(floor, share, by_slot.max(axis=1) - by_slot.mean(axis=1))


def least_import_kw(
    site: Site,
    options: tuple[Option, ...],
    drivers: SiteDrivers,
    it_kw: Array,
    policy: ModePolicy,
) -> Array:
    """Import of every step under the set-point that needs least power, storage at rest, shape (steps,).

    Args:
        site: the site.
        options: set-points; those that leave heat in the hall count only where all do.
        drivers: what acts on it, on the same steps.
        it_kw: load at the reference inlet, shape (pools, steps).
        policy: mode policy where an option leaves the mode open.
    """
    rest = np.zeros((it_kw.shape[1], 1))
    water = drivers.water_cny_per_m3
    tables = sample(site, options, drivers.frame, 1, it_kw, it_kw, 1, policy, water, rest)
    heat = tables.unmet_kw > 0
    counts = ~heat | heat.all(axis=1, keepdims=True)
    least = np.where(counts, tables.facility_kw, np.inf).min(axis=(1, 2))
    return np.asarray(
        np.maximum(least - drivers.frame["pv_kw"].to_numpy(np.float64), 0.0), np.float64
    )


def spread_over(import_kw: Array, reach_kw: Array, floor_kw: float, price: float) -> Array:
    """Price of a kW in each slot of a day to come, so that all slots together bear a price.

    A slot bears it in proportion to how far the movable work could lift it above the floor: an hour
    that cannot become the month's peak bears nothing.

    Args:
        import_kw: expected, shape (slots,).
        reach_kw: what the movable work could add at most, shape (slots,).
        floor_kw: import that the month reaches anyway.
        price: of a kW of the month's peak.
    """
    excess = np.maximum(import_kw + reach_kw - floor_kw, 0.0)
    total = float(excess.sum())
    return price * excess / total if total > 0 else np.zeros(len(excess))
