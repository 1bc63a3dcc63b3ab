"""What the hall's mass could win for a plan: by hand, by trying every course, and on the Lingang week."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.optimization import RollingPlanner, WindowProblem
from aidc.optimization.hall_mass import hall_mass
from aidc.optimization.plant_tables import sample
from aidc.optimization.view import View
from aidc.plant.facility import Outdoor, facility
from aidc.plant.hall import ThermalMass
from aidc.scenario import Goal
from aidc.schedule import SPRAY_BY_POLICY
from aidc.simulation import simulate
from tests.windows import SCENARIOS, Air, Job, problem_of, scenario_with

PAYS_FRAC = 5e-4  # of the objective; less is not worth a state of the plan
WITHOUT_TANK = "sites.lingang.overrides.cooling.tank=null"


class Seen(Exception):  # noqa: N818
    """The window is known; nothing needs to be planned."""


def whole_window(file: str, *sets: str) -> WindowProblem:
    """The whole horizon of a scenario as one window, with the jobs as in the baseline."""
    scenario = aidc.load(SCENARIOS / file, sets=["plan.window=168 h", *sets])
    before, drivers, seen = aidc.simulate(scenario), drivers_of(scenario), []

    def look(problem: WindowProblem) -> None:
        seen.append(problem)
        raise Seen

    starts = before.job_runs["lingang"].start_s
    planner = RollingPlanner(scenario, drivers, starts, look=look)
    with pytest.raises(Seen):
        simulate(scenario, drivers, variant="planned", planner=planner)
    return seen[0]


def test_a_hall_of_350_racks_holds_minutes_of_its_load() -> None:
    site = aidc.load(SCENARIOS / "lingang-week.yaml").sites["lingang"].site
    rack_kj_per_k = 9 * 1.19 * 1.006 + 500 * 0.5
    assert ThermalMass.of(site).kwh_per_k == pytest.approx(350 * rack_kj_per_k / 3600)
    assert ThermalMass.of(site).kwh_per_k == pytest.approx(25.4, abs=0.05)


@pytest.mark.parametrize("model", ["lingang-rampup", "reference-chilled-water"])
def test_the_plant_removes_what_the_mass_gives_off(model: str) -> None:
    site = (
        aidc.load(SCENARIOS / "lingang-week.yaml", sets=[f"site.model={model}"])
        .sites["lingang"]
        .site
    )
    heat = np.array([-200.0, -20.0, 0.0, 20.0, 200.0])

    def run(mass_heat_kw: np.ndarray | None):  # type: ignore[no-untyped-def]
        five = np.ones(5)
        return facility(
            site,
            0.6 * site.rated_it_kw * five[None, :],
            Outdoor(32.0 * five, 26.0 * five, 24.0 * five, 101_325.0 * five),
            24.0 * five,
            spray=np.full(5, SPRAY_BY_POLICY, np.int8),
            policy="lowest_power",
            tariff_cny_per_kwh=five,
            water_cny_per_m3=5.0,
            mass_heat_kw=mass_heat_kw,
        )

    steady, moved = run(None), run(heat)
    for made in (steady, moved):
        assert (made.unmet_cooling_kw == 0).all()
    np.testing.assert_allclose(moved.heat_removed_kw - steady.heat_removed_kw, heat, atol=1e-9)
    assert moved.facility_kw[2] == steady.facility_kw[2]
    if model == "lingang-rampup":  # chillers are staged by a rule, so less heat may cost more there
        assert (np.diff(moved.cooling_kw) > 0).all()


def hot_noon(goal: Goal) -> WindowProblem:
    """Five hours with a dear and hot one in the middle."""
    air = Air(
        [24.0, 28.0, 36.0, 30.0, 25.0], [20.0, 22.0, 25.0, 23.0, 20.0], [0.0] * 5,
        [0.4, 0.4, 0.9, 0.6, 0.3], [0.3, 0.3, 2.0, 0.8, 0.3],
    )  # fmt: skip
    scenario = scenario_with(objective=goal, levels_degc=(21.0, 22.5, 24.0, 25.5))
    return problem_of(scenario, air, [Job(0, 2, 2, 40, 0.3)], fixed_gpus=150)


@pytest.mark.parametrize("goal", ["emissions", "cost"])
def test_its_course_is_the_best_of_all_courses(goal: Goal) -> None:
    problem = hot_noon(goal)
    found, view = hall_mass(problem, goal), View.of(problem)
    kwh_per_k = ThermalMass.of(problem.site).kwh_per_k
    options, slots = problem.options, 5
    load = view.standing_kw
    best = {True: np.inf, False: np.inf}
    costs: dict[float, np.ndarray] = {}

    def cost(fall_k: float) -> np.ndarray:
        if fall_k not in costs:
            heat = np.full((slots, len(options)), kwh_per_k * fall_k)
            tables = sample(
                problem.site, options, problem.forecast.frame, 1, load[None, :], load[None, :], 1,
                problem.scenario.baseline.mode_policy, 5.0, np.zeros((slots, 1)), heat,
            )  # fmt: skip
            money = view.money(goal, tables)
            hourly = money.import_price[:, None] * tables.facility_kw[:, :, 0]
            costs[fall_k] = hourly + money.side[:, :, 0]
        return costs[fall_k]

    for course in itertools.product(range(len(options)), repeat=slots):
        levels = [24.0, *(options[k].supply_degc for k in course)]
        falls = -np.diff(levels)
        if np.abs(falls).max() > 2.0 or levels[-1] > 24.0:
            continue
        for counted in (True, False):
            total = sum(
                cost(fall if counted else 0.0)[t, k]
                for t, (k, fall) in enumerate(zip(course, falls.tolist(), strict=True))
            )
            best[counted] = min(best[counted], float(total))
    assert found.with_mass == pytest.approx(best[True], rel=1e-12)
    assert found.steady == pytest.approx(best[False], rel=1e-12)
    assert found.blind >= found.with_mass - 1e-9


def test_a_heavy_hall_is_cooled_ahead_of_a_dear_hour() -> None:
    """A thousand times the mass pays, so the computation would find it where it were there."""
    problem = hot_noon("cost")
    mass = problem.site.hall.rack_mass
    heavy = mass.model_copy(update={"mass_kg": 200 * mass.mass_kg})
    hall = problem.site.hall.model_copy(update={"rack_mass": heavy})
    site = problem.site.model_copy(update={"hall": hall})
    found = hall_mass(replace(problem, site=site), "cost")
    assert found.gain_frac > 10 * max(hall_mass(problem, "cost").gain_frac, PAYS_FRAC / 10)


@pytest.mark.parametrize(
    ("file", "sets", "goal", "kwh", "minutes", "gain_frac"),
    [
        ("lingang-week.yaml", (), "emissions", 213, 6.6, 0.85e-4),
        ("lingang-week.yaml", (), "cost", 213, 6.6, 1.20e-4),
        ("lingang-tank.yaml", (WITHOUT_TANK,), "emissions", 319, 3.4, 0.00e-4),
        ("lingang-tank.yaml", (WITHOUT_TANK,), "cost", 319, 3.4, 0.46e-4),
    ],
)
def test_the_halls_of_the_scenarios_are_too_light_to_be_worth_a_state(
    file: str, sets: tuple[str, ...], goal: Goal, kwh: float, minutes: float, gain_frac: float
) -> None:
    """The figures of docs/design.md."""
    found = hall_mass(whole_window(file, *sets), goal)
    assert found.stored_kwh == pytest.approx(kwh, abs=0.6)
    assert found.minutes == pytest.approx(minutes, abs=0.06)
    assert found.gain_frac == pytest.approx(gain_frac, abs=0.02e-4)
    assert -1e-9 <= found.gain_frac < PAYS_FRAC
