"""Nodes that fail and leave their pool for repair."""

from collections.abc import Sequence
from dataclasses import dataclass

from aidc.catalog import row
from aidc.scenario import Scenario
from aidc.site import Pool
from aidc.workload.interruptions import FaultRules


@dataclass(frozen=True, slots=True)
class Repairs:
    """What happens to nodes that fail.

    Attributes:
        gpus: boards of a node.
        repair_s: for how long it is away.
        out_until_s: when those come back that are away at the start.
    """

    gpus: int
    repair_s: float
    out_until_s: tuple[float, ...] = ()


def repairs_of(scenario: Scenario, pool: Pool, out_until_s: Sequence[float]) -> Repairs | None:
    """What happens to failed nodes of a pool under the scenario's fault rules; None: none leaves.

    Args:
        scenario: whose rules.
        pool: whose nodes.
        out_until_s: when those come back that are away at the start.
    """
    repair_s = row("fault_rules", FaultRules, scenario.workload.faults).repair_s
    if repair_s is None:
        return None
    return Repairs(pool.server.gpu_count, repair_s, tuple(out_until_s))
