"""Speed and power of a job on boards under a power cap.

Cap and draw are shares of the board's maximum power. A cap binds only where it is below the draw
that the job would have without one; a capped board draws its cap.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from aidc.config import Number
from aidc.equipment import Gpu, Numbers, Row
from aidc.errors import Fault, SeriesError
from aidc.job import FloatColumn


class PowerCap(Row):
    """A board under a cap, relative to no cap: ``models/power_caps.csv``, one row a board.

    Caps rise to 1, where throughput is 1; throughput is concave in the cap, so that the lines
    through its points bound it from above in a linear program.
    """

    cap_frac: Numbers
    throughput_frac: Numbers
    energy_ratio: Numbers  # board energy per unit of work

    @model_validator(mode="after")
    def _is_concave(self) -> "PowerCap":
        caps, speeds = self.cap_frac, self.throughput_frac
        if not len(caps) == len(speeds) == len(self.energy_ratio):
            raise PydanticCustomError("power_cap", "the three lists must be of one length", {})
        if caps[0] <= 0 or speeds[0] <= 0 or min(self.energy_ratio) <= 0:
            raise PydanticCustomError("power_cap", "every number must be above 0", {})
        if caps[-1] != 1 or speeds[-1] != 1 or self.energy_ratio[-1] != 1:
            raise PydanticCustomError("power_cap", "each list must end at 1, no cap", {})
        steps = zip(pairwise(caps), pairwise(speeds), strict=True)
        if any(b <= a or d <= c for (a, b), (c, d) in steps):
            raise PydanticCustomError("power_cap", "caps and throughput must rise", {})
        slopes = np.diff(speeds) / np.diff(caps)
        if (np.diff(slopes) > 0).any():
            raise PydanticCustomError("power_cap", "throughput must be concave in the cap", {})
        return self

    @property
    def floor_frac(self) -> Number:
        """Lowest cap that is known."""
        return self.cap_frac[0]

    @property
    def least_energy_frac(self) -> Number:
        """Cap of least board energy per unit of work; a lower one costs time and energy."""
        return self.cap_frac[int(np.argmin(self.energy_ratio))]


def draw_frac(gpu: Gpu, phi_frac: ArrayLike) -> FloatColumn:
    """Uncapped power of a running board over its maximum, from the job's phi, shape of the input."""
    idle = gpu.idle_w / gpu.max_w
    return np.asarray(idle + np.asarray(phi_frac, np.float64) * (1 - idle), np.float64)


def phi_of_draw_frac(gpu: Gpu, drawn_frac: ArrayLike) -> FloatColumn:
    """Inverse of `draw_frac`: the phi with which ``added_kw`` gives the power of a capped job."""
    idle = gpu.idle_w / gpu.max_w
    return np.asarray((np.asarray(drawn_frac, np.float64) - idle) / (1 - idle), np.float64)


def throughput_frac(cap_frac: ArrayLike, drawn_frac: ArrayLike, board: PowerCap) -> FloatColumn:
    """Speed under a cap over the speed without, broadcast shape of the inputs.

    With f the row's points joined by lines, a job that draws d has ``min(1, f(cap) / f(d))``: it
    loses nothing where the cap is at or above its own draw, and the loss begins from there.

    Args:
        cap_frac: cap over the board's maximum power, from the row's floor to 1.
        drawn_frac: the job's uncapped draw over that maximum, 0 to 1; see `draw_frac`.
        board: the row of the board.

    Raises:
        SeriesError: a cap below the floor or above 1 (nothing is extrapolated), or a draw outside 0 to 1.
    """
    cap, drawn = _within(cap_frac, drawn_frac, board)
    binding_at = np.maximum(drawn, cap)  # the cap itself where it does not bind: ratio 1
    return np.asarray(_points(cap, board) / _points(binding_at, board), np.float64)


def capped_draw_frac(cap_frac: ArrayLike, drawn_frac: ArrayLike, board: PowerCap) -> FloatColumn:
    """Power of a running board under a cap over its maximum: the lower of cap and draw.

    Arguments, shape and errors as for `throughput_frac`.
    """
    cap, drawn = _within(cap_frac, drawn_frac, board)
    return np.minimum(cap, drawn)


def _points(cap_frac: FloatColumn, board: PowerCap) -> FloatColumn:
    return np.asarray(np.interp(cap_frac, board.cap_frac, board.throughput_frac), np.float64)


def _within(
    cap_frac: ArrayLike, drawn_frac: ArrayLike, board: PowerCap
) -> tuple[FloatColumn, FloatColumn]:
    cap, drawn = np.broadcast_arrays(
        np.asarray(cap_frac, np.float64), np.asarray(drawn_frac, np.float64)
    )
    faults = []
    for name, value, low in (("cap_frac", cap, board.floor_frac), ("drawn_frac", drawn, 0.0)):
        outside = ~((value >= low) & (value <= 1))
        if outside.any():
            wrong = ", ".join(f"{share:g}" for share in np.unique(value[outside])[:5])
            message = f"must be from {low:g} to 1 of the board's maximum power, not {wrong}"
            faults.append(Fault("", 0, 0, f"{name} of '{board.name}'", message))
    if faults:
        raise SeriesError(faults)
    return cap, drawn
