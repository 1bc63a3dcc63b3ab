"""Laws of the checks on lots and of the balance, on generated ledgers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aidc.ledger.checks.inspection import Inspection
from aidc.ledger.checks.of_lots import d1_retired_twice, d2_more_than_held, d15_vintage
from aidc.ledger.journal.payloads import LedgerHead
from aidc.ledger.journal.readings import Readings
from aidc.ledger.journal.register import Register
from tests.ledger_cases import ZONE
from tests.unit.test_ledger_checks import YEAR, fact, lot, move

PIECES = 40


class _Facts(Register):
    """A register that takes every move: holdings, which refuse what does not fit, are left out."""

    def take(self, entry: Any) -> None:
        self.entries[entry.id] = entry
        self._of_model.setdefault(type(entry.payload), {})[entry.id] = entry.payload


def asked(*entries: Any) -> Inspection:
    register = _Facts(head=LedgerHead(ledger_id="test", zone=ZONE))
    for entry in entries:
        register.take(entry)
    readings = Readings(register, None)  # type: ignore[arg-type]
    return Inspection(readings, "group", YEAR, {}, (), 6, 3, Decimal("0.02"), {})


runs = st.lists(
    st.tuples(st.integers(1, PIECES), st.integers(1, PIECES)).map(lambda pair: tuple(sorted(pair))),
    min_size=1,
    max_size=6,
)


@given(runs)
def test_d1_trips_if_and_only_if_two_retirements_share_a_serial(found: list[Any]) -> None:
    moves = [fact(f"m{n}", "lot_move", move("retire", "lot", *run)) for n, run in enumerate(found)]
    tripped = list(
        d1_retired_twice(asked(fact("lot", "lot", lot("gec_single", 1, PIECES)), *moves))
    )
    for trip in tripped:
        assert len(set(trip.entries)) == 2
    serials = [number for first, last in found for number in range(first, last + 1)]
    assert bool(tripped) == (len(serials) != len(set(serials)))


@given(runs, st.integers(1, PIECES))
def test_d2_trips_if_and_only_if_more_is_retired_than_acquired_or_issued(
    found: list[Any], acquired: int
) -> None:
    moves = [fact(f"m{n}", "lot_move", move("retire", "lot", *run)) for n, run in enumerate(found)]
    entries = (
        fact("lot", "lot", lot("gec_single", 1, PIECES)),
        fact("buy", "lot_move", move("acquire", "lot", 1, acquired)),
        *moves,
    )
    retired = sum(last - first + 1 for first, last in found)
    assert bool(list(d2_more_than_held(asked(*entries)))) == (retired > min(acquired, PIECES))


@given(st.dates(datetime(2021, 1, 1).date(), datetime(2025, 12, 1).date()))  # noqa: DTZ001
def test_d15_holds_generation_to_the_window_around_the_year_of_consumption(day: Any) -> None:
    """2023 in Shanghai, six months before and three after: July 2022 to March 2024."""
    start = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    end = start.replace(hour=13)
    entries = (
        fact("lot", "lot", lot("gec_single", 1, 1), start, end),
        fact("m", "lot_move", move("retire", "lot", 1, 1)),
    )
    inside = datetime(2022, 6, 30, 16, tzinfo=UTC) <= start and end <= datetime(
        2024, 3, 31, 16, tzinfo=UTC
    )
    assert bool(list(d15_vintage(asked(*entries)))) != inside
