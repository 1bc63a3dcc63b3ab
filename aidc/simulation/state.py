"""What a site carries from one piece of a run to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aidc.simulation.energy import PlantState


@dataclass(frozen=True, slots=True)
class SiteState:
    """What a site carries from one piece of a run to the next, beside its jobs.

    Attributes:
        plant: of its plant.
        repairs_s: by pool, when the nodes come back that are under repair.
    """

    plant: PlantState
    repairs_s: Mapping[str, Sequence[float]]
