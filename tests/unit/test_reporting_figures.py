import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from aidc.errors import InputError
from aidc.reporting import Prices, Study, summarise
from aidc.reporting.comparison import avoided_emissions, savings
from aidc.reporting.figures import costs, key_figures
from aidc.reporting.job_figures import job_figures
from aidc.reporting.numbers import plain, signed
from aidc.reporting.tables import monthly
from aidc.reporting.words import verdict
from tests import reporting_study as made

PRICES = {"hall": Prices(demand_cny_per_kw_month=31.0, water_cny_per_m3=5.0)}


@pytest.fixture(scope="module")
def study() -> Study:
    return made.study()


@pytest.fixture(scope="module")
def summary(study: Study) -> dict:
    return summarise(study)


def test_the_summary_has_the_keys_that_the_design_promises(summary):
    run = summary["baseline"]
    assert set(run) == set(summary["optimized"])
    promised = [
        "pue",
        "pue_category",
        "tue",
        "wue_l_per_kwh",
        "cue_location_kgco2_per_kwh",
        "cue_market_kgco2_per_kwh",
        "gases",
        "ref",
        "erf",
        "it_kwh",
        "facility_kwh",
        "grid_import_kwh",
        "pv_kwh",
        "peak_import_kw",
        "cost_cny",
        "water_m3",
        "scope2_location_tco2e",
        "scope2_market_tco2e",
        "jobs_submitted",
        "jobs_completed",
        "jobs_late",
        "gpu_hours",
        "mean_wait_s",
        "p95_wait_s",
        "utilisation_frac",
        "out_of_service_server_frac",
        "demand_response_cycle_s",
    ]
    assert set(promised) <= set(run)
    assert {"savings", "plan", "pathway", "assumptions", "attribution"} <= set(summary)


def test_the_summary_is_plain_json_without_nan(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_energies_of_a_steady_run_are_those_of_a_calculation_by_hand(summary):
    run = summary["baseline"]
    assert run["it_kwh"] == pytest.approx(400 * 168)
    assert run["wue_l_per_kwh"] == pytest.approx(0.5)
    assert run["wue_consumption_l_per_kwh"] == pytest.approx(0.4)
    assert run["water_m3"] == pytest.approx(400 * 168 * 0.5 / 1000)
    assert run["gpu_hours"] == pytest.approx(400 * 168)
    assert run["tue"] == pytest.approx(run["facility_kwh"] / (0.98 * run["it_kwh"]))
    # idle: 100 servers of 600 W and 8 boards of 50 W; boards above idle: 300 kW
    assert run["pue_reference_inlet"] == pytest.approx(run["facility_kwh"] / (400 * 168))


def test_a_week_is_interim_and_says_how_many_months_it_covers(summary):
    assert "interim, 0.23 months" in summary["baseline"]["pue_category"]
    assert "simulated" in summary["baseline"]["pue_category"]
    assert summary["baseline"]["pue_grade"] is None


def test_pue_of_a_run_with_an_idle_half_is_energy_weighted_and_no_mean_of_ratios():
    scenario = made.scenario()
    it = np.where(np.arange(672) < 336, 400.0, 40.0)
    run = made.trace(scenario, "baseline", it_kw=it)
    found = key_figures(run, PRICES, {})
    mean_of_ratios = float((run.facility_kw / run.frame["it_kw"]).mean())
    whole = float(run.facility_kw.sum() / run.frame["it_kw"].sum())
    assert found["pue"] == pytest.approx(whole, abs=1e-12)
    assert abs(mean_of_ratios - whole) > 0.02


def test_emissions_are_the_statements_of_the_ledger_and_the_books_are_never_added(study, summary):
    mwh = study.baseline.kwh("grid_import_kw") / 1000
    run = summary["baseline"]
    assert run["scope2_location_tco2e"] == pytest.approx(0.5737 * mwh, rel=1e-6)
    assert run["scope2_market_tco2e"] == pytest.approx(0.6096 * mwh, rel=1e-6)
    both = run["scope2_location_tco2e"] + run["scope2_market_tco2e"]
    assert not [v for v in _numbers(summary) if v == pytest.approx(both, rel=1e-9)]


def _numbers(item):
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, list):
        return [number for part in item for number in _numbers(part)]
    return [item] if isinstance(item, float) else []


