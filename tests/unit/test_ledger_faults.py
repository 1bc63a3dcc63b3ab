"""What is wrong with an entry is told in words of the ledger: place, value, what belongs there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aidc.errors import InputError
from aidc.ledger import Ledger
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.factors.rows import grid_factors
from tests.unit.test_ledger_heat import gas_meter, ledger_of
from tests.unit.test_ledger_reports import certificates

AT = datetime(2026, 1, 31, tzinfo=UTC)
FACTOR = factor_entry(grid_factors()["mee-average-CN-SH-2023"])
LOT = certificates("nuclear")[0]


def row(*without: str, **changes: Any) -> dict[str, Any]:
    held = FACTOR["payload"]["row"] | changes
    kept = {key: value for key, value in held.items() if key not in without}
    return FACTOR | {"payload": FACTOR["payload"] | {"row": kept}}


def lot(**changes: Any) -> dict[str, Any]:
    return LOT | {"payload": LOT["payload"] | changes}


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return ledger_of()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (row("unit_num", "gas"), "payload.row.gas: required, but not given"),
        (row("unit_num", "gas"), "payload.row.unit_num: required, but not given"),
        (row(gwp_set=None), "payload.row.gwp_set: null is no value: give one, or leave the key out"),
        (row(gwp_set="AR7"), "payload.row.gwp_set: input should be 'AR4', 'AR5', 'AR6' or 'to be confirmed', not 'AR7'"),
        (row(value=0.5), "payload.row.value: write text or a whole number; decimals are text, not 0.5"),
        (row(unit_den="kWhh"), "payload.row.unit_den: unit 'kWhh' is unknown - did you mean 'kWh'"),
        (row(geograpy="CN"), "payload.row.geograpy: unknown key 'geograpy' - did you mean 'geography'"),
        (FACTOR | {"supersedes": ["a"]}, "supersedes: input should be a valid string, not ['a']"),
        (lot(criteria=["yes"]), "payload.criteria: a map of keys belongs here, not ['yes']"),
        (lot(criteria={"QC1": "yes"}), "payload.criteria.QC1: a map of keys belongs here, not 'yes'"),
        (gas_meter() | {"evidence": "bill"}, "evidence: a list belongs here, not 'bill'"),
        (gas_meter() | {"valid_from": None}, "valid_from: null is no value: give one, or leave the key out"),
    ],
)  # fmt: skip
def test_a_fault_names_its_place_and_what_belongs_there(
    ledger: Ledger, entry: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as told:
        ledger.post(entry, recorded_at=AT, role="accountant", recorded_by="lin")
    text = str(told.value)
    assert says in text
    assert "pydantic" not in text
    assert "validation error" not in text
    assert "Input should" not in text
    assert len(set(text.splitlines())) == len(text.splitlines())
