"""When a base year is recalculated: triggers, their cumulative size, and a threshold.

References:
    GHG Protocol, Corporate Value Chain (Scope 3) Standard, chapter 9 and table 9.4.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from pydantic import Field

from aidc.config import Config
from aidc.errors import InputError
from aidc.ledger.journal import units
from aidc.ledger.journal.fields import Exact, Text
from aidc.ledger.restatement.boundary import ADDS, ORGANIC, BoundaryEvent

TriggerKind = Literal[
    "opened", "closed", "acquired", "divested", "merged", "insourced", "outsourced",
    "method_improvement", "data_improvement", "error", "category_added", "grid_changed", "growth",
]  # fmt: skip
Verdict = Literal["recalculated", "pending", "refused", "open"]
_REFUSED: Final[Mapping[str, str]] = {
    "opened": "a new facility is organic growth: the base year had nothing of it",
    "closed": "a closure is organic decline: the base year stays as it was",
    "growth": "organic growth is no trigger: it is what the series is there to show",
    "grid_changed": "the factor changed because the grid changed: that is a change of the year's "
    "emissions, not an error of the base year",
}
_IN_SCOPE3: Final = (
    "scope 3 held it before and one target covers all scopes: insourcing moves it between scopes, "
    "the sum stays"
)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A reason to recalculate, and by how much it moves the base year.

    Attributes:
        id: entry behind it.
        kind: a boundary event, or what was improved, wrong or added.
        cause: as printed in the waterfall.
        change_t: restated less reported, of the base year [t]; ``None`` where it is not known.
        in_scope3_before: of an insourcing, whether scope 3 held the activity already.
        from_calc: calculation that the change is counted from, where it is a difference of two.
        to_calc: calculation that it is counted to.
    """

    id: str
    kind: TriggerKind
    cause: str
    change_t: Decimal | None
    in_scope3_before: bool = False
    from_calc: str | None = None
    to_calc: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of the waterfall: a cause, what it changes, and the level after it [t]."""

    cause: str
    change_t: Decimal
    level_t: Decimal


@dataclass(frozen=True, slots=True)
class Restated:
    """What the triggers come to, against the threshold.

    Attributes:
        reported_t: base year as reported.
        restated_t: base year with every trigger that counts.
        net_frac: absolute value of the net change over reported: what the threshold is held to.
        gross_frac: sum of absolute changes over reported: printed beside.
        threshold_frac: from which on the base year is recalculated.
        verdict: recalculated, pending (below the threshold), refused (no trigger counts) or open
            (what counts has no known size).
        waterfall: from reported to restated, by cause.
        refused: trigger id -> why it is none.
        open_ids: triggers whose size is not known.
    """

    reported_t: Decimal
    restated_t: Decimal
    net_frac: Decimal
    gross_frac: Decimal
    threshold_frac: Decimal
    verdict: Verdict
    waterfall: tuple[Step, ...]
    refused: Mapping[str, str]
    open_ids: tuple[str, ...]

    @property
    def base_year_t(self) -> Decimal:
        """Base year that holds from now on: restated only where it is recalculated."""
        return self.restated_t if self.verdict == "recalculated" else self.reported_t

    def lines(self) -> list[str]:
        """As a reader sees it: as reported, by cause, as restated."""
        change = units.EXACT.subtract(self.restated_t, self.reported_t)
        return [
            f"as reported {self.reported_t:f} t",
            *(f"  {s.cause}: {s.change_t:+f} t, {s.level_t:f} t" for s in self.waterfall),
            f"as restated {self.restated_t:f} t ({_signed(change, self.net_frac):+.1%} net, "
            f"{self.gross_frac:.1%} gross; threshold {self.threshold_frac:.1%}): {self.verdict}",
            *(f"  {name} is no trigger: {why}" for name, why in self.refused.items()),
            *(f"  {name}: size not known, left open" for name in self.open_ids),
        ]


class Restatement(Config):
    """A trigger that was held against the threshold, with what came of it.

    Those with the verdict ``pending`` count again with the next trigger of the series.
    """

    entity: Text
    book: Text  # the books of the series, as S1+S2-LB
    base_year: int
    series_version: int = Field(ge=1)  # one more with every recalculation
    calcs: tuple[Text, ...] = Field(min_length=1, strict=False)  # the base year as reported
    trigger: TriggerKind
    cause: Text
    boundary_event: Text | None = None
    change_t: Exact | None = None
    from_calc: Text | None = None  # the change is to_calc less from_calc
    to_calc: Text | None = None
    reported_t: Exact = Field(gt=0)
    restated_t: Exact
    threshold_frac: Exact = Field(gt=0, lt=1)
    one_target_for_all_scopes: bool
    verdict: Verdict
    approver: Text


def trigger_of(entry_id: str, event: BoundaryEvent) -> Trigger:
    """The trigger of a boundary event: plus or minus its emissions of the base year."""
    size = event.base_year_t
    if size is not None and event.event in ORGANIC:
        size = Decimal(0)
    if size is not None and event.event not in ADDS:
        size = -size
    cause = f"{event.what} {event.event} {event.effective}"
    return Trigger(entry_id, event.event, cause, size, bool(event.in_scope3_before))


def pending(restatements: Iterable[tuple[str, Restatement]]) -> tuple[Trigger, ...]:
    """Triggers of one series that wait for the threshold, from its restatements in order.

    Args:
        restatements: entry id and payload, of one entity, base year and set of books.
    """
    waiting: dict[str, Trigger] = {}
    for name, one in restatements:
        if one.verdict == "recalculated":
            waiting = {key: was for key, was in waiting.items() if was.change_t is None}
        elif one.verdict in ("pending", "open"):
            key = one.boundary_event or name  # its size may be known by now
            waiting[key] = Trigger(key, one.trigger, one.cause, one.change_t)
    return tuple(waiting.values())


def restate(
    reported_t: Decimal,
    triggers: Sequence[Trigger],
    *,
    threshold_frac: Decimal,
    one_target_for_all_scopes: bool,
) -> Restated:
    """Pending triggers held against the threshold, upwards and downwards alike.

    Args:
        reported_t: base year as it stands [t].
        triggers: all that are pending, oldest first; each counts once.
        threshold_frac: share of the base year from which on it is recalculated.
        one_target_for_all_scopes: whether one target covers scopes 1, 2 and 3.

    Raises:
        InputError: a base year that is not above zero, a threshold outside 0 to 1, or a trigger
            given twice.
    """
    _check(reported_t, triggers, threshold_frac)
    exact = units.EXACT
    refused: dict[str, str] = {}
    open_ids: list[str] = []
    steps: list[Step] = []
    level, gross = reported_t, Decimal(0)
    for trigger in triggers:
        reason = _reason(trigger, one_target_for_all_scopes)
        if reason:
            refused[trigger.id] = reason
        elif trigger.change_t is None:
            open_ids.append(trigger.id)
        else:
            level = exact.add(level, trigger.change_t)
            gross = exact.add(gross, trigger.change_t.copy_abs())
            steps.append(Step(trigger.cause, trigger.change_t, level))
    net_frac = exact.divide(exact.subtract(level, reported_t).copy_abs(), reported_t)
    verdict: Verdict
    if steps:
        verdict = "recalculated" if net_frac >= threshold_frac else "pending"
    else:
        verdict = "open" if open_ids else "refused"
    return Restated(
        reported_t,
        level,
        net_frac,
        exact.divide(gross, reported_t),
        threshold_frac,
        verdict,
        tuple(steps),
        refused,
        tuple(open_ids),
    )


def _reason(trigger: Trigger, one_target: bool) -> str:
    if trigger.kind == "insourced" and trigger.in_scope3_before and one_target:
        return _IN_SCOPE3
    return _REFUSED.get(trigger.kind, "")


def _check(reported_t: Decimal, triggers: Sequence[Trigger], threshold_frac: Decimal) -> None:
    if not reported_t.is_finite() or reported_t <= 0:
        raise InputError(f"a base year of {reported_t} t has no share to compare with")
    if not threshold_frac.is_finite() or not 0 < threshold_frac < 1:
        raise InputError(f"a threshold of {threshold_frac} is none; write e.g. 0.05 for 5 %")
    for trigger in triggers:
        if trigger.change_t is not None and not trigger.change_t.is_finite():
            raise InputError(f"{trigger.id}: a change of {trigger.change_t} t is no number")
    names = [trigger.id for trigger in triggers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{', '.join(twice)}: given twice; a trigger counts once")


def _signed(change: Decimal, size: Decimal) -> Decimal:
    return size.copy_sign(change)
