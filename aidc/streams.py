"""Random streams: one a purpose, all from the scenario's seed.

Variants of a scenario draw the same numbers for the same purpose, whatever else they draw.
"""

from typing import Final, Literal

import numpy as np

Purpose = Literal["weather", "arrivals", "jobs", "warm_start", "grid"]
_ORDER: Final[tuple[Purpose, ...]] = (
    "weather",
    "arrivals",
    "jobs",
    "warm_start",
    "grid",
)  # append only


def stream(seed: int, purpose: Purpose) -> np.random.Generator:
    """The generator of one purpose.

    Examples:
        >>> stream(7, "jobs").integers(100) == stream(7, "jobs").integers(100)
        np.True_
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_ORDER.index(purpose),)))
