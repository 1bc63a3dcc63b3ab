"""The sweep of set-points: following PUE against following energy."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.api.sweep import supplies, sweeps_of
from aidc.errors import InputError
from aidc.plant.faults import Faults
from aidc.reporting.setpoint_sweep import sweep_figures
from aidc.simulation import setpoint_sweep
from aidc.trace import JobRun, Runs
from aidc.workload.power import idle_kw

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"


def year_at_half_load(model: str, fan_frac: float) -> pd.DataFrame:
    """A year of Shanghai by the hour at half the rated IT power, server fans of a given share."""
    scenario = aidc.load(
        WEEK,
        sets=[f"site.model={model}", "start=2023-01-01T00:00:00+08:00", "end=2024-01-01T00:00:00+08:00",
              "step=60 min", "workload.jobs_per_day=5", "pathway=null",
              f"site.pools.0.server.fan_frac={fan_frac}"],
    )  # fmt: skip
    site, drivers = scenario.sites["lingang"].site, drivers_of(scenario).sites["lingang"]
    steps = len(drivers.frame)
    idle, none = np.full((1, steps), idle_kw(site.pools[0])), np.zeros((1, steps))
    added = 0.5 * site.rated_it_kw - idle
    nobody = np.zeros(0)
    runs = Runs(np.zeros(0, np.int64), nobody, nobody)
    run = JobRun(
        nobody, nobody, runs, np.zeros(0, bool), added, idle, none, none, none, np.zeros(steps)
    )
    return setpoint_sweep(
        site, drivers, run, supplies(18, 34, 1), "lowest_power", Faults.none(steps), 1.0
    )


@pytest.mark.parametrize(("fan_frac", "low", "high"), [(0.017, 0.005, 0.10), (0.05, 0.12, 0.35)])
def test_following_pue_costs_what_the_literature_warns_of(
    fan_frac: float, low: float, high: float
) -> None:
    """Fans of 1.7 % cost percents of all energy, those of dense servers at 5 % about a fifth."""
    sweep = year_at_half_load("reference-chilled-water", fan_frac)
    found = sweep_figures(sweep)
    assert found["least_pue_supply_degc"] > found["least_energy_supply_degc"]
    assert 22.0 <= found["least_energy_supply_degc"] <= 29.0
    assert low < found["penalty_frac"] < high


def test_warmer_air_never_slows_a_server_fan_and_every_total_adds_up() -> None:
    sweep = year_at_half_load("reference-iec", 0.017)
    assert (np.diff(sweep["server_fan_kwh"]) >= -1e-9).all()
    assert (sweep["facility_kwh"] > sweep["it_kwh"] + sweep["cooling_kwh"]).all()
    assert (sweep["tue"] >= sweep["pue"]).all()
    np.testing.assert_allclose(sweep["pue"], sweep["facility_kwh"] / sweep["it_kwh"])


def test_the_sweep_at_the_baselines_set_point_is_the_baseline() -> None:
    scenario = aidc.load(WEEK, sets=["end=2023-07-04T00:00:00+08:00", "pathway=null"])
    before = aidc.simulate(scenario)
    row = sweeps_of(before, [24.0])["lingang"].iloc[0]
    assert row["facility_kwh"] == pytest.approx(float(before.facility_kw.sum()) / 4, rel=1e-12)
    assert row["it_kwh"] == pytest.approx(before.kwh("it_kw"), rel=1e-12)


def test_a_point_that_leaves_heat_is_no_optimum() -> None:
    sweep = year_at_half_load("reference-iec", 0.017)
    best = sweep["facility_kwh"].idxmin()
    unmet = sweep["unmet_kwh"].copy()
    unmet[best] = 5.0
    found = sweep_figures(sweep.assign(unmet_kwh=unmet))
    assert found["least_energy_supply_degc"] != sweep["supply_degc"][best]
    assert found["points_with_unmet_heat"] == 1
    nothing = sweep_figures(sweep.assign(unmet_kwh=1.0))
    assert nothing["least_pue_supply_degc"] is None


def test_a_range_that_is_none_is_refused() -> None:
    for wrong in ((30.0, 20.0, 1.0), (18.0, 34.0, 0.0), (18.0, 34.0, 0.001)):
        with pytest.raises(InputError):
            supplies(*wrong)
    assert supplies(18.0, 19.0, 0.5) == [18.0, 18.5, 19.0]
