"""What starts cost beside the slots of their window: delay, and work that runs past its end."""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.bound import marginal_price
from aidc.optimization.bus import Bus
from aidc.optimization.classes import Tail
from aidc.optimization.objective import Prices
from aidc.optimization.peaks import spread_over
from aidc.optimization.plant_tables import PlantTables

Array = NDArray[np.float64]
DAY_H = 24


def tail_of(tables: PlantTables, money: Prices, bus: Bus, it_kw: Array) -> Tail:
    """Prices of work after the window, from the course of its last day under the load as it stands.

    Work that runs on meets a day like the last one: its energy at the marginal price of the hour, and its
    share of the demand charge in the hours that could become the month's peak.

    Args:
        tables: sampled plant; their upper end is what the movable work can reach.
        money: prices of the objective.
        bus: what meets at the site.
        it_kw: load if no job is moved, shape (slots,).
    """
    day = slice(-round(DAY_H / bus.slot_h), None)
    price = marginal_price(tables, money, bus, it_kw)[day]
    if money.demand_price > 0:
        rest = tables.at_rest
        ratio = tables.facility_kw[:, :, rest].min(axis=1) / np.maximum(tables.it_kw[:, rest], 1.0)
        site_per_it = np.array(
            [
                np.interp(load, x, y)
                for load, x, y in zip(it_kw, tables.it_kw[:, rest], ratio, strict=True)
            ]
        )
        month = int(bus.month_of_slot[-1])
        bought = np.maximum(it_kw * site_per_it - bus.pv_kw, 0.0) + bus.peaks.above_mean_kw
        reach = (tables.it_kw[:, rest][:, -1] - it_kw) * site_per_it
        on_kw = spread_over(
            bought[day],
            np.maximum(reach[day], 0.0),
            bus.peaks.floor_kw[month],
            money.demand_price * bus.peaks.share[month],
        )
        price = price + on_kw * site_per_it[day] / bus.slot_h
    return Tail(price, money.delay_price)
