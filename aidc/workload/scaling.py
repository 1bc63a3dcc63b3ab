"""Scaling efficiency of a gang: what share of its boards' speed a job keeps as it grows."""

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from aidc.config import Number
from aidc.equipment import Row
from aidc.errors import Fault, SeriesError
from aidc.job import FloatColumn


class GangScaling(Row):
    """How a gang scales, and to what size that is known: ``models/gang_scaling.csv``."""

    exponent: Number = Field(ge=0)
    gpu_count_max: int = Field(ge=1)


def scaling_efficiency(gpu_count: ArrayLike, scaling: GangScaling) -> FloatColumn:
    """Speed of a gang over that of as many boards alone, ``n^-exponent``, shape of the input.

    One board has 1. A job of ``w`` board-seconds runs ``w / (n efficiency)`` seconds; a run time
    from a trace has the efficiency of its own size inside it.

    Args:
        gpu_count: boards of each gang, 1 to ``scaling.gpu_count_max``.
        scaling: a row of ``models/gang_scaling.csv``.

    Raises:
        SeriesError: a gang smaller than one board, or larger than is known.

    Examples:
        >>> from aidc.catalog import table
        >>> row = table("gang_scaling", GangScaling)["sensetime"]
        >>> scaling_efficiency([1, 1024], row).round(3)
        array([1.   , 0.915])
    """
    boards = np.asarray(gpu_count, np.float64)
    outside = ~((boards >= 1) & (boards <= scaling.gpu_count_max))
    if outside.any():
        wrong = ", ".join(f"{n:g}" for n in np.unique(boards[outside])[:5])
        message = f"known from 1 to {scaling.gpu_count_max} boards, not for {wrong}"
        raise SeriesError(Fault("", 0, 0, f"gang_scaling '{scaling.name}'", message))
    return np.asarray(boards**-scaling.exponent, np.float64)
