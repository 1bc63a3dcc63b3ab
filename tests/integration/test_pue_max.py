"""A promised PUE, as a meter of the simulated plant finds it."""

from pathlib import Path

import pytest

import aidc
from aidc.api.verbs import lived
from aidc.errors import InfeasibleError
from aidc.trace import Trace

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
DAY = ["site.model=helios-hall", "end=2023-07-04T00:00:00+08:00", "step=60 min",
       "workload.jobs_per_day=150", "pathway=null", "plan.objective=water"]  # fmt: skip


def pue(trace: Trace) -> float:
    return float(trace.facility_kw.sum() / trace.frame["it_kw"].sum())


def test_a_plan_of_least_water_keeps_the_pue_it_must_and_pays_with_water_for_it() -> None:
    scenario = aidc.load(WEEK, sets=DAY)
    before = aidc.simulate(scenario)
    _, free = lived(scenario, before)
    wanted = pue(free) - 0.01
    schedule, kept = lived(scenario.replace("plan.pue_max", wanted), before)
    assert schedule.status == "optimal"
    assert pue(kept) <= wanted + 1e-6
    assert kept.frame["water_l_per_h"].sum() > free.frame["water_l_per_h"].sum()


def test_a_pue_out_of_reach_is_named_as_what_cannot_be_kept() -> None:
    scenario = aidc.load(WEEK, sets=[*DAY, "plan.pue_max=1.01"])
    with pytest.raises(InfeasibleError, match="limit on PUE"):
        lived(scenario, aidc.simulate(scenario))
