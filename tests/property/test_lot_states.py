"""The states of lots, held against a table with one row a certificate."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.ledger.lots.holdings import AFTER, BEFORE, BY_HOLDER
from tests.lots import MWH, YEAR, Desk

PIECES = 12
START = datetime(2024, 8, 1, tzinfo=UTC)
ACTS = (
    "acquire", "transfer", "allocate", "retire", "expire", "void", "ccer_apply", "ccer_withdraw",
    "ccer_issue",
)  # fmt: skip

moves = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        st.integers(1, PIECES),
        st.integers(1, PIECES),
        st.sampled_from(["us", "them"]),
        st.sampled_from([None, "site:a", "site:c"]),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(moves)
def test_a_move_is_taken_exactly_where_each_certificate_may_make_it(
    asked: list[tuple[str, int, int, str, str | None]],
) -> None:
    desk = Desk()
    assert desk.lot("lot", mwh=PIECES) == []
    rows: list[tuple[str, str | None, str | None]] = [("issued", None, None)] * PIECES
    for number, (act, one, other, entity, site) in enumerate(asked):
        first, last = min(one, other), max(one, other)
        words: dict[str, Any] = {"entity": entity, "at": START + timedelta(days=number)}
        if act == "transfer":
            words["to"] = "them" if entity == "us" else "us"
        if act == "allocate":
            words["site"] = site = "site:a" if entity == "us" else "site:c"
        if act == "retire":
            words |= {"beneficiary": "b", "document": f"d{number}", **YEAR}
            if site is not None:
                words["site"] = site
        else:
            site = site if act == "allocate" else None
        faults = desk.move(f"m{number}", "lot", act, (first, last), reason="why", **words)
        ours = {"site:a": "us", "site:c": "them", None: entity}[site] == entity
        may = (
            ours
            and all(
                state in BEFORE[act]  # type: ignore[index]
                and (act not in BY_HOLDER or holder == entity)
                and (act != "retire" or site is None or place in (None, site))
                for state, holder, place in rows[first - 1 : last]
            )
        )
        assert may == (faults == [])
        for row in range(first - 1, last) if may else ():
            _, holder, place = rows[row]
            if act in ("acquire", "transfer"):
                holder, place = words.get("to", entity), None
            rows[row] = (AFTER[act], holder, site or place)  # type: ignore[index]
    seen = [("", None, None)] * PIECES
    for part in desk.held.lots["lot"].parts:
        for piece in range(part.start // MWH, part.end // MWH):
            assert seen[piece][0] == ""
            seen[piece] = (part.state, part.entity, part.site)
    assert seen == rows


@settings(deadline=None)
@given(moves, st.integers(0, 12))
def test_what_was_held_then_is_what_the_moves_until_then_give(
    asked: list[tuple[str, int, int, str, str | None]], day: int
) -> None:
    desks = Desk(), Desk()
    for desk in desks:
        desk.lot("lot", mwh=PIECES)
    for number, (act, one, other, entity, _) in enumerate(asked):
        words: dict[str, Any] = {"entity": entity, "to": "x", "at": START + timedelta(days=number)}
        if act == "retire":
            words |= {"beneficiary": "b", "document": "d", **YEAR}
        span = (min(one, other), max(one, other))
        for desk in desks if number < day else desks[:1]:
            desk.move(f"m{number}", "lot", act, span, reason="why", **words)
    then = desks[0].held.until(START + timedelta(days=day))
    assert then.lots["lot"].parts == desks[1].held.lots["lot"].parts