def test_a_statement_that_assessed_nothing_is_not_reported_as_zero():
    run = made.trace(made.scenario(), "baseline")
    books = {name: replace(one, assessed=False, cells=()) for name, one in made.books(run).items()}
    found = key_figures(run, PRICES, books)
    assert found["scope2_location_tco2e"] is None
    assert found["cue_market_kgco2_per_kwh"] is None


def test_cost_is_energy_demand_in_proportion_to_days_and_water():
    run = made.trace(made.scenario(), "baseline")
    found = costs(run, PRICES)
    frame = run.frame
    energy = (frame["grid_import_kw"] * frame["tariff_cny_per_kwh"]).sum() / 4
    assert found["cost_energy_cny"] == pytest.approx(energy)
    assert found["cost_demand_cny"] == pytest.approx(frame["grid_import_kw"].max() * 31 * 7 / 31)
    assert found["cost_water_cny"] == pytest.approx(400 * 168 * 0.5 / 1000 * 5)
    parts = [found[f"cost_{part}_cny"] for part in ("energy", "demand", "water")]
    assert found["cost_cny"] == pytest.approx(sum(parts))
    assert "in proportion to the days covered" in found["cost_label"]


def test_a_whole_month_pays_its_whole_demand_charge_and_says_nothing_of_proportion():
    scenario = made.scenario("2023-02-01T00:00:00+08:00", "2023-03-01T00:00:00+08:00")
    run = made.trace(scenario, "baseline")
    found = costs(run, PRICES)
    assert found["cost_demand_cny"] == pytest.approx(31 * run.frame["grid_import_kw"].max())
    assert found["cost_label"] == "energy + demand charge + water"


def test_ends_of_jobs_add_up_to_all_jobs_and_waits_at_the_end_are_counted(study):
    found = job_figures(study.baseline)
    assert sum(found["job_ends"].values()) == found["jobs_submitted"] == 3
    assert found["waits_censored"] == 1
    assert found["jobs_warm"] == 1
    assert found["mean_wait_s"] == pytest.approx((3600 + 7200) / 2)


def test_a_planned_delay_is_in_the_response_cycle_and_not_in_the_wait(study):
    before, after = job_figures(study.baseline), job_figures(study.optimized)
    assert after["mean_wait_s"] == before["mean_wait_s"]
    # of the only job of an interactive class
    assert before["demand_response_jobs"] == 1
    assert before["demand_response_cycle_s"] == 3600
    assert after["demand_response_cycle_s"] - before["demand_response_cycle_s"] == 1800


def test_waits_are_told_of_all_jobs_and_by_class(study):
    waits = job_figures(study.baseline)["waits"]
    assert list(waits) == ["all", "debug", "train"]
    assert (waits["all"]["jobs"], waits["all"]["censored"]) == (2, 1)
    assert waits["all"]["p50_s"] == pytest.approx((3600 + 7200) / 2)
    assert waits["all"]["max_s"] == waits["train"]["mean_s"] == 7200
    assert (waits["train"]["censored"], waits["debug"]["censored"]) == (1, 0)


def test_slowdown_deadlines_and_ends_of_three_jobs_are_those_of_a_calculation_by_hand(study):
    before, after = job_figures(study.baseline), job_figures(study.optimized)
    assert before["slowdown"]["mean"] == pytest.approx(9000 / 5400)  # the warm one is not in it
    assert before["bounded_slowdown"] == before["slowdown"]
    assert before["deadlines"] == {"jobs": 1, "met": 1, "missed": 0, "refused": 0, "open": 0}
    assert (after["deadlines"]["met"], after["deadlines"]["missed"]) == (0, 1)
    assert before["job_ends_gpu_h"]["completed"] == pytest.approx(8 * 1 + 8 * 1.5)
    assert before["goodput_frac"] == pytest.approx(20 / (800 * 168))
    assert before["unfinished_work_it_kwh"] == 0
    assert before["unfinished_work_frac"] == 0


