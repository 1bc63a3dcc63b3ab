"""The sheets of a report, from a ledger: every figure has its address and the entries behind it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from aidc.errors import InputError
from aidc.ledger import Ledger, inventory
from aidc.ledger.journal.periods import period_of
from aidc.ledger.reports.report_sheets import workbook
from aidc.ledger.reports.sheet import NOT_ASSESSED, NOT_REPORTED, Workbook
from tests.ledger_cases import AT, HOUR, ZONE, ledger_of, site_year

REPORTED = date(2024, 4, 30)
BOOKS = ("S1", "S2-LB", "S2-MB-2015")
STREAMS = HOUR | {"fuel": 10, "water_in": 2000, "water_out": 700, "heat_out": 100}


def drawn(
    ledger: Ledger, entity: str = "group", books: tuple[str, ...] = BOOKS, period: str = "2023"
) -> Workbook:
    statements = ledger.draw_up(
        books, entity=entity, period=period, report_date=REPORTED, recorded_at=AT, code_version="test",
        one_sided_because="a test",
    )  # fmt: skip
    return workbook(
        ledger.store.readings(), statements, category=3, parameters={"method relief": "none"},
        texts={"climate": "see the risk report"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def book() -> Workbook:
    with ledger_of(
        site_year("lingang", 2023, STREAMS), site_year("guangzhou", 2023, STREAMS, region="CN-GD")
    ) as ledger:
        return drawn(ledger)


def test_both_books_stand_side_by_side_and_have_no_common_total(book: Workbook) -> None:
    scope2, inventory_ = book.sheet("scope2"), book.sheet("inventory")
    location = scope2.cell("total", "2023 S2-LB").value
    market = scope2.cell("total", "2023 S2-MB-2015").value
    assert location is not None
    assert market is not None
    assert location != market
    scope1 = inventory_.cell("scope1", "2023").value
    assert scope1 is not None
    values = {
        cell.value for sheet in book.sheets for row in sheet.rows for cell in row.cells.values()
    }
    assert location + market not in values
    assert location + market + scope1 not in values
    assert market - location not in values
    assert inventory_.cell("scope1_and_2_location", "2023").value == scope1 + location
    assert inventory_.cell("scope1_and_2_market", "2023").value == scope1 + market


def test_sites_add_up_to_the_company_exactly(book: Workbook) -> None:
    sheet = book.sheet("scope2")
    for column in sheet.columns:
        parts = [sheet.cell(site, column).value or Decimal(0) for site in ("lingang", "guangzhou")]
        assert sum(parts) == sheet.cell("total", column).value


def test_tiers_add_up_to_the_metered_energy(book: Workbook) -> None:
    energy, tiers = book.sheet("energy"), book.sheet("tiers")
    gross = sum(energy.cell(f"lingang/{name}", "2023").value or 0 for name in ("grid_import", "pv"))
    for name in ("S2-LB", "S2-MB-2015"):
        rows = [row for row in tiers.rows if row.key.startswith(f"{name}/lingang/")]
        assert sum(row.cells["2023"].value or 0 for row in rows) == gross


def test_a_figure_names_the_entries_it_rests_on(book: Workbook) -> None:
    cell = book.sheet("scope2").cell("lingang", "2023 S2-LB")
    assert "activity:lingang:grid_import:2023-07" in cell.sources
    assert not any("guangzhou" in name for name in cell.sources)
    pue = book.sheet("kpi").cell("lingang/pue", "2023")
    assert pue.value == Decimal("1.31")  # the fuel counts with its content
    assert {"activity:lingang:it_in:2023-01", "activity:lingang:pv:2023-12"} <= set(pue.sources)


def test_the_key_figures_follow_from_meters_and_statements(book: Workbook) -> None:
    sheet = book.sheet("kpi")
    it_kwh = Decimal(8760)
    scope1 = book.sheet("inventory").cell("scope1", "2023").value or Decimal(0)
    location = book.sheet("scope2").cell("lingang", "2023 S2-LB").value or Decimal(0)
    assert (
        sheet.cell("lingang/cue_location", "2023").value == (scope1 / 2 + location) * 1000 / it_kwh
    )
    assert sheet.cell("lingang/wue_withdrawal", "2023").value == Decimal(2)
    assert sheet.cell("lingang/wue_consumption", "2023").value == Decimal("1.3")
    assert round(sheet.cell("lingang/ref", "2023").value or 0, 6) == Decimal(
        "0.038168"
    )  # 50 / 1310
    assert sheet.cell("lingang/grade", "2023").text == "grade 3"
    assert any("0.3500 of the intake" in note for note in book.sheet("water").notes)


def test_the_disclosure_table_is_fed_by_statements_meters_and_texts(book: Workbook) -> None:
    sheet = book.sheet("disclosure")
    assert sheet.cell("gases", "2023").text == "CO2 only"
    assert (
        sheet.cell("scope1", "2023").value == book.sheet("inventory").cell("scope1", "2023").value
    )
    assert sheet.cell("own-pv", "2023").value == 2 * Decimal(50 * 8760) / 10**6
    assert sheet.cell("purchased-electricity", "2023").value == 2 * Decimal(1250 * 8760) / 10**6
    assert sheet.cell("water-consumption", "2023").value == 2 * Decimal(1300 * 8760) / 10**6
    assert sheet.cell("climate", "2023").text == "see the risk report"
    assert sheet.cell("packaging", "2023").text == NOT_REPORTED
    assert sheet.cell("energy-intensity", "2023").note == "employees is not in the ledger"


def test_a_statement_prints_what_it_was_made_from(book: Workbook) -> None:
    said = book.provenance
    labels = [label for label, _ in said]
    for wanted in (
        "book S1, scope 1, fuels", "book S2-LB, scope 2, location-based", "policy of S2-LB", "boundary version",
        "report date", "known time", "head", "rounding", "method relief",
    ):  # fmt: skip
        assert wanted in labels
    factors = [text for label, text in said if label.startswith("factor ")]
    assert any("MEE" in text and "data year" in text for text in factors)
    assert ("known time", "all that is recorded") in said
    assert any("estimated 0.0%" in text for _, text in said)
    assert any("no residual mix is published" in warning for warning in book.warnings)


def test_a_book_that_was_not_drawn_up_is_not_assessed() -> None:
    with ledger_of(site_year("lingang", 2023, HOUR)) as ledger:
        made = drawn(ledger, books=("S2-LB",))
    assert made.sheet("scope2").cell("lingang", "2023 S2-MB-2015").text == NOT_ASSESSED
    assert made.sheet("inventory").cell("scope1_and_2_location", "2023").text == NOT_ASSESSED
    assert made.sheet("kpi").cell("lingang/cue_market", "2023").value is None


def test_statements_of_different_periods_are_not_put_together() -> None:
    with ledger_of(site_year("lingang", 2023, HOUR)) as ledger:
        one, other = (
            ledger.draw_up(
                ("S2-LB",), entity="group", period=period, report_date=REPORTED, recorded_at=AT,
                code_version="test", one_sided_because="a test",
            )[0]
            for period in ("2023", "2023-07")
        )  # fmt: skip
        with pytest.raises(InputError, match="do not speak of the same entity, period"):
            workbook(ledger.store.readings(), [one, other], category=3, parameters={}, texts={})
        with pytest.raises(InputError, match="a book is given twice"):
            workbook(ledger.store.readings(), [one, one], category=3, parameters={}, texts={})


def test_the_company_of_2022_as_it_published_it() -> None:
    """SR2022: scope 1 169.6 t, scope 2 30,404.0 t, 10.6 MWh and 21.7 t of water a person."""
    at = datetime(2026, 1, 31, tzinfo=UTC)
    with inventory.company_ledger((2021, 2022), zone="Asia/Shanghai", recorded_at=at) as ledger:
        statements = ledger.draw_up(
            ("S1", "NDRC"), entity=inventory.ENTITY, period="2022", report_date=date(2023, 6, 30),
            recorded_at=at, code_version="test",
        )  # fmt: skip
        made = workbook(ledger.store.readings(), statements, category=3, parameters={}, texts={})
    assert made.sheet("inventory").cell("scope1", "2022").value == Decimal("169.61021616")
    assert made.sheet("inventory").cell("scope2_NDRC", "2022").shown(1) == "30,404.0"
    table = made.sheet("disclosure")
    assert table.cell("energy-intensity", "2022").shown(1) == "10.6"
    assert table.cell("water-intensity", "2022").shown(1) == "21.7"
    assert table.cell("packaging", "2022").value == Decimal("67.0")
    assert table.cell("gases", "2022").text == "CO2 only"
    assert table.cell("scope2-location", "2022").text == NOT_REPORTED
    assert made.sheet("kpi").rows == ()  # no data centre is split from the company


def test_all_gases_scope_3_and_a_footprint_have_lines_of_their_own() -> None:
    books = ("S1-AR6", "S2-LB", "S2-MB-2015", "S3-C3", "PCF")
    with ledger_of(site_year("lingang", 2023, STREAMS)) as ledger:
        statements = ledger.draw_up(
            books, entity="group", period="2023", report_date=date(2026, 1, 31), recorded_at=AT,
            code_version="test",
        )  # fmt: skip
        made = workbook(ledger.store.readings(), statements, category=3, parameters={}, texts={})
    sheet = made.sheet("inventory")
    scope1 = sheet.cell("scope1", "2023").value
    assert scope1 == statements[0].total_tco2e
    assert sheet.cell("scope1/fuel:diesel:CH4", "2023").value
    assert sheet.cell("scope3_S3-C3", "2023").value == statements[3].total_tco2e
    assert sheet.cell("PCF", "2023").value == statements[4].total_tco2e
    location = sheet.cell("scope2_location", "2023").value or Decimal(0)
    assert sheet.cell("scope1_and_2_location", "2023").value == scope1 + location
    sums = {row.key for row in sheet.rows if row.is_sum}
    assert sums == {"scope1", "scope1_and_2_location", "scope1_and_2_market"}
    fuel_mwh = made.sheet("disclosure").cell("direct-energy", "2023").value
    assert fuel_mwh == Decimal(10 * 8760) / 10**6  # once, not once a gas


def test_scope_1_stands_in_one_book() -> None:
    with ledger_of(site_year("lingang", 2023, STREAMS)) as ledger:
        statements = ledger.draw_up(
            ("S1", "S1-AR6"), entity="group", period="2023", report_date=date(2026, 1, 31),
            recorded_at=AT, code_version="test",
        )  # fmt: skip
        with pytest.raises(InputError, match="S1 and S1-AR6 both hold scope 1"):
            workbook(ledger.store.readings(), statements, category=3, parameters={}, texts={})


def test_two_years_of_one_share_of_waste_water_are_called_a_coefficient() -> None:
    """SR2022: 0.9000 of the intake in 2021 and in 2022."""
    at = datetime(2026, 1, 31, tzinfo=UTC)
    both = (period_of("2021", ZONE)[0], period_of("2022", ZONE)[1])
    with inventory.company_ledger((2021, 2022), zone=ZONE, recorded_at=at) as ledger:
        statements = ledger.draw_up(
            ("S1", "NDRC"), entity=inventory.ENTITY, period=both, report_date=date(2023, 6, 30),
            recorded_at=at, code_version="test",
        )  # fmt: skip
        made = workbook(ledger.store.readings(), statements, category=3, parameters={}, texts={})
    assert (
        "mainland: waste water is 0.9000 of the intake throughout: a coefficient, not a meter"
        in (made.sheet("water").notes)
    )
    sheet = made.sheet("inventory")
    assert sheet.cell("scope1", "2021").value == Decimal("337.12955892")
    assert sheet.cell("scope1", "2022").value == Decimal("169.61021616")
    assert sheet.cell("scope2_NDRC", "2021").shown(1) == "6,964.0"


def test_water_consumed_is_not_assessed_where_a_site_does_not_meter_what_it_discharges() -> None:
    """Two sites take 17,520 m3 each; one meters its discharge: the other has not discharged nothing."""
    taken = HOUR | {"water_in": 2_000_000}
    with ledger_of(
        site_year("lingang", 2023, taken | {"water_out": 700_000}),
        site_year("dongguan", 2023, taken),
    ) as ledger:
        sheet = drawn(ledger).sheet("disclosure")
    found = sheet.cell("water-consumption", "2023")
    assert (found.value, found.text) == (None, NOT_ASSESSED)
    assert found.note == "not both of water in and out at dongguan"
    assert sheet.cell("water-withdrawal", "2023").value == 2 * 17_520
    assert sheet.cell("water-discharge", "2023").value == 6132
    assert (
        "water discharged is not metered at dongguan" in sheet.cell("water-discharge", "2023").note
    )


def cooled() -> Ledger:
    """A year with diesel, and 12 kg of R-410A in twelve months."""
    made = list(site_year("lingang", 2023, HOUR | {"fuel": 10, "refrigerant": 1}))
    for entry in made:
        if entry["id"] == "meter:lingang:refrigerant":
            entry["payload"]["item"] = "R-410A"
    return ledger_of(made)


def test_refrigerant_that_the_book_leaves_out_is_not_assessed_and_no_set_is_printed() -> None:
    with cooled() as ledger:
        made = drawn(ledger)
    cell = made.sheet("inventory").cell("scope1/refrigerant", "2023")
    assert cell.text == NOT_ASSESSED
    assert cell.note == "metered at lingang; S1 counts CO2 only; S1-AR6 counts refrigerants too"
    assert "GWP set" not in dict(made.provenance)


def test_a_book_of_all_gases_holds_the_refrigerant_and_names_its_set() -> None:
    with cooled() as ledger:
        made = drawn(ledger, books=("S1-AR6", "S2-LB", "S2-MB-2015"))
        keys = [row.key for row in made.sheet("inventory").rows]
        assert "scope1/refrigerant" not in keys
        assert "scope1/refrigerant:R-410A:HFC-32" in keys
        assert dict(made.provenance)["GWP set"] == "AR6 (S1-AR6)"


@pytest.mark.parametrize("books", [BOOKS, ("S1-AR5", "S2-LB", "S2-MB-2015")])
def test_a_set_that_is_not_of_the_books_is_refused(books: tuple[str, ...]) -> None:
    with cooled() as ledger:
        statements = ledger.draw_up(
            books, entity="group", period="2023", report_date=REPORTED, recorded_at=AT,
            code_version="test",
        )  # fmt: skip
        with pytest.raises(InputError, match="name S1-AR6 in place of S1"):
            workbook(
                ledger.store.readings(), statements, category=3,
                parameters={"GWP set": "AR6"}, texts={},
            )  # fmt: skip


def test_without_a_refrigerant_meter_the_row_says_so(book: Workbook) -> None:
    assert book.sheet("inventory").cell("scope1/refrigerant", "2023").note == "no refrigerant meter"
