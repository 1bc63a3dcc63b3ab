"""Restatement of a base year: GHG Protocol, Scope 3 Standard, chapter 9 and table 9.4."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.errors import InputError
from aidc.ledger.restatement.boundary import BoundaryEvent
from aidc.ledger.restatement.restate import (
    Restated,
    Restatement,
    Trigger,
    TriggerKind,
    pending,
    restate,
    trigger_of,
)

TEN_PERCENT = Decimal("0.10")


def event(
    kind: str, base_year_t: str | None, in_scope3_before: bool | None = None
) -> BoundaryEvent:
    return BoundaryEvent.model_validate(
        {
            "entity": "group",
            "what": "subsidiary",
            "event": kind,
            "effective": "2023-07-01",
            "base_year": 2020 if base_year_t else None,
            "base_year_t": base_year_t,
            "in_scope3_before": in_scope3_before,
            "source": "ours",
        }
    )


def held(
    reported: int, *triggers: Trigger, threshold: Decimal = TEN_PERCENT, one_target: bool = False
) -> Restated:
    return restate(
        Decimal(reported), triggers, threshold_frac=threshold, one_target_for_all_scopes=one_target
    )


def change(size: int, kind: TriggerKind = "error", name: str = "x") -> Trigger:
    return Trigger(name, kind, kind, Decimal(size))


def test_a_divested_subsidiary_leaves_with_its_base_year_emissions() -> None:
    """Case a: 20 t in the base year and 26 t when it left; the event has room for the first only."""
    found = held(100, trigger_of("b1", event("divested", "20")))
    assert (found.verdict, found.base_year_t) == ("recalculated", 80)


def test_a_new_facility_is_organic_growth() -> None:
    """Case b."""
    found = held(1000, trigger_of("b1", event("opened", None)))
    assert (found.verdict, found.base_year_t) == ("refused", 1000)
    assert "organic growth" in found.refused["b1"]


@pytest.mark.parametrize(("kind", "expected"), [("insourced", 1150), ("outsourced", 850)])
def test_insourcing_of_what_was_not_reported_recalculates(kind: str, expected: int) -> None:
    """Case c, and its reverse."""
    before = False if kind == "insourced" else None
    found = held(1000, trigger_of("b1", event(kind, "150", before)), one_target=True)
    assert (found.verdict, found.base_year_t, found.net_frac) == (
        "recalculated",
        expected,
        Decimal("0.15"),
    )


def test_insourcing_out_of_scope_3_under_one_target_does_not_recalculate() -> None:
    """Case d; where targets are apart, it does."""
    trigger = trigger_of("b1", event("insourced", "150", True))
    found = held(1000, trigger, one_target=True)
    assert (found.verdict, found.base_year_t) == ("refused", 1000)
    assert "one target covers all scopes" in found.refused["b1"]
    assert held(1000, trigger, one_target=False).base_year_t == 1150


def test_a_factor_that_fell_with_the_grid_is_refused_with_this_reason() -> None:
    """Case e."""
    found = held(1000, change(-120, "grid_changed"))
    assert (found.verdict, found.base_year_t) == ("refused", 1000)
    assert "the grid changed" in found.refused["x"]


@pytest.mark.parametrize(
    ("size", "verdict", "base_year"),
    [
        (99, "pending", 1000),
        (100, "recalculated", 1100),
        (-99, "pending", 1000),
        (-100, "recalculated", 900),
    ],
)
def test_an_error_counts_from_ten_percent_on(size: int, verdict: str, base_year: int) -> None:
    """Cases f1 and f2, and their reverse."""
    found = held(1000, change(size))
    assert (found.verdict, found.base_year_t) == (verdict, base_year)


@pytest.mark.parametrize(("sign", "expected"), [(1, 1120), (-1, 880)])
def test_the_third_of_three_improvements_of_four_percent_recalculates(
    sign: int, expected: int
) -> None:
    """Case g, through the journal: each trigger is held with those that wait, and recorded."""
    recorded: list[tuple[str, Restatement]] = []
    seen = []
    for number in range(3):
        new = change(40 * sign, "method_improvement", f"t{number}")
        found = held(1000, *pending(recorded), new)
        seen.append((found.verdict, found.net_frac))
        made = Restatement(
            entity="group",
            book="S2-LB",
            base_year=2020,
            series_version=1 if found.verdict == "pending" else 2,
            calcs=("calc",),
            one_target_for_all_scopes=False,
            trigger=new.kind,
            cause=new.cause,
            change_t=new.change_t,
            reported_t=found.reported_t,
            restated_t=found.restated_t,
            threshold_frac=TEN_PERCENT,
            verdict=found.verdict,
            approver="second name",
        )
        recorded.append((f"r{number}", made))
    assert seen == [
        ("pending", Decimal("0.04")),
        ("pending", Decimal("0.08")),
        ("recalculated", Decimal("0.12")),
    ]
    assert found.base_year_t == expected
    assert [step.level_t for step in found.waterfall] == [1000 + 40 * sign * n for n in (1, 2, 3)]
    assert pending(recorded) == ()


def test_the_factor_vintage_of_2022_triggers_at_five_percent_and_not_at_ten() -> None:
    """SR2022: 30,404.0 t; 53,434.5 MWh at 0.5366 (notice 2024 no. 33) is 28,673.0 t, -5.7 %."""
    reported = Decimal("30404.0")
    restated = Decimal("53434.5") * Decimal("0.5366")
    trigger = Trigger("f", "data_improvement", "factor of the data year", restated - reported)
    verdicts = {}
    for threshold in ("0.05", "0.10"):
        found = restate(
            reported,
            [trigger],
            threshold_frac=Decimal(threshold),
            one_target_for_all_scopes=False,
        )
        verdicts[threshold] = (found.verdict, round(found.base_year_t, 1))
    assert verdicts == {
        "0.05": ("recalculated", Decimal("28673.0")),
        "0.10": ("pending", Decimal("30404.0")),
    }
    assert round(found.net_frac, 3) == Decimal("0.057")
    assert "-5.7% net" in "\n".join(found.lines())


def test_gross_stands_beside_net_where_changes_cancel() -> None:
    found = held(1000, change(80, name="a"), change(-80, "data_improvement", "b"))
    assert (found.net_frac, found.gross_frac, found.verdict) == (0, Decimal("0.16"), "pending")


def test_a_boundary_event_of_unknown_size_is_left_open() -> None:
    """The company's growth of 2021 to 2022 is partly insourcing (AR2023); nobody says how much."""
    found = held(7301, trigger_of("b1", event("insourced", None, False)))
    assert (found.verdict, found.open_ids, found.base_year_t) == ("open", ("b1",), 7301)
    assert "size not known, left open" in "\n".join(found.lines())