def test_servers_out_of_service_are_those_without_a_job_at_every_instant(study):
    # of 100 servers one holds the first job for 3,600 s and one the second for 5,400 s of a week
    found = job_figures(study.baseline)
    assert found["occupancy_frac"] == pytest.approx(9000 / (100 * 168 * 3600))
    assert found["out_of_service_server_frac"] == pytest.approx(1 - found["occupancy_frac"])
    assert found["out_of_service_server_least_frac"] == found["out_of_service_server_frac"]


def test_a_run_without_jobs_has_no_waits_rather_than_waits_of_zero(study):
    found = job_figures(made.without_jobs(study.baseline))
    for key in ("mean_wait_s", "p95_wait_s", "demand_response_cycle_s", "unfinished_work_frac"):
        assert found[key] is None, key
    assert sum(found["job_ends"].values()) == found["jobs_submitted"] == 0


def test_pv_that_is_curtailed_is_not_generation_and_exports_stand_apart():
    run = made.trace(made.scenario(), "baseline")
    pv = run.kwh("pv_kw")
    run.frame["pv_curtailed_kw"] = 0.25 * run.frame["pv_kw"]
    run.frame["grid_export_kw"] = 0.25 * run.frame["pv_kw"]
    found = key_figures(run, PRICES, {})
    assert found["pv_kwh"] == pytest.approx(0.75 * pv)
    assert found["pv_used_kwh"] == pytest.approx(0.5 * pv)
    assert found["pv_exported_kwh"] == pytest.approx(0.25 * pv)
    assert found["ref"] == pytest.approx(0.5 * pv / found["facility_kwh"])


def test_savings_are_refused_with_the_difference_first_where_the_work_differs():
    scenario = made.scenario()
    before, after = made.trace(scenario, "baseline"), made.trace(scenario, "optimized", it_kw=399.0)
    was, became = (key_figures(run, PRICES, {}) for run in (before, after))
    found = savings(before, after, was, became)
    assert not found["granted"]
    assert found["gpu_seconds_difference_frac"] == pytest.approx(-0.0025)
    assert found["absolute"] is None
    assert found["relative"] is None
    summary = summarise(
        Study(runs={"baseline": before, "optimized": after}, schedule=None, prices=PRICES)
    )
    assert summary["savings"]["reason"].startswith("GPU time delivered inside the horizon differs")


def test_a_saving_is_baseline_less_plan_with_the_baseline_as_its_base(summary):
    was, now, saved = summary["baseline"], summary["optimized"], summary["savings"]
    for key, value in saved["absolute"].items():
        assert value == pytest.approx(was[key] - now[key], abs=1e-8), key
        assert saved["relative"][key] == pytest.approx(value / was[key], abs=1e-8), key


def test_set_points_shifting_and_interaction_add_up_to_the_plan(summary):
    rows = {row["variant"]: row for row in summary["attribution"]}
    for key in ("saved_facility_kwh", "saved_cost_cny", "saved_scope2_location_tco2e"):
        parts = [rows[v][key] for v in ("setpoints_only", "shifting_only", "interaction")]
        assert sum(parts) == pytest.approx(rows["optimized"][key], abs=1e-6)


def test_what_was_promised_stands_beside_what_was_delivered(summary):
    plan = summary["plan"]
    assert plan["promised_facility_kwh"] == pytest.approx(1.01 * plan["delivered_facility_kwh"])
    assert plan["delivered_facility_kwh"] == pytest.approx(summary["optimized"]["facility_kwh"])
    assert plan["difference_kwh"] < 0


def test_months_add_up_to_the_run_and_their_pue_is_sum_over_sum(study):
    scenario = made.scenario("2023-01-20T00:00:00+08:00", "2023-03-10T00:00:00+08:00")
    run = made.trace(scenario, "baseline")
    books = made.books(run)
    months = monthly(run, PRICES, books).set_index("month")
    whole = key_figures(run, PRICES, books)
    assert list(months.index) == ["2023-01", "2023-02", "2023-03", "sum"]
    for key in ("it_kwh", "facility_kwh", "grid_import_kwh", "cost_cny", "scope2_location_tco2e"):
        assert months.loc["sum", key] == pytest.approx(whole[key]), key
        assert months.iloc[:-1][key].sum() == pytest.approx(months.loc["sum", key]), key
    assert months.loc["sum", "pue"] == pytest.approx(whole["pue"])


