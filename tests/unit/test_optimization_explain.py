"""No plan, and what held a plan back, told in the words of the plant."""

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

from aidc.errors import InfeasibleError
from aidc.optimization.explain import REQUIREMENTS, held_back
from aidc.optimization.model import add_jobs, site_model
from aidc.optimization.objective import pue_cap
from aidc.optimization.solve import solve
from aidc.optimization.window import plan_window
from tests.golden import models
from tests.windows import Air, Job, problem_of, scenario_with

EVERY = np.ones((models.SLOTS, 2), bool)


def refusal(model: pyo.ConcreteModel) -> str:
    with pytest.raises(InfeasibleError) as caught:
        solve(model, gap_frac=0.0, limit_s=20.0, what="hall, window")
    return str(caught.value)


def test_every_family_of_constraints_has_a_sentence() -> None:
    """Those of the battery with the golden window, those of the tank with its own."""
    assert set(REQUIREMENTS) == {*models.FAMILIES, *models.TANK_FAMILIES}


def test_a_ramp_that_cannot_be_kept_is_named_with_its_kelvins_and_its_hour() -> None:
    """From 30 degC to 24 degC, the nearest level, at 2 K an hour: 4 K are missing in the first slot."""
    bus = replace(models.bus(), supply_degc=30.0)
    said = refusal(site_model(models.tables(), models.prices(), bus, EVERY))
    assert said == (
        "hall, window: it cannot be that the set-point falls no faster than its ramp: "
        "4 K are missing, most 0 h into the window "
        "(raise plan.ramp_k_per_h or name plan.levels_degc nearer to each other)"
    )


def test_a_battery_below_its_least_content_is_named_with_what_is_missing() -> None:
    """8 kWh must be there; of 1 kW at 90 % an hour gives 0.9 kWh, so 7.1 kWh are missing at once."""
    unit = models.bus().battery.model_copy(update={"c_rate_per_h": 1 / 80})
    bus = replace(models.bus(), battery=unit, stored_kwh=0.0)
    said = refusal(site_model(models.tables(), models.prices(), bus, EVERY))
    assert "the battery's energy follows its flows within its limits: 7.1 kWh are missing" in said


def test_boards_that_are_not_there_are_named() -> None:
    """The larger class wants eight boards in slot 1 whenever it starts; there is none."""
    model = site_model(models.tables(), models.prices(), models.bus(), EVERY)
    columns = replace(models.columns(), gpus_free=np.array([[40.0, 0.0, 40.0]]))
    add_jobs(model, np.full(models.SLOTS, 105.0), columns)
    said = refusal(model)
    assert "boards in use are no more than there are: 8 boards are missing, most 1 h into" in said


def test_a_plan_says_what_held_it_back_and_what_more_would_be_worth() -> None:
    """Cold start, and warm supply is cheap: the ramp costs; so does the warmest level."""
    hours = 6
    air = Air([18.0] * hours, [10.0] * hours, [0.0] * hours, [0.5] * hours, [1.0] * hours)
    scenario = scenario_with(
        step_min=60.0, ramp_k_per_h=1.0, levels_degc=(18.0, 19.0, 20.0, 21.0), objective="pue"
    )
    problem = problem_of(scenario, air, [Job(0.0, 4.0, 2.0, 16, 0.3)], fixed_gpus=200.0)
    found = plan_window(problem)
    said = " ".join(held_back(found.certificate))
    assert "kWh" in said
    assert "supply air allowed" in said
    free = plan_window(
        replace(problem, scenario=scenario_with(
            step_min=60.0, ramp_k_per_h=50.0, levels_degc=(18.0, 19.0, 20.0, 21.0), objective="pue"
        ))
    )  # fmt: skip
    if free.proof.objective < found.proof.objective - 1e-6:
        assert "the ramp of 1 K/h costs up to" in said


def test_a_limit_that_cannot_be_kept_is_named_with_its_unit_and_what_to_change() -> None:
    """Least site power is 120, 121 and 122 kW at 100 kW of IT: 63 kWh over a PUE of 1."""
    model = models.tables()
    cap = pue_cap(1.0, replace(model, served_kw=np.full(model.facility_kw.shape, 100.0)))
    bus = replace(models.bus(), ramp_k_per_h=50.0)
    said = refusal(site_model(model, models.prices(), bus, EVERY, [cap]))
    assert "it cannot be that the limit on PUE of 1 is kept: 63 kWh are missing" in said
    assert "(raise plan.pue_max or plan.tolerance)" in said