@given(st.lists(st.integers(-500, 500), min_size=1, max_size=6))
def test_the_waterfall_leads_from_reported_to_restated(sizes: list[int]) -> None:
    triggers = [change(size, name=str(n)) for n, size in enumerate(sizes)]
    found = held(10_000, *triggers)
    assert found.reported_t + sum(step.change_t for step in found.waterfall) == found.restated_t
    assert found.gross_frac >= found.net_frac
    mirrored = held(10_000, *(change(-size, name=str(n)) for n, size in enumerate(sizes)))
    assert mirrored.net_frac == found.net_frac
    assert mirrored.verdict == found.verdict


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="no share"):
        held(0, change(1))
    with pytest.raises(InputError, match="threshold of 5"):
        held(10, change(1), threshold=Decimal(5))
    with pytest.raises(InputError, match="x: given twice"):
        held(10, change(1), change(1))


def test_an_event_says_what_its_kind_needs() -> None:
    with pytest.raises(ValidationError, match="in_scope3_before"):
        event("insourced", "1")
    with pytest.raises(ValidationError, match="base_year"):
        BoundaryEvent(
            entity="g",
            what="s",
            event="divested",
            effective=date(2023, 1, 1),
            base_year_t=Decimal(1),
            source="ours",
        )


@pytest.mark.parametrize("threshold", ["NaN", "Infinity", "-1", "0"])
def test_a_threshold_is_a_number_between_0_and_1(threshold: str) -> None:
    with pytest.raises(InputError, match=r"write e\.g\. 0\.05 for 5 %"):
        held(10, change(1), threshold=Decimal(threshold))


def test_a_change_is_a_number() -> None:
    with pytest.raises(InputError, match="a change of NaN t is no number"):
        held(10, replace(change(1), change_t=Decimal("NaN")))