def test_a_claim_needs_twelve_months():
    study = made.study(scenario=made.scenario(industry_baseline="china-in-use-2021"))
    claim = avoided_emissions(study, summarise(study)["optimized"])
    assert claim is not None
    assert not claim["stated"]
    assert "saving_kwh" not in claim


def test_the_claim_of_a_year_is_the_average_at_equal_it_work_less_own_use():
    scenario = made.scenario(
        "2023-01-01T00:00:00+08:00",
        "2024-01-01T00:00:00+08:00",
        industry_baseline="china-in-use-2021",
        step_min=60.0,
    )
    run = made.trace(scenario, "baseline")
    study = Study(
        runs={"baseline": run},
        schedule=None,
        prices=PRICES,
        statements={"baseline": made.books(run)},
    )
    summary = summarise(study)
    claim = summary["avoided_emissions"]
    assert claim["average_kwh"] == pytest.approx(400 * 8760 * 1.49)
    assert claim["saving_kwh"] == pytest.approx(claim["average_kwh"] - claim["own_kwh"])
    assert claim["saving_tco2e"] == pytest.approx(claim["saving_kwh"] / 1000 * 0.5737, rel=1e-6)
    assert "lower bound" in claim["reading"]
    assert summary["baseline"]["pue_category"].startswith("PUE3 (server input)")
    assert summary["baseline"]["pue_grade"] == "GB 40879-2021: grade 1"
    own = summary["baseline"]["scope2_location_tco2e"]
    assert own == pytest.approx(run.kwh("grid_import_kw") / 1000 * 0.5737, rel=1e-6)


def test_an_end_of_an_assumption_that_was_not_run_is_null_with_its_reason(summary):
    row = summary["assumptions"][0]
    assert row["at_high"] is None
    assert row["reason"] == "not run"


def test_a_study_without_a_baseline_or_without_prices_says_so():
    run = made.trace(made.scenario(), "baseline")
    with pytest.raises(InputError, match="needs the run 'baseline'"):
        Study(runs={"optimized": run}, schedule=None, prices=PRICES)
    with pytest.raises(InputError, match="prices of hall are missing"):
        Study(runs={"baseline": run}, schedule=None, prices={})
    with pytest.raises(InputError, match="does not know the runs other"):
        Study(runs={"baseline": run, "other": run}, schedule=None, prices=PRICES)


def test_differences_carry_a_sign_and_zero_is_plus_minus():
    assert signed(-0.04, 1) == "±0.0"
    assert signed(-0.06, 1) == "−0.1"
    assert signed(0.06, 1) == "+0.1"


def test_noise_of_the_last_bits_does_not_reach_the_file():
    assert plain({"a": 0.1 + 0.2, "b": np.float64("nan"), "c": (np.int64(3), -1e-12)}) == {
        "a": 0.3,
        "b": None,
        "c": [3, 0.0],
    }


def test_the_frame_of_months_is_empty_of_emissions_without_a_statement():
    run = made.trace(made.scenario(), "baseline")
    assert pd.isna(monthly(run, PRICES, {})["scope2_location_tco2e"]).all()


def test_the_verdict_says_where_the_second_baseline_does_better_than_the_plan():
    scenario = made.scenario()
    runs = {
        "baseline": made.trace(scenario, "baseline"),
        "optimized": made.trace(scenario, "optimized", overhead=0.9),
        "trim_and_respond": made.trace(scenario, "trim_and_respond", overhead=0.8),
    }
    summary = summarise(Study(runs=runs, schedule=None, prices=PRICES))
    assert "trim-and-respond set-points it is +" in verdict(summary)
    assert "the plan uses more" in verdict(summary)
    better = runs | {"optimized": made.trace(scenario, "optimized", overhead=0.7)}
    text = verdict(summarise(Study(runs=better, schedule=None, prices=PRICES)))
    assert "trim-and-respond set-points it is \N{MINUS SIGN}" in text
    assert "uses more" not in text
