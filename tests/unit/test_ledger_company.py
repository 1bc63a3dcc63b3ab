"""The company's inventory of 2021 and 2022. SR2022: SenseTime Sustainability Report 2022."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from aidc.errors import InputError
from aidc.ledger import inventory
from aidc.ledger.checks.published import printed
from aidc.ledger.factors.rows import fuel_factors
from aidc.ledger.journal.units import to_base
from aidc.ledger.reports.grade import pue_grade
from aidc.ledger.reports.kpi import crf

AT = datetime(2026, 1, 31, tzinfo=UTC)
REPORTED = date(2023, 6, 30)
SR = "SenseTime Sustainability Report 2022"


@pytest.fixture(scope="module")
def ledger():
    with inventory.company_ledger((2021, 2022), zone="Asia/Shanghai", recorded_at=AT) as made:
        yield made


def derived(ledger, year: int) -> dict[tuple[str, int], Decimal]:
    return inventory.derived_figures(ledger, year, report_date=REPORTED, recorded_at=AT)


@pytest.mark.parametrize(("year", "exact"), [(2022, "169.61021616"), (2021, "337.12955892")])
def test_scope_1_is_exact_to_the_last_digit(ledger, year: int, exact: str) -> None:
    """NDRC defaults on the energy table of SR2022 (case L2)."""
    assert derived(ledger, year)["scope1", year] == Decimal(exact)


@pytest.mark.parametrize(
    ("fuel", "mwh", "tonnes"),
    [
        ("natural_gas", "765.8", "153.11435832"),
        ("gasoline", "35.3", "8.63051112"),
        ("diesel", "30.1", "7.86534672"),
        ("natural_gas", "1651.3", "330.16158252"),
        ("gasoline", "28.5", "6.96797640"),
    ],
)
def test_a_fuel_divides_last(fuel: str, mwh: str, tonnes: str) -> None:
    """Case L2: a factor rounded before its use misses the last digits of diesel."""
    row = next(row for row in fuel_factors().values() if row.fuel == fuel)
    assert row.tonnes(to_base(Decimal(mwh), "MWh")) == Decimal(tonnes)


@pytest.mark.parametrize("year", [2021, 2022])
def test_every_published_total_lies_inside_its_rounding_interval(ledger, year: int) -> None:
    found = {r.quantity: r for r in ledger.reconcile(derived(ledger, year), SR) if r.year == year}
    for quantity in (
        "total_energy", "direct_energy", "gasoline", "natural_gas", "purchased_electricity",
        "scope1", "scope2", "scope1_and_2",
    ):  # fmt: skip
        assert found[quantity].verdict == "inside", quantity
    for quantity in (
        "energy_intensity",
        "emission_intensity",
        "water_intensity",
        "waste_water_intensity",
        "packaging_intensity",
    ):
        assert found[quantity].verdict == ("inside" if year == 2022 else "not derived"), quantity


@pytest.mark.parametrize(
    ("year", "implied", "low", "high", "all_at", "above", "overseas", "share"),
    [
        (2022, "0.568996", "0.568994", "0.568997", "30473.69535", "69.69535", 386.6, 0.7),
        (2021, "0.566165", "0.566159", "0.566171", "7014.86109", "50.86109", 282.1, 2.3),
    ],
)
def test_the_factor_behind_the_published_scope_2_is_the_national_one_and_a_little_abroad(
    year: int,
    implied: str,
    low: str,
    high: str,
    all_at: str,
    above: str,
    overseas: float,
    share: float,
) -> None:
    """Case L3; the overseas factor of 0.39 is assumed, only to size the effect."""
    held = inventory.facts()
    value, interval = inventory.implied_factor(held, year)
    assert (round(value, 6), round(interval.low, 6), round(interval.high, 6)) == (
        Decimal(implied),
        Decimal(low),
        Decimal(high),
    )
    mwh, tonnes = held.value("purchased_electricity", year), held.value("scope2", year)
    assert mwh * Decimal("0.5703") == Decimal(all_at)
    assert mwh * Decimal("0.5703") - tonnes == Decimal(above)
    assert not held.fact("scope2", year).interval.holds(mwh * Decimal("0.5703"))
    abroad = inventory.overseas_mwh(mwh, tonnes, Decimal("0.5703"), Decimal("0.39"))
    assert float(abroad) == pytest.approx(overseas, abs=0.1)
    assert float(abroad / mwh * 100) == pytest.approx(share, abs=0.1)


def test_the_design_saving_fits_the_factor_of_0_5703_and_not_the_one_before() -> None:
    """Case L3: 25.7 kt from 45 GWh."""
    interval = printed(Decimal("25.7"), 1)
    low, high = (edge / 45 for edge in (interval.low, interval.high))
    assert (round(low, 4), round(high, 4)) == (Decimal("0.5700"), Decimal("0.5722"))
    assert low < Decimal("0.5703") < high < Decimal("0.5810")


def test_the_assumed_split_is_labelled_in_the_statement(ledger) -> None:
    derived(ledger, 2022)
    made = ledger.statement("NDRC", entity="sensetime", period="2022", report_date=REPORTED)
    assert any("assumed: the split" in warning for warning in made.warnings)
    assert 0 < made.estimated_frac < Decimal("0.01")
    assert made.gases == "CO2 only"


def test_the_location_based_restatement_of_2022_without_a_split() -> None:
    """Ledger spec: 0.5366 instead of 0.5703 moves 2022 from 30,404.0 to 28,673.0 t."""
    mwh = inventory.facts().value("purchased_electricity", 2022)
    assert round(mwh * Decimal("0.5366"), 1) == Decimal("28673.0")


def test_the_traps_of_the_documents_are_stated_from_their_figures(ledger) -> None:
    fuels = {}
    for year in (2021, 2022):
        derived(ledger, year)
        made = ledger.statement("S1", entity="sensetime", period=str(year), report_date=REPORTED)
        fuels[year] = {cell.tier.partition(":")[2]: cell.tco2e for cell in made.cells}
    said = "\n".join(inventory.traps(inventory.facts(), fuels))
    for words in (
        "98% in 2021, 90% in 2022",
        "405000 MWh",
        "7.6 times",
        "70 W in 2021, 226 W in 2022",
        "0.9000 in 2021",
        "730.1 t from 2021, 3057.4 t from 2022",
        "a bound",
    ):
        assert words in said


def test_the_employees_of_2021_are_an_interval_and_not_a_number() -> None:
    interval = inventory.implied_employees(inventory.facts(), 2021)
    assert (math.ceil(interval.low), math.floor(interval.high)) == (6067, 6124)


def test_an_unknown_document_names_the_nearest(ledger) -> None:
    with pytest.raises(InputError, match="Sustainability Report 2022"):
        ledger.reconcile({}, "SenseTime Sustainability Report 2020")


@pytest.mark.parametrize(
    ("pue", "grade"),
    [
        ("1.20", "grade 1"), ("1.21", "grade 2"), ("1.30", "grade 2"), ("1.31", "grade 3"),
        ("1.50", "grade 3"), ("1.51", "fails the limit"), ("1.2000001", "grade 2"),
    ],
)  # fmt: skip
def test_pue_grades_of_gb_40879(pue: str, grade: str) -> None:
    """GB 40879-2021 (case L6), on the unrounded value."""
    assert pue_grade(Decimal(pue), 12) == grade
    assert pue_grade(Decimal(pue), 11) == "interim"


@pytest.mark.parametrize(
    ("rate", "years", "expected"),
    [
        ("0.10", 20, "0.1174596"),
        ("0.06", 25, "0.0782267"),
        ("0.05", 10, "0.1295046"),
        ("0", 20, "0.05"),
    ],
)
def test_the_capital_recovery_factor(rate: str, years: int, expected: str) -> None:
    """Case L11."""
    assert round(crf(Decimal(rate), years), 7) == Decimal(expected)


@pytest.mark.real_data
def test_the_shipped_factors_are_those_of_the_announcements(real_data: Path) -> None:
    """MEE and NBS announcements: provinces, regions and country, data years 2021 to 2023."""
    import pandas as pd

    from aidc.ledger.factors.rows import grid_factors

    held = grid_factors()
    provinces = pd.read_csv(real_data / "carbon" / "cn_provincial_factors_2021_2023.csv")
    assert len(provinces) == 30
    for row in provinces.itertuples():
        for year in (2021, 2022, 2023):
            ours = held[f"mee-average-CN-{row.code}-{year}"].t_per_mwh
            assert float(ours) == pytest.approx(provinces.loc[row.Index, f"kg_{year}"], abs=1e-9)
    nation = pd.read_csv(real_data / "carbon" / "cn_national_factors.csv")
    for row in nation.itertuples():
        name = "ets-average-CN" if row.kind == "ets" else f"mee-{row.kind.replace('_', '-')}-CN"
        assert float(held[f"{name}-{row.year}"].t_per_mwh) == pytest.approx(row.kgCO2_per_kWh)
