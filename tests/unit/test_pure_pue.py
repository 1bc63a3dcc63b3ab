"""The least ratio against a case worked by hand, and against the least overhead on a real plant."""

from dataclasses import replace

import numpy as np
import pytest

from aidc.optimization import pure_pue
from aidc.optimization.model import ClassColumns, add_jobs, site_model
from aidc.optimization.objective import Cap, Prices
from aidc.optimization.plant_tables import Option, PlantTables
from aidc.optimization.pure_pue import PurePue, least_ratio
from tests.golden import models
from tests.windows import Air, Job, problem_of, scenario_with

FIXED_KW, SLOPE, WORK = 350.0, 1.08, 1_000.0
THRIFTY_KW, WASTEFUL_KW = 0.65, 0.85  # of a unit of work, in the two pools


def cold_day(wasteful_kw: float) -> PurePue:
    """One slot; all work in either pool; the site takes 350 kW and 1.08 kW a kW of IT."""
    it_kw = np.array([[100.0, 1_000.0]])
    facility = FIXED_KW + SLOPE * it_kw[:, None, :]
    none, one = np.zeros_like(facility), np.ones(1)
    served = np.broadcast_to(it_kw[:, None, :], facility.shape)
    tables = PlantTables(
        (Option(24.0, 0),), 1, it_kw, facility, facility - served, none, served, none, none, none
    )
    overhead = Prices("kWh", 0 * one, 0 * one, tables.overhead_kw, 0.0, 0.0, 0.0, 0.0)
    site = replace(overhead, facility_price=one, side=none)
    it = replace(overhead, side=-served)
    caps = [Cap("site", site, np.inf), Cap("IT", it, np.inf)]
    bus = replace(
        models.bus(), pv_kw=np.zeros(1), battery_kwh=0.0, month_of_slot=np.array([7]),
        ramp_k_per_h=50.0, slot_h=1.0, import_limit_kw=np.full(1, np.inf),
    )  # fmt: skip
    model = site_model(tables, overhead, bus, np.ones((1, 1), bool), caps)
    columns = ClassColumns(
        class_of=np.zeros(2, np.int64), pool=np.arange(2), classes=1,
        column=np.arange(2), slot=np.zeros(2, np.int64),
        kw=WORK * np.array([THRIFTY_KW, wasteful_kw]), gpus=np.ones(2),
        tail=np.zeros(2), cap_tails=np.zeros((2, 2)), gpus_free=np.ones((2, 1)),
        quota=np.full(2, -1), quota_free=np.zeros((0, 1)),
    )  # fmt: skip
    add_jobs(model, np.zeros(1), columns)
    return least_ratio(model, bus, 1e-6, 20.0, "cold day")


def test_the_pure_ratio_buys_it_waste_to_dilute_a_fixed_overhead() -> None:
    found = cold_day(WASTEFUL_KW)
    for energies, kw in ((found.overhead, THRIFTY_KW), (found.ratio, WASTEFUL_KW)):
        assert energies.it_kwh == pytest.approx(kw * WORK)
        assert energies.pue == pytest.approx(SLOPE + FIXED_KW / (kw * WORK))
    assert found.ratio.pue < found.overhead.pue
    assert found.penalty_frac == pytest.approx(
        SLOPE * (WASTEFUL_KW - THRIFTY_KW) * WORK / (FIXED_KW + SLOPE * THRIFTY_KW * WORK)
    )
    assert found.solves <= 5
    assert "+20.53 % energy" in found.told


def test_where_it_energy_is_the_same_least_overhead_is_least_pue() -> None:
    found = cold_day(THRIFTY_KW)
    assert found.ratio.pue == pytest.approx(found.overhead.pue)
    assert found.solves == 1
    assert "least overhead is least PUE" in found.told


def test_on_a_real_plant_the_least_ratio_is_never_above_that_of_least_overhead() -> None:
    """The meter counts server fans as IT, so more IT energy can only be bought for the ratio."""
    hours = 6
    air = Air([32.0] * hours, [22.0] * hours, [0.0] * hours, [0.5] * hours, [1.0] * hours)
    scenario = scenario_with(step_min=60.0, ramp_k_per_h=20.0, objective="pue", gap_frac=1e-5)
    jobs = [Job(0.0, 3.0, 2.0, 16, 0.3), Job(1.0, 4.0, 1.5, 8, 0.2)]
    found = pure_pue(problem_of(scenario, air, jobs, fixed_gpus=200.0))
    assert found.ratio.pue <= found.overhead.pue + 1e-6
    assert found.ratio.it_kwh >= found.overhead.it_kwh - 1e-3
    assert found.penalty_frac >= -1e-5
    assert 1.0 < found.ratio.pue < 2.0
