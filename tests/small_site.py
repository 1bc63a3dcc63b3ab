"""A site of two small pools, and job tables that hypothesis draws for it."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

import aidc
from aidc.api.drivers import drivers_of
from aidc.forecast import Drivers
from aidc.job import JobTable
from aidc.scenario import Policy, Scenario
from aidc.site import Pool
from aidc.trace import Trace
from aidc.workload.power import with_power
from tests.jobs import jobs
from tests.windows import SCENARIOS

LENGTH_S = 6 * 3600
SITE = "lingang"
CLASSES = ("inference", "debug", "fine-tune", "training")
ENDS = ("completed", "completed", "cancelled", "failed")


@cache
def _made() -> tuple[Scenario, Drivers]:
    sets = [
        "site.model=helios-hall",
        "site.battery_kwh=20",
        "pathway=null",
        "end=2023-07-03T06:00:00+08:00",
        "workload.jobs_per_day=1",
    ]
    scenario = aidc.load(SCENARIOS / "lingang-week.yaml", sets=sets)
    return scenario, drivers_of(scenario)


def small_drivers() -> Drivers:
    """Its series; the jobs are nobody's."""
    return _made()[1]


@cache
def small_scenario(policy: Policy, sleep: bool = False) -> Scenario:
    """Six hours of a room: 16 boards that stay on and 8 in a server that may sleep when idle."""
    scenario, _ = _made()
    choice = scenario.sites[SITE]
    server = choice.site.pools[0].server
    other = server.model_copy(update={"base_w": 900.0, "gpu_power_ratio": 1.1})
    pools = (
        Pool(name="first", server=server, server_count=2),
        Pool(name="second", server=other, server_count=1, sleep_after_min=15.0 if sleep else None),
    )
    site = choice.site.model_copy(update={"pools": pools, "rated_it_kw": 12.0})
    baseline = scenario.baseline.model_copy(update={"policy": policy})
    return scenario.model_copy(
        update={"sites": {SITE: choice.model_copy(update={"site": site})}, "baseline": baseline}
    )


def played(scenario: Scenario, table: JobTable, **changes: Any) -> Trace:
    """The scenario with these jobs."""
    from aidc.simulation import simulate

    table = with_power(table, (scenario.sites[SITE].site,), "value")
    return simulate(scenario, replace(small_drivers(), jobs=table), variant="test", **changes)


JOB = st.tuples(
    st.integers(0, LENGTH_S - 1),  # submit
    st.integers(1, 17),  # boards; 17 are more than any pool has
    st.integers(0, 9_000),  # run
    st.sampled_from([0.5, 1.0, 1.5, 4.0]),  # limit over run
    st.sampled_from([0, 0, 1_800, 7_200]),  # slack
    st.integers(0, 3),  # class
    st.integers(0, 2),  # virtual cluster
    st.integers(0, 3),  # end
    st.booleans(),  # pool
)


@st.composite
def tables(draw: st.DrawFn) -> JobTable:
    """Up to forty jobs, in order of submission."""
    rows = sorted(draw(st.lists(JOB, min_size=1, max_size=40)))
    submit, gpus, run, factor, slack, job_class, vc, end, pool = map(list, zip(*rows, strict=True))
    limit = np.maximum(np.array(run) * np.array(factor), 0.5)

    def words(prefix: tuple[str, ...], chosen: list[int]) -> np.ndarray:
        return np.array([prefix[item] for item in chosen], object)

    return jobs(submit, gpus, run, limit_s=limit.tolist(), slack_s=slack, site=SITE).with_columns(
        job_class=words(CLASSES, job_class),
        vc=words(("vc-0", "vc-1", "vc-2"), vc),
        end_state=words(ENDS, end),
        pool=words(("first", "second"), pool),
    )
