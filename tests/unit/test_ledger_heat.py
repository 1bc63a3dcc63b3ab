"""Fuel as its bill counts it: m3 and litres in the journal, energy and CO2 by the heat content of the meter."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.ledger import Ledger
from aidc.ledger.checks.reconciliation import comparisons
from aidc.ledger.journal.heat import HeatContent, whole_wh
from tests.ledger_cases import ALWAYS, site_entry

AT = datetime(2026, 1, 31, tzinfo=UTC)
YEAR = {"valid_from": "2022-12-31T16:00:00Z", "valid_to": "2023-12-31T16:00:00Z"}
GAS = {"value": "38.931", "unit": "MJ/m3", "source": "GB/T 2589-2008, annex A"}


def gas_meter(**more: Any) -> dict[str, Any]:
    payload = {
        "site": "site:bj", "stream": "fuel", "unit": "ml", "fuel": "natural_gas",
        "heat_content": GAS,
    }  # fmt: skip
    return {"id": "gas", "kind": "meter", **ALWAYS, "payload": payload | more}


def counted(name: str, amount: int, unit: str = "ml", **span: str) -> dict[str, Any]:
    at = YEAR | span
    start, end = (datetime.fromisoformat(at[key]) for key in ("valid_from", "valid_to"))
    payload = {
        "meter": "gas", "unit": unit, "interval_s": int((end - start).total_seconds()),
        "quantities": [amount], "quality": "billed",
    }  # fmt: skip
    return {"id": name, "kind": "activity", **at, "payload": payload}


def ledger_of(*entries: dict[str, Any]) -> Ledger:
    made = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    made.post(
        [site_entry("bj", region="CN-BJ", use="office"), *entries],
        recorded_at=AT, role="accountant", recorded_by="lin",
    )  # fmt: skip
    return made


def drawn(ledger: Ledger, *books: str):  # type: ignore[no-untyped-def]
    return ledger.draw_up(
        books, entity="group", period="2023", report_date=date(2026, 1, 31), recorded_at=AT,
        code_version="test",
    )  # fmt: skip


def test_a_gas_bill_in_cubic_metres_gives_the_tonnes_of_its_energy() -> None:
    """10,000 m3 at 38.931 MJ/m3 are 389.31 GJ; x 0.0153 x 0.99 x 44 / 12 = 21.62 t (21.622 t a 10,000 m3)."""
    ledger = ledger_of(gas_meter(), counted("bill", 10_000 * 10**6))
    (made,) = drawn(ledger, "S1")
    exact = Decimal("389.31") * Decimal("0.0153") * Decimal("0.99") * 44 / 12
    assert abs(made.total_tco2e - exact) < Decimal("1e-6")
    (cell,) = made.cells
    assert (cell.amount, cell.unit) == (108_141_667, "Wh")
    assert cell.sources == ("bill",)
    assert made.methods == ("gas: 38.931 MJ/m3, GB/T 2589-2008, annex A",)
    assert "method: gas: 38.931 MJ/m3" in made.text()
    assert ledger.replay(ledger.calcs[0], code_version="test").same


def test_a_later_version_of_the_meter_holds_its_heat_content_from_its_day_on() -> None:
    """Half a year each: 36 and then 54 MJ/m3 are 10 and 15 kWh/m3."""
    first = gas_meter(heat_content=GAS | {"value": "36"})
    july = "2023-06-30T16:00:00Z"
    later = gas_meter(heat_content=GAS | {"value": "54"}) | {
        "id": "gas-2", "valid_from": july, "supersedes": "gas", "reason": "supplier's notice",
    }  # fmt: skip
    ledger = ledger_of(
        first,
        later,
        counted("h1", 10**6, valid_to=july),
        counted("h2", 10**6, valid_from=july),
    )
    (made,) = drawn(ledger, "S1")
    assert made.cells[0].amount == 25_000


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=40),
    st.decimals("0.001", "100", places=3),
)
def test_any_run_of_intervals_agrees_with_the_exact_energy_to_one_watt_hour(
    amounts: list[int], value: Decimal
) -> None:
    content = HeatContent(value=value, unit="MJ/l", source="for the test")
    made = whole_wh(np.asarray(amounts), [content] * len(amounts)).tolist()
    for first in range(len(amounts)):
        exact = sum(amounts[first:]) * Fraction(value) * Fraction(1000, 3600)
        assert abs(sum(made[first:]) - exact) <= 1


@pytest.mark.parametrize(("stated", "unit"), [("10000", "m3"), ("389.31", "GJ")])
def test_a_bill_is_held_against_its_own_unit_or_its_energy(stated: str, unit: str) -> None:
    bill = {
        "entity": "group", "about": "bill", "subject": "gas", "stated": stated, "unit": unit,
        "tolerance_frac": "0.0001", "document": "bill 2023",
    }  # fmt: skip
    ledger = ledger_of(
        gas_meter(),
        counted("bill", 10_000 * 10**6),
        {"id": "said", "kind": "assertion", **YEAR, "payload": bill},
    )
    period = tuple(datetime.fromisoformat(YEAR[key]) for key in ("valid_from", "valid_to"))
    (one,) = comparisons(ledger.store.readings(), "group", period)  # type: ignore[arg-type]
    assert one.holds


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"heat_content": None}, "fuel in ml names it: value, unit, source; a national default is 38.931 MJ/m3"),
        ({"heat_content": GAS | {"unit": "GJ/t"}}, "GJ/t is not of the ml that the meter counts"),
        ({"heat_content": GAS | {"unit": "MJ"}}, "'MJ' is no energy of a volume or mass"),
        ({"unit": "Wh"}, "a fuel meter that counts ml or g, and no other, has one"),
        ({"heat_content": GAS | {"value": "0"}}, "heat_content.value"),
    ],
)  # fmt: skip
def test_a_fuel_meter_without_what_makes_energy_of_it_is_refused(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as told:
        ledger_of(gas_meter(**changes))
    assert says in str(told.value)


def test_cubic_metres_on_a_meter_of_energy_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="in ml or g with its heat_content takes the bill's own"):
        ledger_of(gas_meter(unit="Wh", heat_content=None), counted("bill", 1))


def test_how_a_billed_value_came_about_is_no_warning_and_an_estimate_is_one_with_its_site() -> None:
    july = "2023-06-30T16:00:00Z"
    billed, guessed = counted("h1", 10**6, valid_to=july), counted("h2", 10**6, valid_from=july)
    billed["payload"]["method"] = "read by the supplier"
    guessed["payload"] |= {"quality": "estimated", "method": "as the half year before"}
    (made,) = drawn(ledger_of(gas_meter(), billed, guessed), "S1")
    assert "gas: billed, read by the supplier" in made.methods
    assert not any("read by the supplier" in text for text in made.warnings)
    assert "bj: gas is estimated, as the half year before" in made.warnings


@pytest.mark.parametrize("fuel", ["natural_gas", "natural_gaz"])
def test_a_fuel_without_a_factor_is_told_with_what_to_do(fuel: str) -> None:
    ledger = ledger_of(gas_meter(fuel=fuel), counted("bill", 10**6))
    with pytest.raises(InputError) as told:
        ledger.statement("S1", entity="group", period="2023", report_date=date(2026, 1, 31))
    remedy = {
        "natural_gas": "ndrc-other-natural-gas is shipped: --adopt posts it",
        "natural_gaz": "did you mean 'natural_gas'",
    }[fuel]
    assert str(told.value).startswith("S1, site bj: no CO2 factor for natural_ga")
    assert remedy in str(told.value)


def test_a_refrigerant_without_its_parts_is_told_with_what_to_do() -> None:
    meter = {"site": "site:bj", "stream": "refrigerant", "unit": "g", "item": "R-410A"}
    leak = counted("leak", 1000, unit="g")
    leak["payload"]["meter"] = "cold"
    ledger = ledger_of({"id": "cold", "kind": "meter", **ALWAYS, "payload": meter}, leak)
    with pytest.raises(InputError) as told:
        ledger.statement("S1-AR6", entity="group", period="2023", report_date=date(2026, 1, 31))
    assert str(told.value) == (
        "S1-AR6, site bj: refrigerant 'R-410A' is unknown to this ledger; its parts are shipped: "
        "--adopt posts them"
    )
