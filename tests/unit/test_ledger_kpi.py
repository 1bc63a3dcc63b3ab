"""Key figures of a data centre from the meters of a ledger."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.ledger.journal.payloads import ReportedFigure
from aidc.ledger.journal.periods import period_of
from aidc.ledger.reports.grade import published_grade
from aidc.ledger.reports.kpi import Emissions, Kpi, carrier_wh, fixed_share, kpis
from aidc.ledger.reports.meter_totals import MeterTotals, StreamTotal
from tests.ledger_cases import HOUR, ZONE, ledger_of, site_totals, site_year

HOURS = 8760
NOTHING = Emissions(None, None, None, None, ())


def totals_of(streams: dict[str, int], count: int = 12, **more: str) -> MeterTotals:
    with ledger_of(site_year("lingang", 2023, streams, count=count, **more)) as ledger:
        period = period_of("2023", ZONE)
        if count < 12:
            period = (period[0], period_of(f"2023-{count:02d}", ZONE)[1])
        return site_totals(ledger, "lingang", period)


def by_name(
    totals: MeterTotals, emissions: Emissions = NOTHING, category: int = 3
) -> dict[str, Kpi]:
    return {one.name: one for one in kpis(totals, emissions, category)}  # type: ignore[arg-type]


def test_pue_counts_own_pv_and_grades_twelve_months() -> None:
    found = by_name(totals_of(HOUR))
    assert found["pue"].value == Decimal("1.3")
    assert found["grade"].text == "grade 2"
    assert "IT read at IT input" in found["pue"].note
    assert "own PV is part of the energy" in found["pue"].note
    assert len(found["pue"].sources) == 3 * 12  # import, pv, it_in


def test_eleven_months_are_interim_and_without_a_grade() -> None:
    found = by_name(totals_of(HOUR, count=11))
    assert found["grade"].text == "interim"
    assert found["pue"].note.startswith("interim, 11 full months; PUE3")


def test_the_category_says_where_the_it_energy_is_read() -> None:
    totals = totals_of(HOUR | {"ups_out": 1040, "pdu_out": 1010})
    values = [by_name(totals, category=category)["pue"].value for category in (1, 2, 3)]
    assert [round(value or 0, 6) for value in values] == [
        Decimal("1.25"),
        Decimal("1.287129"),
        Decimal("1.3"),
    ]


def test_a_category_without_its_meter_is_not_assessed() -> None:
    found = by_name(totals_of(HOUR), category=1)
    assert (found["pue"].value, found["pue"].text) == (None, "not assessed")
    assert "no ups_out meter" in found["pue"].note


def test_export_leaves_the_boundary() -> None:
    found = by_name(totals_of(HOUR | {"pv": 90, "grid_export": 40}))
    assert found["pue"].value == Decimal("1.3")


def test_a_fuel_stands_for_the_generator_that_burns_it() -> None:
    """Content of the fuel at its declared weight; the output of the generator is not added."""
    found = by_name(totals_of(HOUR | {"fuel": 100, "generator": 35}))
    assert found["pue"].value == Decimal("1.4")
    assert by_name(totals_of(HOUR | {"generator": 35}))["pue"].value == Decimal("1.335")


def test_vehicle_fuel_is_no_energy_of_the_data_centre() -> None:
    found = by_name(totals_of(HOUR | {"fuel": 100}, fuel="gasoline"))
    assert found["pue"].value == Decimal("1.3")
    assert "without gasoline" in found["pue"].note


def test_renewable_factor_reuse_and_effectiveness() -> None:
    totals = totals_of(HOUR | {"heat_out": 260})
    found = by_name(totals, replace(NOTHING, renewable_wh=650 * HOURS))
    assert (found["ref"].value, found["erf"].value) == (Decimal("0.5"), Decimal("0.2"))
    assert found["ere"].value == Decimal("1.04")  # (1 - 0.2) x 1.3
    assert by_name(totals, replace(NOTHING, renewable_wh=9999 * HOURS))["ref"].value == 1


def test_carbon_effectiveness_has_two_values_and_never_one() -> None:
    it_mwh = Decimal(1000 * HOURS) / 10**6
    emissions = Emissions(it_mwh / 10, it_mwh / 2, it_mwh * 3 / 5, None, ("calc",))
    found = by_name(totals_of(HOUR), emissions)
    assert found["cue_location"].value == Decimal("0.6")  # with the fuel's 0.1
    assert found["cue_market"].value == Decimal("0.7")
    assert "cue" not in found
    alone = by_name(totals_of(HOUR), replace(emissions, fuel_t=None))["cue_location"]
    assert (alone.value, "no book of scope 1" in alone.note) == (Decimal("0.5"), True)
    assert "calc" in found["cue_market"].sources


def test_withdrawal_and_consumption_of_water_stand_apart() -> None:
    found = by_name(totals_of(HOUR | {"water_in": 2000, "water_out": 500}))
    assert found["wue_withdrawal"].value == Decimal("2")
    assert found["wue_consumption"].value == Decimal("1.5")
    alone = by_name(totals_of(HOUR | {"water_in": 2000}))
    assert alone["wue_consumption"].value is None
    assert "no water_out meter" in alone["wue_consumption"].note


def test_waste_water_that_is_a_fixed_share_of_intake_is_called_a_coefficient() -> None:
    """SR2022: 35,216.9 of 39,129.9 t in 2021 and 99,514.2 of 110,571.3 t in 2022: 0.9000 each."""
    assert fixed_share([(391299, 352169), (1105713, 995142)]) == Decimal("0.9000")
    assert fixed_share([(391299, 352169)]) is None  # one year shows nothing
    assert fixed_share([(391299, 352169), (1105713, 895142)]) is None
    found = by_name(totals_of(HOUR | {"water_in": 1000, "water_out": 900}))
    assert "0.9000 of the intake" in found["wue_consumption"].note


def test_a_gap_is_no_zero() -> None:
    with ledger_of(site_year("lingang", 2023, HOUR, count=11)) as ledger:
        totals = site_totals(ledger, "lingang", period_of("2023", ZONE))
    assert totals.amount("it_in") is None
    found = by_name(totals)
    assert found["pue"].value is None
    assert (
        "meter:lingang:grid_import has nothing from 2023-12-01T00:00:00+08:00" in found["pue"].note
    )


def test_an_office_has_no_pue() -> None:
    found = by_name(totals_of({"grid_import": 10}, use="office"))
    assert found["pue"].value is None
    assert "no data centre but office" in found["pue"].note


def test_meters_that_do_not_balance_get_no_grade() -> None:
    found = by_name(totals_of({"grid_import": 900, "it_in": 1000}))
    assert found["grade"].text == "not assessed"
    assert "below 1" in found["grade"].note


def test_a_bound_gets_no_grade() -> None:
    """Case L6: "PUE < 1.3" (annual results 2023)."""
    bound = ReportedFigure(
        entity="e", quantity="pue", year=2023, value=Decimal("1.3"), unit="1", decimals=1,
        relation="<", document="annual results 2023", table="text",
    )  # fmt: skip
    assert published_grade(bound, 12) == "no grade: PUE < 1.3 is a bound"
    assert published_grade(bound.model_copy(update={"relation": "="}), 12) == "grade 2"


@pytest.mark.parametrize(
    ("amount", "carrier", "wh"), [("100", "diesel", 990_000), ("2", "natural_gas", 21_000)]
)
def test_fuel_content_is_that_of_the_declared_table(amount: str, carrier: str, wh: int) -> None:
    """EN 50600-4-2 (secondary): diesel 9.9 kWh/l, gas 10.5 kWh/m3."""
    assert carrier_wh(Decimal(amount), carrier) == wh


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 50))
def test_ratios_do_not_change_with_the_size_of_the_site(
    it: int, over: int, reuse: int, k: int
) -> None:
    def totals(scale: int) -> MeterTotals:
        return totals_of_amounts(it * scale, (it + over) * scale, reuse * scale)

    small, large = by_name(totals(1)), by_name(totals(k))
    for name in ("pue", "erf", "ere"):
        assert small[name].value == large[name].value
    assert small["pue"].value is not None
    assert small["pue"].value >= 1


def totals_of_amounts(it: int, facility: int, reuse: int) -> MeterTotals:
    made = {
        name: StreamTotal(amount, "Wh", (name,), frozenset({"metered"}))
        for name, amount in (("it_in", it), ("grid_import", facility), ("heat_out", reuse))
    }
    return MeterTotals("s", "AIDC", "CN-SH", period_of("2023", ZONE), 12, made, {}, ())
