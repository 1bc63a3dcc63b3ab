"""What meets at a site's bus in a window, and what the window inherits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Battery
from aidc.optimization.commitment import Chillers
from aidc.optimization.peaks import Peaks
from aidc.site import WaterTank

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bus:
    """What else is on the site's bus.

    Attributes:
        pv_kw: available, shape (slots,).
        slot_h: length of a slot [h].
        battery: its data; used where ``battery_kwh`` is positive.
        battery_kwh: capacity.
        stored_kwh: energy at the start of the window.
        tank: chilled-water storage; None: there is none, or its flows are given.
        store_kwh: cold in it at the start of the window.
        supply_degc: set-point in force before the window.
        ramp_k_per_h: largest change of the set-point.
        month_of_slot: month of each slot, shape (slots,).
        peaks: the demand charge as the window sees it.
        import_limit_kw: what the grid asks for, inf where nothing, shape (slots,).
        chillers: how many run before the window, and what binds them; None: they follow the plant's rule.
    """

    pv_kw: Array
    slot_h: float
    battery: Battery
    battery_kwh: float
    stored_kwh: float
    tank: WaterTank | None
    store_kwh: float
    supply_degc: float
    ramp_k_per_h: float
    month_of_slot: NDArray[np.int64]
    peaks: Peaks
    import_limit_kw: Array
    chillers: Chillers | None
