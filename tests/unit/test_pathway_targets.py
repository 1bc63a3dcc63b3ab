"""The pathway: required inputs, projection and the three tests."""

import copy
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aidc.config import faults_of, read_yaml
from aidc.errors import InputError
from aidc.ledger import Pathway, ReportedYear, project, reported_years
from aidc.ledger.pathway.targets import peak, status_of
from aidc.pathway_inputs import PathwayInputs, YearPath

FILE = Path(__file__).parents[2] / "scenarios" / "pathway-sensetime.yaml"


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return read_yaml(FILE).data


def projected(data: dict[str, Any], **changes: Any) -> Pathway:
    made = copy.deepcopy(data)
    for key, value in changes.items():
        here = made
        *parents, last = key.split("__")
        for parent in parents:
            here = here[parent]
        here[last] = value
    return project(PathwayInputs.model_validate(made), reported_years())


def series(values: str) -> dict[int, Decimal]:
    return dict(enumerate(map(Decimal, values.replace(" ", "").split(",")), 2021))


def test_the_three_worked_peaks() -> None:
    """Pathway spec 6.1."""
    assert peak(series("7,30,60,80,90,85,80,70"), 2025, Decimal(0)).verdict == "PASS-strict"
    assert peak(series("7,30,60,80,90,85,80,70"), 2025, Decimal(0)).maximum == 90
    tie = peak(series("7,30,60,90,80,90,70"), 2025, Decimal(0))
    assert (tie.verdict, tie.first_year, tie.first_above) == ("PASS-plateau(0)", 2026, 0)
    fail = peak(series("7,30,60,80,90,91,88"), 2025, Decimal(0))
    assert (fail.verdict, fail.fail_year, fail.fail_above) == ("FAIL", 2026, 1)
    wide = peak(series("7,30,60,80,90,91,88"), 2025, Decimal("0.02"))
    assert (wide.verdict, wide.first_year, wide.first_above) == ("PASS-plateau(0.02)", 2026, 1)


def test_a_gap_a_missing_peak_year_and_a_wide_plateau_are_refused() -> None:
    with pytest.raises(InputError, match="2023"):
        peak({2021: 1, 2022: 2, 2024: 3, 2025: 4, 2026: 1}, 2025, 0)
    with pytest.raises(InputError, match="2025"):
        peak({2021: 1, 2022: 2}, 2025, 0)
    with pytest.raises(InputError, match=r"0\.02"):
        peak(series("1,2,3,4,5,4"), 2025, Decimal("0.03"))


def test_a_verdict_is_confirmed_by_five_later_actual_years() -> None:
    assert status_of(2025, range(2021, 2031)) == "confirmed"
    assert status_of(2025, range(2021, 2030)) == "on track"
    assert status_of(2025, (2021, 2022)) == "projected"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (("base_year",), "factor of four"),
        (("boundary_version",), "looks like growth"),
        (("discount_rate_frac",), "ranks measures"),
        (("targets", "peak", "book"), "LB and MB move apart"),
        (("targets", "peak", "plateau_tolerance_frac"), "plateau"),
        (("targets", "net_zero", "scopes"), "another statement"),
        (("targets", "operational_neutrality", "offset_share_limit_frac"), "do not count"),
        (("activity", "inside_frac"), "70 W a GPU"),
        (("activity", "pue"), "overhead"),
        (("instruments", "vintage_window_years"), "turn the verdict"),
        (("regions", "mainland", "market"), "market-based"),
    ],
)
def test_a_missing_input_is_reported_at_its_place_with_the_reason(
    data: dict[str, Any], path: tuple[str, ...], why: str
) -> None:
    made = copy.deepcopy(data)
    here = made
    for part in path[:-1]:
        here = here[part]
    del here[path[-1]]
    with pytest.raises(ValidationError) as caught:
        PathwayInputs.model_validate(made)
    ((at, message, _),) = faults_of(caught.value, made, PathwayInputs)
    assert at == path
    assert message.startswith("required, but not given: ")
    assert why in message


