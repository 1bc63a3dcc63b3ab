"""From a scenario file to a scenario: bases, variants, changed keys, and where each value stands."""

import pickle
from pathlib import Path

import pytest

import aidc
from aidc.errors import ScenarioError
from aidc.scenario import SyntheticIntensity, Weights

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"


def test_quantities_are_stored_in_the_unit_of_the_field() -> None:
    scenario = aidc.load(WEEK)
    assert scenario.step_min == 15.0
    assert scenario.plan.gap_frac == pytest.approx(0.0025)
    assert scenario.plan.window_h == 48.0
    assert scenario.baseline.supply_air_degc == 24.0


def test_replace_gives_a_validated_copy_and_leaves_the_scenario_as_it_was() -> None:
    scenario = aidc.load(WEEK)
    changed = scenario.replace("site.pv_kwp", "2 MW")
    assert changed.sites["lingang"].site.pv_kwp == 2000.0
    assert scenario.sites["lingang"].site.pv_kwp == 400.0
    assert changed.replace("plan.objective", "cost").sites["lingang"].site.pv_kwp == 2000.0


def test_replace_reaches_into_lists_and_catalog_rows() -> None:
    scenario = aidc.load(WEEK)
    more = scenario.replace("site.pools.0.server_count", 700)
    assert more.sites["lingang"].site.gpu_count == 5600
    better = scenario.replace("site.electrical.ups.no_load_frac", 0.01)
    ups = better.sites["lingang"].site.electrical.ups
    assert ups.no_load_frac == 0.01
    assert "changed: no_load_frac" in ups.source


def test_replace_refuses_an_unknown_key_and_suggests_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'pv_kwp'"):
        aidc.load(WEEK).replace("site.pv_kpw", 500.0)


def test_a_block_of_another_kind_replaces_the_one_before() -> None:
    wave = {"kind": "synthetic", "amplitude": 0.2, "shape": "demand"}
    scenario = aidc.load(WEEK).replace("site.grid.intensity", wave)
    intensity = scenario.sites["lingang"].grid.intensity
    assert isinstance(intensity, SyntheticIntensity)
    assert intensity.amplitude == 0.2


def test_a_variant_and_set_win_over_the_file_in_that_order() -> None:
    assert aidc.load(WEEK, variant="big-pv").sites["lingang"].site.pv_kwp == 2000.0
    both = aidc.load(WEEK, variant="big-pv", sets=["site.pv_kwp=300 kW", "plan.objective=energy"])
    assert both.sites["lingang"].site.pv_kwp == 300.0
    assert both.plan.objective == "energy"


def test_an_unknown_variant_lists_those_there_are() -> None:
    with pytest.raises(ScenarioError, match="no variant 'large-pv'; the file has cost, big-pv"):
        aidc.load(WEEK, variant="large-pv")


def test_extends_lays_a_file_on_its_base_and_each_value_knows_its_file() -> None:
    year = aidc.load(WEEK.with_name("lingang-2022.yaml"))
    assert year.name == "lingang-2022"
    assert year.sites["lingang"].model == "lingang-rampup"
    assert year.origins["name"].startswith("lingang-2022.yaml:")
    assert year.origins["seed"].startswith("lingang-week.yaml:")


def test_a_scenario_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(aidc.load(WEEK)))
    assert copy.replace("seed", 7).seed == 7


def test_cross_checks_name_key_and_both_values() -> None:
    with pytest.raises(ScenarioError) as caught:
        aidc.load(WEEK, sets=["plan.commit=72 h", "baseline.supply_air=35 degC"])
    told = str(caught.value)
    assert "plan.commit: 72 h is longer than the window of 48 h" in told
    assert "baseline.supply_air: 35 degC is outside 18 to 27 degC of lingang" in told


def test_files_of_a_base_are_looked_up_beside_the_base(tmp_path: Path) -> None:
    week = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"extends: {week}\nname: mine\n")
    assert aidc.load(mine).pathway == aidc.load(week).pathway


def test_a_weighted_objective_replaces_a_named_one() -> None:
    week = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
    changed = aidc.load(week).replace("plan.objective", {"cost": 1.0, "emissions_cny_per_kg": 0.1})
    assert changed.plan.objective == Weights(cost=1.0, emissions_cny_per_kg=0.1)
