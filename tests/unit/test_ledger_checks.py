"""Checks D1 to D17: each has a case that trips it, and a clean year of six sites trips none.

Facts are put into the register directly: posting refuses most of these cases already.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aidc.errors import LedgerError
from aidc.ledger import Ledger
from aidc.ledger.checks.assertion import Assertion
from aidc.ledger.checks.double_counting import Trip
from aidc.ledger.checks.inspection import EvidenceUse, Inspection, evidence_uses
from aidc.ledger.checks.reconciliation import comparisons, reconciliation_sheet
from aidc.ledger.checks.run import CHECKS, run_checks, stop
from aidc.ledger.factors.rows import GridFactor
from aidc.ledger.journal.entries import Entry
from aidc.ledger.journal.payloads import Calc, Meter, ReportedFigure
from aidc.ledger.journal.periods import period_of
from aidc.ledger.journal.readings import Readings
from aidc.ledger.lots.lot import Lot, LotMove
from aidc.ledger.scopes.scope3 import Asset
from aidc.ledger.statements.statement import Cell
from tests.ledger_cases import (
    AT,
    HOUR,
    ZONE,
    ledger_of,
    meter_entry,
    month,
    months,
    site_entry,
    site_year,
)

SITES = ("lingang", "guangzhou", "beijing", "chongqing", "fujian", "shandong")
REGIONS = ("CN-SH", "CN-GD", "CN-BJ", "CN-CQ", "CN-FJ", "CN-SD")
YEAR = period_of("2023", ZONE)
CRITERIA = {f"QC{n}": {"answer": "yes", "evidence": "registry"} for n in range(1, 9)}


def lot(kind: str, first: int, last: int, **more: Any) -> Lot:
    credit = kind in ("ccer", "removal")
    return Lot.model_validate(
        {
            "type": kind, "registry": "registry", "serials": {"first": first, "last": last},
            "project": "wind farm", "technology": "onshore_wind", "commissioned_on": "2020-01-01",
            "region": "CN-SH", "zone": "CN/East", "sole_claim": True,
            "quantity": (last - first + 1) * (1000 if credit else 10**6),
            "unit": "kg" if credit else "Wh", "criteria": None if credit else CRITERIA,
        }
        | more
    )  # fmt: skip


def move(act: str, of: str, first: int, last: int, *, piece: int = 10**6, **more: Any) -> LotMove:
    given: dict[str, Any] = {
        "lot": of, "act": act, "quantity": (last - first + 1) * piece,
        "serials": {"first": first, "last": last}, "entity": "group",
    }  # fmt: skip
    if act == "retire":
        given |= {
            "beneficiary": "group", "document": f"retirement {first}", "claim": "2023",
            "period_from": "2022-12-31T16:00:00Z", "period_to": "2023-12-31T16:00:00Z",
        }  # fmt: skip
    return LotMove.model_validate(given | more)


def fact(
    name: str, kind: str, payload: Any, start: datetime = YEAR[0], end: datetime = YEAR[1]
) -> Entry:
    return Entry(name, kind, start, end, payload, (), None, None)


LOTS = (
    fact("lot:gec", "lot", lot("gec_single", 1, 10)),
    fact("move:buy", "lot_move", move("acquire", "lot:gec", 1, 10)),
    fact("move:use", "lot_move", move("retire", "lot:gec", 1, 4)),
    fact("lot:ccer", "lot", lot("ccer", 101, 110, project="forest")),
    fact("move:ccer", "lot_move", move("acquire", "lot:ccer", 101, 110, piece=1000)),
    fact("move:offset", "lot_move", move("retire", "lot:ccer", 101, 104, piece=1000)),
    fact("asset:1", "asset", Asset.model_validate({
        "site": "site:lingang", "asset": "gpu", "pieces": 8, "purchased_on": "2023-03-01",
        "life_years": "5", "embodied_kgco2e": "150", "embodied_source": "ours",
    })),
    fact("assertion:bill", "assertion", Assertion.model_validate({
        "entity": "group", "about": "bill", "subject": "meter:lingang:grid_import",
        "stated": "10.95", "unit": "MWh", "tolerance_frac": "0.01", "document": "bill of 2023",
    })),
    fact("assertion:registry", "assertion", Assertion.model_validate({
        "entity": "group", "about": "registry", "subject": "registry",
        "stated": "4", "unit": "MWh", "tolerance_frac": "0", "document": "account of 2023",
    })),
)  # fmt: skip


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    groups = [
        site_year(name, 2023, HOUR | {"fuel": 3}, region=region)
        for name, region in zip(SITES, REGIONS, strict=True)
    ]
    with ledger_of(*groups) as made:
        yield made


@dataclass
class Case:
    """A clean inspection that a case makes unclean."""

    ledger: Ledger
    asked: Inspection

    def add(self, *entries: Entry) -> Inspection:
        for entry in entries:
            self.asked.readings.register.apply(entry, "tester")
        return self.asked

    def cell(self, book: str, **more: Any) -> Inspection:
        """One more cell in a book."""
        made = self.asked.statements[book]
        blank = Cell("lingang", 2023, "grid_average", 0, "Wh", None, 0, Decimal(0), ("entry",))
        cells = (*made.cells, replace(blank, **more))
        statements = {**self.asked.statements, book: replace(made, cells=cells)}
        return replace(self.asked, statements=statements)


@pytest.fixture(scope="module")
def statements(ledger: Ledger) -> dict[str, Any]:
    drawn = ledger.draw_up(
        ("S1", "S2-LB", "S2-MB-2015"), entity="group", period="2023", report_date=date(2026, 1, 31),
        recorded_at=AT, code_version="test",
    )  # fmt: skip
    return {one.book: one for one in drawn}


@pytest.fixture
def case(ledger: Ledger, statements: dict[str, Any]) -> Case:
    readings = ledger.store.readings_after(ledger.head[0] - 1)  # a register of its own
    for entry in LOTS:
        readings.register.apply(entry, "tester")
    return Case(ledger, inspection(ledger, readings, statements))


def inspection(ledger: Ledger, readings: Readings, statements: dict[str, Any]) -> Inspection:
    return Inspection(
        readings, "group", YEAR, statements, tuple(evidence_uses(ledger.store.journal.lines())),
        vintage_before_months=6, vintage_after_months=3, balance_frac=Decimal("0.02"), added_back_t={},
    )  # fmt: skip


def d1(case: Case) -> Inspection:
    other = lot("gec_single", 3, 6)
    return case.add(
        fact("lot:copy", "lot", other),
        fact("m:1", "lot_move", move("acquire", "lot:copy", 3, 6, entity="other")),
        fact("m:2", "lot_move", move("retire", "lot:copy", 3, 6, entity="other")),
    )


def d2(case: Case) -> Inspection:
    return case.add(
        fact(
            "lot:few",
            "lot",
            lot("gec_single", 201, 210, registry="elsewhere", project="other farm"),
        ),
        fact("m:1", "lot_move", move("acquire", "lot:few", 201, 204)),
        fact("m:2", "lot_move", move("retire", "lot:few", 201, 206)),
    )


def d3(case: Case) -> Inspection:
    return case.add(fact("lot:same", "lot", lot("ccer", 301, 302, project="wind farm")))


def d3_frozen(case: Case) -> Inspection:
    sea = {"technology": "offshore_wind", "ccer_status": "applied", "project": "at sea"}
    return case.add(
        fact("lot:frozen", "lot", lot("gec_single", 401, 402, **sea)),
        fact("m:1", "lot_move", move("acquire", "lot:frozen", 401, 402)),
    )


def d4(case: Case) -> Inspection:
    return case.add(
        fact("lot:own", "lot", lot("granular", 501, 502, quantity=2, meter="meter:lingang:pv")),
        fact("m:1", "lot_move", move("acquire", "lot:own", 501, 502, piece=1, entity="buyer")),
    )


def d5(case: Case) -> Inspection:
    """SR2022 claims 25.7 kt saved by 45 GWh: a design figure, never subtracted."""
    return case.cell("S2-LB", tier="saving", amount=-45 * 10**9, tco2e=Decimal(-25700))


def d6(case: Case) -> Inspection:
    source = next(iter(case.asked.statements["S1"].cells)).sources[0]
    return case.cell("S2-LB", sources=(source,))


def d6_document(case: Case) -> Inspection:
    fuel = case.asked.statements["S1"].cells[0].sources[0]
    grid = case.asked.statements["S2-LB"].cells[0].sources[0]
    uses = [EvidenceUse(one, "activity", one, one, one, "ab" * 32) for one in (fuel, grid)]
    return replace(case.asked, evidence=tuple(uses))


def d7(case: Case) -> Inspection:
    made = case.asked.statements["S1"]
    leased = Cell("lingang", 2023, "category_8", 1, "Wh", None, 0, Decimal(1), ("lease",))
    scope3 = replace(made, book="S3-C8", cells=(leased,))
    return replace(case.asked, statements={**case.asked.statements, "S3-C8": scope3})


def d8(case: Case) -> Inspection:
    first = case.asked.readings.register.of(Asset)["asset:1"]
    spent = first.model_copy(update={"booked_in": "category_1"})
    return case.add(fact("asset:2", "asset", spent))


def d9(case: Case) -> Inspection:
    factor = next(
        cell.factor
        for cell in case.asked.statements["S2-LB"].cells
        if isinstance(cell.factor, GridFactor)
    )
    return case.cell("S2-LB", factor=factor.model_copy(update={"basis": "incl_td"}))


def d10(case: Case) -> Inspection:
    return case.cell("S2-MB-2015", tier="grid_average", amount=5)


def d11(case: Case) -> Inspection:
    both = sum((case.asked.statements[b].total_tco2e for b in ("S2-LB", "S2-MB-2015")), Decimal(0))
    figure = ReportedFigure(
        entity="group", quantity="scope2", year=2023, value=round(both, 1), unit="t", decimals=1,
        relation="=", document="report", table="1",
    )  # fmt: skip
    return case.add(fact("figure:sum", "reported_figure", figure))


def d12(case: Case) -> Inspection:
    meter = meter_entry("lingang", "ups_out")["payload"]
    return case.add(fact("meter:lingang:ups_out", "meter", Meter.model_validate(meter)))


def d12_reset(case: Case) -> Inspection:
    meter = case.asked.readings.register.meters["meter:lingang:grid_import"]
    small = meter.model_copy(update={"register_digits": 3})
    return case.add(fact("meter:lingang:grid_import", "meter", small))


def d13(case: Case) -> Inspection:
    uses = [EvidenceUse(f"activity:{n}", "activity", "m", "a", "b", "cd" * 32) for n in range(2)]
    return replace(case.asked, evidence=tuple(uses))


def d14(case: Case) -> Inspection:
    again = move("retire", "lot:ccer", 104, 105, piece=1000, claim="2024")
    return case.add(fact("m:again", "lot_move", again))


def d14_document(case: Case) -> Inspection:
    again = move(
        "retire", "lot:ccer", 105, 105, piece=1000, claim="flights", document="retirement 101"
    )
    return case.add(fact("m:again", "lot_move", again))


def d14_years(case: Case) -> Inspection:
    long = move(
        "retire", "lot:ccer", 105, 105, piece=1000,
        period_from="2021-12-31T16:00:00Z", document="another",
    )  # fmt: skip
    return case.add(fact("m:long", "lot_move", long))


def d15(case: Case) -> Inspection:
    old = datetime(2021, 1, 1, tzinfo=UTC)
    return case.add(
        fact(
            "lot:old",
            "lot",
            lot("gec_single", 601, 602, registry="elsewhere"),
            old,
            old + timedelta(days=30),
        ),
        fact("m:1", "lot_move", move("acquire", "lot:old", 601, 602)),
        fact("m:2", "lot_move", move("retire", "lot:old", 601, 602)),
    )


def d16(case: Case) -> Inspection:
    return case.add(
        fact("lot:mine", "lot", lot("removal", 701, 702, meter="meter:lingang:pv", project="own")),
        fact("m:1", "lot_move", move("acquire", "lot:mine", 701, 702, piece=1000, entity="buyer")),
    )


def d17_bill(case: Case) -> Inspection:
    """The bill states 11.5 MWh, the meter counted 10.95: 4.8 %, and 1 % is allowed."""
    bill = case.asked.readings.register.of(Assertion)["assertion:bill"]
    return case.add(
        fact("assertion:bill", "assertion", bill.model_copy(update={"stated": Decimal("11.5")}))
    )


TRIPS: list[tuple[str, Callable[[Case], Inspection]]] = [
    ("D1", d1), ("D2", d2), ("D3", d3), ("D3", d3_frozen), ("D4", d4), ("D5", d5), ("D6", d6),
    ("D6", d6_document), ("D7", d7), ("D8", d8), ("D9", d9), ("D10", d10), ("D11", d11), ("D12", d12),
    ("D12", d12_reset), ("D13", d13), ("D14", d14), ("D14", d14_document), ("D14", d14_years), ("D15", d15),
    ("D16", d16), ("D17", d17_bill),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "spoil"), TRIPS, ids=lambda value: getattr(value, "__name__", value)
)
def test_each_check_trips_on_its_case_and_no_other_does(
    case: Case, name: str, spoil: Callable[[Case], Inspection]
) -> None:
    tripped = list(run_checks(spoil(case)))
    assert {trip.check for trip in tripped} == {name}
    for trip in tripped:
        assert trip.entries, "a message names the entries"
        assert len(trip.message) > 20
        assert len(trip.remedy) > 10


def test_a_clean_year_of_six_sites_trips_none_within_two_seconds(case: Case) -> None:
    started = time.perf_counter()
    assert list(run_checks(case.asked)) == []
    assert time.perf_counter() - started < 2


def test_every_check_has_a_case_a_severity_and_a_sentence() -> None:
    assert [check.id for check in CHECKS] == [f"D{number}" for number in range(1, 18)]
    assert {name for name, _ in TRIPS} == {check.id for check in CHECKS}
    assert [check.id for check in CHECKS if check.severity == "W"] == ["D13"]
    assert all(check.sentence and check.run.__doc__ for check in CHECKS)


def test_a_missing_meter_opens_the_balance() -> None:
    """50 of 1,350 Wh an hour are unmetered: 3.7 %; 2 % are allowed."""
    with ledger_of(site_year("lingang", 2023, HOUR | {"other": 0})) as ledger:
        asked = inspection(ledger, ledger.store.readings(), {})
        (trip,) = run_checks(asked)
        assert (trip.check, "is open by 350400 Wh of 11388000" in trip.message) == ("D17", True)
        assert list(run_checks(replace(asked, balance_frac=Decimal("0.04")))) == []


def test_simulated_balances_close_to_rounding_whatever_is_allowed() -> None:
    with ledger_of(site_year("lingang", 2023, HOUR | {"other": 33}, quality="simulated")) as ledger:
        asked = replace(
            inspection(ledger, ledger.store.readings(), {}), balance_frac=Decimal("0.5")
        )
        assert [trip.check for trip in run_checks(asked)] == ["D17"]


def test_an_error_stops_a_statement_and_a_warning_does_not(case: Case) -> None:
    stop(run_checks(d13(case)))
    stop(run_checks(d15(case)))  # the lot is not applied; the statement stands
    with pytest.raises(
        LedgerError, match="D2: group gave away or retired 2000000 Wh of lot:few more"
    ):
        stop(run_checks(d2(case)))


def test_documents_behind_entries_are_found_in_the_journal() -> None:
    bill = {"locator": "bill 7, page 1", "sha256": "0f" * 32}
    entries = [site_entry("a"), meter_entry("a", "grid_import"), meter_entry("a", "it_in")]
    counts = [
        month("a", stream, "2023-01", 5) | {"evidence": [bill]}
        for stream in ("grid_import", "it_in")
    ]
    with ledger_of(entries, counts) as ledger:
        asked = inspection(ledger, ledger.store.readings(), {})
        asked = replace(asked, period=period_of("2023-01", ZONE))
        (trip,) = run_checks(asked)
    assert trip.check == "D13"
    assert trip.entries == ("activity:a:grid_import:2023-01", "activity:a:it_in:2023-01")
    assert months(2023, 1) == ["2023-01"]


def test_a_registry_account_is_held_to_what_was_not_voided_since(case: Case) -> None:
    gone = replace(fact("m:void", "lot_move", move("void", "lot:gec", 1, 3)), reason="wrong")
    asked = case.add(gone)
    (found,) = [
        one
        for one in comparisons(asked.readings, "group", YEAR)
        if one.assertion.about == "registry"
    ]
    assert (found.stated, found.ledger, found.verdict) == (Decimal(4), Decimal(1), "differs")


def test_meter_bill_registry_and_report_stand_beside_the_ledger(case: Case) -> None:
    statement = case.asked.statements["S2-LB"]
    figure = ReportedFigure(
        entity="group", quantity="scope2", year=2023, value=round(statement.total_tco2e, 1), unit="t",
        decimals=1, relation="=", document="report", table="1",
    )  # fmt: skip
    calcs = case.ledger.store.register.of(Calc)
    calc = next(key for key, one in calcs.items() if one.book == "S2-LB")
    held = Assertion(
        entity="group", about="figure", subject="figure:1", against=calc, tolerance_frac=Decimal(0),
        document="report",
    )  # fmt: skip
    asked = case.add(
        fact("figure:1", "reported_figure", figure),
        fact(calc, "calc", calcs[calc]),
        fact("assertion:figure", "assertion", held),
    )
    found = tuple(comparisons(asked.readings, "group", YEAR))
    assert [(one.assertion.about, one.holds) for one in found] == [
        ("bill", True), ("registry", True), ("figure", True),
    ]  # fmt: skip
    assert [one.ledger for one in found[:2]] == [Decimal("10.95"), Decimal(4)]
    sheet = reconciliation_sheet(found)
    assert sheet.cell("assertion:bill", "difference").value == 0
    assert sheet.cell("assertion:figure", "verdict").text == "agrees"
    assert len(sheet.cell("assertion:bill", "ledger").sources) == 12


def test_an_assertion_of_what_is_not_there_says_so(case: Case) -> None:
    lost = Assertion(
        entity="group", about="bill", subject="meter:lingang:grid_imprt", stated=Decimal(1), unit="MWh",
        tolerance_frac=Decimal(0), document="bill",
    )  # fmt: skip
    asked = case.add(fact("assertion:lost", "assertion", lost))
    found = {one.entry_id: one for one in comparisons(asked.readings, "group", YEAR)}
    assert "did you mean 'meter:lingang:grid_import'" in found["assertion:lost"].verdict
    assert [trip.check for trip in run_checks(asked)] == ["D17"]


def test_a_trip_is_a_sentence_with_entries_and_remedy() -> None:
    text = str(Trip("D2", ("a", "b"), "too much", "void it"))
    assert text == "D2: too much (a, b); void it"