def test_an_assumption_says_that_it_is_one(data: dict[str, Any]) -> None:
    made = copy.deepcopy(data)
    made["activity"]["pue"]["why"] = "everybody knows"
    with pytest.raises(ValidationError, match="does not begin with 'assumed'"):
        PathwayInputs.model_validate(made)


def test_every_assumption_of_the_scenario_is_listed(data: dict[str, Any]) -> None:
    listed = dict(PathwayInputs.model_validate(data).assumptions())
    assert {"base_year", "activity.pue", "regions.mainland.market", "targets.peak"} <= set(listed)
    assert all(why.startswith("assumed") for why in listed.values())


def test_a_path_is_linear_between_knots_and_held_after_the_last() -> None:
    path = YearPath.model_validate({"assumed": {"2021": 10, "2025": 30}, "why": "assumed: a test"})
    assert [path.at(year) for year in (2021, 2023, 2025, 2050)] == [10, 20, 30, 30]
    with pytest.raises(ValueError, match="begins in 2021"):
        path.at(2020)


def test_reported_years_return_their_electricity_and_calibrate_the_boundary(
    data: dict[str, Any],
) -> None:
    """SR2022: 12,300.3 and 53,434.5 MWh."""
    rows = {row.year: row for row in projected(data).rows}
    assert (rows[2021].electricity_mwh, rows[2022].electricity_mwh) == (12300.3, 53434.5)
    assert [rows[year].status for year in (2021, 2022, 2023)] == ["reported", "reported", "assumed"]
    for year in (2021, 2022, 2030):
        row = rows[year]
        kw_per_gpu = row.it_mwh * 1e3 / (row.inside_frac * row.gpu_count * 8760)
        assert 0.2 <= kw_per_gpu <= 0.6
        bought = row.pue * row.it_mwh + row.office_mwh - row.pv_mwh
        assert row.electricity_mwh == pytest.approx(bought, rel=1e-12)
    assert rows[2022].scope2_published_tco2e == 30404.0
    assert rows[2022].scope2_location_tco2e == pytest.approx(28673.0, abs=0.05)
    assert math.isnan(rows[2023].scope2_published_tco2e)
    assert [row.year for row in projected(data).rows] == list(range(2021, 2051))


def test_nothing_after_the_last_notice_is_called_official(data: dict[str, Any]) -> None:
    rows = {row.year: row for row in projected(data).rows}
    assert (rows[2025].factor_data_year, rows[2025].factor_lag_years, rows[2025].factor_status) == (
        2023,
        2,
        "official",
    )
    assert rows[2025].location_t_per_mwh == 0.5306
    assert (rows[2026].factor_data_year, rows[2026].factor_status) == (2024, "assumed")
    assert rows[2026].location_t_per_mwh == pytest.approx(0.5306 * math.exp(-0.03))
    assert rows[2030].market_t_per_mwh == 0.6096
    early = projected(data, report_date="2024-12-31")
    assert {row.year: row for row in early.rows}[2025].factor_status == "assumed"


def test_the_verdicts_stand_for_both_books_and_both_measures(data: dict[str, Any]) -> None:
    made = projected(data)
    assert len(made.verdicts) == 3 * 2 * 2
    assert len(made.verdict_frame) == 12
    heads = made.headlines
    assert [heads[t].book for t in ("peak", "operational_neutrality", "net_zero")] == [
        "S2-LB",
        "S2-MB-2015",
        "S2-LB",
    ]
    failed = heads["peak"]
    assert (failed.verdict, failed.status) == ("FAIL", "projected")
    row = next(row for row in made.rows if row.year == failed.year)
    top = max(r.scope1_tco2e + r.scope2_location_tco2e for r in made.rows if r.year <= 2025)
    over = row.scope1_tco2e + row.scope2_location_tco2e - 1.02 * top
    assert -failed.margin == pytest.approx(over, rel=1e-9)
    assert f"{over / row.location_t_per_mwh:.0f} MWh less" in failed.remedy
    assert heads["net_zero"].verdict == "not testable: scope 3 missing"
    assert heads["net_zero"].passed is None


