"""W1, 54,795 jobs on 27,000 GPUs, through the whole simulation with a real plant about it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.equipment import Ups
from aidc.plant.electrical import ups_loss_kw
from aidc.reporting.job_figures import server_figures
from aidc.scenario import Scenario
from aidc.simulation import simulate
from aidc.trace import Trace
from tests.w1 import (
    DAY_S,
    GPUS_PER_NODE,
    IDLE_NODE_W,
    NODES,
    w1_closed_form_mwh,
    w1_draw,
    w1_finished,
    w1_jobs,
    w1_pool,
)
from tests.windows import SCENARIOS

NODE_MAX_W = 4_150.0  # idle, 8 x 345 W of GPUs, 2 x 190 W of CPUs


@cache
def w1_trace() -> Trace:
    """Servers of W1, whose fans do not hang on the air, in the plant of Lingang made to their size."""
    sets = ["pathway=null", "end=2023-07-04T00:00:00+08:00", "workload.jobs_per_day=1"]
    made = aidc.load(SCENARIOS / "lingang-week.yaml", sets=sets)
    drivers = drivers_of(made)
    choice = made.sites["lingang"]
    rated_kw = NODES * NODE_MAX_W / 1e3
    site = choice.site.model_copy(update={"pools": (w1_pool(),), "rated_it_kw": rated_kw})
    scenario: Scenario = made.model_copy(
        update={"sites": {"lingang": choice.model_copy(update={"site": site})}}
    )
    jobs = w1_jobs(1)
    jobs = replace(jobs, site=np.full(len(jobs.submit_s), "lingang", object))
    return simulate(scenario, replace(drivers, jobs=jobs), variant="w1")


def test_the_meter_of_the_simulation_reads_the_closed_form() -> None:
    mwh = w1_trace().kwh("it_kw") / 1e3
    assert mwh == pytest.approx(193.0212, rel=1e-4)  # published
    assert mwh == pytest.approx(w1_closed_form_mwh(1), rel=1e-9)


def test_with_its_conversion_losses_the_meter_reads_the_published_energy_too() -> None:
    """DC-DC (P + 13 W) / 0.98 a node; a 250 W switch and four rectifiers (P / 4 + 17 W) / 0.96 for five.

    All of it is straight in P, so our power chain says it with one loss row: the stages chained give
    ``P / (0.98 x 0.96)`` and a constant.
    """
    nodes, chassis = NODES, NODES / 5
    constant_kw = (nodes * 13 / 0.98 + chassis * (250 + 4 * 17)) / 0.96 / 1e3
    rated_kw = NODES * NODE_MAX_W / 1e3
    row = Ups(
        name="w1", source="reference workload W1", no_load_frac=constant_kw / rated_kw,
        linear_frac=1 / (0.98 * 0.96) - 1, quadratic_frac=0.0,
    )  # fmt: skip
    it_kw = w1_trace().frame["it_kw"].to_numpy()
    mwh = float((it_kw + ups_loss_kw(row, it_kw, rated_kw)).sum()) * w1_trace().step_h / 1e3
    assert mwh == pytest.approx(211.6526, rel=1e-4)  # published


def test_energy_of_jobs_and_of_idle_nodes_adds_up_to_the_closed_form() -> None:
    trace, draw = w1_trace(), w1_draw(1)
    inside_s = np.minimum(draw.run_s, DAY_S - draw.submit_s)
    on_h = float(draw.nodes @ inside_s) / 3600
    idle_h = NODES * 24 - on_h
    parts = trace.accounts["jobs_kwh"] + trace.accounts["unallocated_kwh"]
    assert parts == pytest.approx(trace.kwh("it_kw"), rel=1e-9)
    assert trace.accounts["jobs_kwh"] == pytest.approx(
        float(trace.jobs["energy_kwh"].sum()), rel=1e-9
    )
    assert trace.accounts["unallocated_kwh"] == pytest.approx(idle_h * IDLE_NODE_W / 1e3, rel=1e-9)


def test_nobody_waits_and_the_finished_jobs_are_counted() -> None:
    trace, draw = w1_trace(), w1_draw(1)
    assert trace.jobs["wait_s"].max() == 0.0
    assert (trace.jobs["end_s"] <= DAY_S).sum() == w1_finished(1) == 53_316
    busy_gpu_s = float(trace.frame["gpus_busy"].sum() * trace.step_h * 3600)
    inside_s = np.minimum(draw.run_s, DAY_S - draw.submit_s)
    assert busy_gpu_s == pytest.approx(GPUS_PER_NODE * float(draw.nodes @ inside_s), rel=1e-9)


def test_the_balance_of_the_plant_closes_about_it() -> None:
    trace = w1_trace()
    assert trace.balance_residual < 1e-9
    assert trace.counts["unmet_cooling_kwh"] == 0.0
    assert float(trace.facility_kw.sum() * trace.step_h) > trace.kwh("it_kw")


def test_occupancy_is_that_of_the_draw_and_packing_changes_nothing_for_whole_servers() -> None:
    trace, draw = w1_trace(), w1_draw(1)
    found = server_figures(trace)
    inside_s = np.minimum(draw.run_s, DAY_S - draw.submit_s)
    exact = float(draw.nodes @ inside_s) / (NODES * DAY_S)
    assert found["occupancy_frac"] == pytest.approx(0.7238, abs=5e-5)  # published
    assert found["occupancy_frac"] == pytest.approx(exact, rel=1e-12)
    assert found["occupancy_most_frac"] == pytest.approx(exact, rel=1e-12)
    assert found["out_of_service_server_frac"] == pytest.approx(1 - exact, rel=1e-12)
