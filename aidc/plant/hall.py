"""How a hall warms when heat stays in it: two masses, air and equipment, in closed form.

Khankari, "Thermal mass availability for cooling data centers during power shutdown", ASHRAE Transactions
117-1 (2011). With the heat ``Q`` that is not removed, and ``UA`` between air ``Ca`` and equipment ``Cm``::

    Ca dTa/dt = Q - UA (Ta - Tm),   Cm dTm/dt = UA (Ta - Tm)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.plant.air import AIR_CP_KJ_PER_KG_K, AIR_KG_PER_M3
from aidc.site import Site

Array = NDArray[np.float64]
_BISECTIONS = 60
KJ_PER_KWH = 3_600.0


@dataclass(frozen=True, slots=True)
class ThermalMass:
    """Heat capacities of a site's halls and what links them.

    Attributes:
        air_kj_per_k: of the air.
        mass_kj_per_k: of racks and equipment.
        ua_kw_per_k: between the two.
    """

    air_kj_per_k: float
    mass_kj_per_k: float
    ua_kw_per_k: float

    @classmethod
    def of(cls, site: Site) -> "ThermalMass":
        """Masses of all racks of a site, as many as its rated IT power needs."""
        racks, rack = site.rated_it_kw / site.hall.rack_kw, site.hall.rack_mass
        return cls(
            racks * rack.air_m3 * AIR_KG_PER_M3 * AIR_CP_KJ_PER_KG_K,
            racks * rack.mass_kg * rack.mass_kj_per_kg_k,
            racks * rack.ua_kw_per_k,
        )

    @property
    def kwh_per_k(self) -> float:
        """Heat that air and equipment hold a kelvin."""
        return (self.air_kj_per_k + self.mass_kj_per_k) / KJ_PER_KWH

    @property
    def time_constant_s(self) -> float:
        """Of the difference between air and equipment."""
        whole = self.air_kj_per_k + self.mass_kj_per_k
        return self.air_kj_per_k * self.mass_kj_per_k / (self.ua_kw_per_k * whole)

    def warmed(
        self, air_k: Array, mass_k: Array, heat_kw: Array, seconds: Array
    ) -> tuple[Array, Array]:
        """Excess of air and equipment after a time with a constant heat left in the hall [K].

        Args:
            air_k: excess of the air at its start.
            mass_k: excess of the equipment at its start.
            heat_kw: not removed.
            seconds: how long.
        """
        whole = self.air_kj_per_k + self.mass_kj_per_k
        share = self.mass_kj_per_k / whole
        settled_k = heat_kw / self.ua_kw_per_k * share  # the lasting difference under this heat
        mean_k = (
            self.air_kj_per_k * air_k + self.mass_kj_per_k * mass_k + heat_kw * seconds
        ) / whole
        apart_k = settled_k + (air_k - mass_k - settled_k) * np.exp(-seconds / self.time_constant_s)
        return mean_k + share * apart_k, mean_k - (1.0 - share) * apart_k

    def seconds_to(self, rise_k: Array, air_k: Array, mass_k: Array, heat_kw: Array) -> Array:
        """Time until the air is warmer by ``rise_k`` than in normal operation [s]; inf for never.

        Args:
            rise_k: excess to be reached, shape (n,).
            air_k: excess of the air at the start, shape (n,).
            mass_k: excess of the equipment at the start, shape (n,).
            heat_kw: not removed, shape (n,).
        """
        whole = self.air_kj_per_k + self.mass_kj_per_k
        there, never = air_k >= rise_k, heat_kw <= 0.0
        # the air is never behind the common mean by more than it is at the start
        late_s = np.divide(
            whole * (rise_k + np.abs(air_k) + np.abs(mass_k)),
            heat_kw,
            out=np.zeros_like(heat_kw),
            where=~never,
        )
        low, high = np.zeros_like(heat_kw), late_s + self.time_constant_s
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            reached = self.warmed(air_k, mass_k, heat_kw, middle)[0] >= rise_k
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return np.where(there, 0.0, np.where(never, np.inf, high))