def test_a_market_based_peak_that_certificates_carry_is_labelled(data: dict[str, Any]) -> None:
    made = next(
        v
        for v in projected(data).verdicts
        if (v.target, v.book, v.measure) == ("peak", "S2-MB-2015", "absolute")
    )
    assert made.passed
    assert any("instrument peak" in note for note in made.notes)


def test_neutrality_fails_without_certificates_without_a_plan_and_beyond_the_window(
    data: dict[str, Any],
) -> None:
    def verdict(**changes: Any):
        return projected(data, **changes).headlines["operational_neutrality"]

    assert (verdict().verdict, verdict().grade) == ("PASS", "C")
    assert verdict(instruments__certificates=[]).grade == "F"
    assert verdict(targets__operational_neutrality__reduction_plan=None).verdict == "FAIL"
    lot = data["instruments"]["certificates"][0]
    assert verdict(instruments__certificates=[{**lot, "vintage_lag_years": 2}]).verdict == "FAIL"
    assert verdict(instruments__certificates=[{**lot, "failed_criteria": [5]}]).verdict == "FAIL"
    near = {**lot, "same_zone": True}
    none = {"assumed": {"2021": 0}, "why": "assumed: no offsets"}
    still = {"assumed": {"2021": 0}, "why": "assumed: no fuels"}
    clean = verdict(
        instruments__certificates=[near], instruments__offsets_t=none, activity__scope1_tco2e=still
    )
    assert (clean.verdict, clean.grade) == ("PASS", "B")


def test_offsets_count_up_to_their_share_of_gross_location_based_emissions(
    data: dict[str, Any],
) -> None:
    many = {"assumed": {"2021": 1e9}, "why": "assumed: offsets for everything"}
    made = projected(data, instruments__certificates=[], instruments__offsets_t=many)
    verdict = made.headlines["operational_neutrality"]
    row = next(row for row in made.rows if row.year == 2030)
    gross = row.scope1_tco2e + row.scope2_location_tco2e
    left = row.scope1_tco2e + row.scope2_market_tco2e - 0.1 * gross
    assert verdict.verdict == "FAIL"
    assert verdict.margin == pytest.approx(0.5 - left)


def test_net_zero_asks_for_deep_cuts_and_for_removals(data: dict[str, Any]) -> None:
    scope_3 = {"targets__net_zero__scope3_categories": [1]}
    base = {"base_year__scope3_tco2e": 1000.0}
    with_removals = {
        "instruments__removals_t": {"assumed": {"2021": 1e6}, "why": "assumed: removals for all"}
    }
    assert (
        projected(data, **scope_3, **base).headlines["net_zero"].verdict
        == "not testable: scope 3 missing"
    )
    two = {"targets__net_zero__scopes": [1, 2]}
    assert projected(data, **two, **with_removals).headlines["net_zero"].verdict == "FAIL"
    clean = {
        "kind": "given",
        "t_per_mwh": {"assumed": {"2021": 0.5, "2050": 0.0}, "why": "assumed: a clean grid"},
    }
    region = data["regions"]["mainland"] | {"location": clean}
    done = projected(data, **two, **with_removals, regions={"mainland": region}).headlines[
        "net_zero"
    ]
    assert done.verdict == "PASS"
    assert any("another statement" in note for note in done.notes)


def test_reported_electricity_that_the_fleet_cannot_draw_is_refused(data: dict[str, Any]) -> None:
    inputs = PathwayInputs.model_validate(data)
    known = reported_years()
    with pytest.raises(InputError, match="GPUs' draw"):
        project(inputs, known | {2022: ReportedYear(5e6, 1.0, "a test")})
    with pytest.raises(InputError, match="first of the series"):
        project(inputs, {2022: known[2022]})


def test_the_given_base_year_is_the_restated_inventory(data: dict[str, Any]) -> None:
    base, row = data["base_year"], projected(data).rows[1]
    assert base["scope2_location_tco2e"] == pytest.approx(row.scope2_location_tco2e, abs=0.01)
    assert base["scope2_market_tco2e"] == pytest.approx(row.scope2_market_tco2e, abs=0.01)
