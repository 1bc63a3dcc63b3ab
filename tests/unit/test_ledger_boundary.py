"""Sites that join or leave within a period: the part inside the boundary counts, and it is said."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from aidc.errors import InputError, LedgerError
from aidc.ledger import Ledger
from aidc.ledger.reports.report import report
from tests.ledger_cases import (
    ALWAYS,
    AT,
    HOUR,
    ledger_of,
    meter_entry,
    month,
    site_entry,
    site_year,
)


def event(name: str, kind: str, day: str, site: str = "site:new", **more: Any) -> dict[str, Any]:
    payload = {
        "entity": "group", "what": site.partition(":")[2], "event": kind, "effective": day,
        "site": site, "source": "minutes of the board",
    }  # fmt: skip
    return {"id": name, "kind": "boundary_event", **ALWAYS, "payload": payload | more}


def half_year(first: int, last: int) -> list[dict[str, Any]]:
    """A site with meters that count some months of 2023."""
    meters = [meter_entry("new", stream) for stream in HOUR]
    counts = [
        month("new", stream, f"2023-{number:02d}", wh)
        for stream, wh in HOUR.items()
        for number in range(first, last + 1)
    ]
    return [site_entry("new"), *meters, *counts]


def drawn(ledger: Ledger) -> Any:
    return ledger.draw_up(
        ("S1", "S2-LB", "S2-MB-2015"), entity="group", period="2023", report_date=date(2026, 1, 31),
        recorded_at=AT, code_version="test",
    )  # fmt: skip


def test_without_an_event_half_a_year_is_a_gap() -> None:
    with ledger_of(half_year(7, 12)) as ledger, pytest.raises(LedgerError, match="D12"):
        drawn(ledger)


@pytest.mark.parametrize(
    ("kind", "day", "months", "hours", "words"),
    [
        ("opened", "2023-07-01", (7, 12), 4416, "inside the boundary from 2023-07-01"),
        ("acquired", "2023-07-01", (1, 12), 4416, "inside the boundary from 2023-07-01"),
        ("divested", "2023-07-01", (1, 6), 4344, "inside the boundary until 2023-07-01"),
    ],
)
def test_a_site_counts_while_it_is_inside_the_boundary(
    kind: str, day: str, months: tuple[int, int], hours: int, words: str
) -> None:
    """184 days of July to December, 181 of January to June; an acquired site had meters before."""
    with ledger_of(
        site_year("old", 2023, HOUR), half_year(*months), [event("e", kind, day)]
    ) as ledger:
        statements = drawn(ledger)
        made = report(ledger, statements, category=3, parameters={}, texts={}, added_back_t={})
    book = made.workbook
    assert made.trips == ()
    assert sum(c.amount for c in statements[1].cells if c.site == "new") == 1300 * hours
    assert book.sheet("energy").cell("new/it_in", "2023").value == Decimal(1000 * hours) / 10**6
    assert book.sheet("energy").cell("old/it_in", "2023").value == Decimal("8.76")
    assert book.sheet("kpi").cell("new/grade", "2023").text == "interim"
    assert book.sheet("kpi").cell("old/grade", "2023").text == "grade 2"
    assert any(words in warning for warning in book.warnings)


def test_a_site_that_left_before_the_year_is_not_in_it() -> None:
    with ledger_of(
        site_year("old", 2023, HOUR), half_year(1, 1), [event("e", "divested", "2022-03-01")]
    ) as ledger:
        statements = drawn(ledger)
        made = report(ledger, statements, category=3, parameters={}, texts={}, added_back_t={})
    assert sum(c.amount for c in statements[1].cells if c.site == "new") == 0
    for name in ("energy", "kpi"):
        assert not any(row.key.startswith("new/") for row in made.workbook.sheet(name).rows)
    table = made.workbook.sheet("disclosure")
    assert table.cell("purchased-electricity", "2023").value == Decimal(1250 * 8760) / 10**6


def test_a_site_that_left_and_came_back_is_two_sites() -> None:
    events = [event("e1", "divested", "2023-03-01"), event("e2", "acquired", "2023-09-01")]
    with ledger_of(half_year(1, 12), events) as ledger, pytest.raises(LedgerError) as caught:
        drawn(ledger)
    assert "give what came back a site of its own" in str(caught.value)


def test_the_version_of_the_boundary_changes_with_it_and_with_nothing_else() -> None:
    with ledger_of(site_year("old", 2023, HOUR)) as ledger:
        first = drawn(ledger)[1].boundary
        ledger.post(meter_entry("old", "water_in"), recorded_at=AT, role="accountant")
        assert drawn(ledger)[1].boundary == first
        ledger.post(
            event("e", "opened", "2020-01-01", "site:old"), recorded_at=AT, role="accountant"
        )
        assert drawn(ledger)[1].boundary != first


def test_a_share_that_no_book_applies_is_refused() -> None:
    half = site_entry("joint")
    half["payload"]["share"] = "0.5"
    with pytest.raises(InputError, match=r"a share of 0\.5 is not applied"):
        ledger_of([half])


def test_an_entity_whose_sites_have_all_left_is_not_assessed_rather_than_zero() -> None:
    with ledger_of(half_year(1, 12), [event("gone", "closed", "2020-02-01")]) as ledger:
        for made in drawn(ledger):
            assert not made.assessed
            assert made.cells == ()
            assert any("not assessed: no site is inside the boundary" in w for w in made.warnings)
