"""What of the site does not work in a step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of cooling and supply; every array has shape (n,).

    Attributes:
        running_frac: share of the cooling units that can run, with their fans and compressors.
        dx_runs: whether the compressors behind evaporative coolers can run.
        has_water: whether there is water for spray and towers.
        supply_bias_k: how much warmer the supply air is than its sensor says.
        has_grid: whether the grid is there; the plant itself runs on whatever the site has.
    """

    running_frac: NDArray[np.float64]
    dx_runs: NDArray[np.bool_]
    has_water: NDArray[np.bool_]
    supply_bias_k: NDArray[np.float64]
    has_grid: NDArray[np.bool_]

    @classmethod
    def none(cls, count: int) -> "Faults":
        """All is well."""
        well = np.ones(count, np.bool_)
        return cls(np.ones(count), well, well, np.zeros(count), well)

    def at(self, rows: slice) -> "Faults":
        """Some steps of it."""
        return Faults(
            self.running_frac[rows],
            self.dx_runs[rows],
            self.has_water[rows],
            self.supply_bias_k[rows],
            self.has_grid[rows],
        )
