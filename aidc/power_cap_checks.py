"""What a scenario must be for its plan to choose power caps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aidc import catalog
from aidc.site import Site
from aidc.workload_inputs import AnyWorkload

if TYPE_CHECKING:
    from aidc.scenario import Plan

KEY = "plan.power_caps"
NO_FAULTS = "no-faults"  # row of models/fault_rules.csv


def cap_faults(
    plan: "Plan | None",
    site_names: tuple[str, ...],
    sites: Mapping[str, Site],
    workload: AnyWorkload | None,
) -> list[str]:
    """Each fault as ``key: message``.

    Args:
        plan: what is minimised; None where it is not sound by itself.
        site_names: of all sites, sound or not.
        sites: the sound ones.
        workload: which jobs there are; None where it is not sound.
    """
    if plan is None or not plan.caps_frac:
        return []
    faults = []
    if len(site_names) > 1:
        faults.append(f"{KEY}: a plan caps the jobs of one site alone; leave it out")
    if plan.foresight != "perfect":
        faults.append(
            f"{KEY}: caps are chosen under plan.foresight: perfect alone, not {plan.foresight}; "
            "leave it out"
        )
    if workload is not None and workload.faults != NO_FAULTS:
        faults.append(
            f"{KEY}: interruptions are drawn before a plan slows jobs, so both together are not "
            f"known; set workload.faults: {NO_FAULTS}, not {workload.faults}"
        )
    lowest = {
        row["name"]: float(row["cap_frac"].split()[0]) for row in catalog.records("power_caps")
    }
    for pool in (pool for site in sites.values() for pool in site.pools):
        board, whose = pool.server.gpu.name, f"pool {pool.name}"
        if pool.power_cap_frac is not None:
            faults.append(
                f"{KEY}: {whose} has a fixed power_cap of {pool.power_cap_frac:g}; caps are fixed or "
                "the plan's choice, so leave one out"
            )
        if pool.sleep_after_min is not None:
            faults.append(
                f"{KEY}: idle servers of {whose} sleep, and a plan that caps jobs does not follow them; "
                "leave sleep_after_min out"
            )
        if board not in lowest:
            faults.append(f"{KEY}: {whose}: {catalog.missing('power_caps.csv', board, lowest)}")
            continue
        faults += [
            f"{KEY}: {cap:g} is below {lowest[board]:g}, the lowest known of {board} in {whose}"
            for cap in plan.caps_frac
            if cap < lowest[board]
        ]
    return faults
