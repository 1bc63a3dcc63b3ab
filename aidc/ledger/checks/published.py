"""Published against derived: the interval that printed decimals allow. Nothing is ever adjusted."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from aidc.ledger.journal import units
from aidc.ledger.journal.payloads import ReportedFigure

Verdict = Literal["inside", "outside", "kept", "broken", "not derived"]
Basis = Literal["derived", "input", "solved for"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Values that round to a printed one."""

    low: Decimal
    high: Decimal

    def holds(self, value: Decimal) -> bool:
        """Whether a value lies inside, edges included."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A published figure beside the derived one.

    Attributes:
        basis: ``input`` where an activity was entered from this very figure, ``solved for`` where an
            activity was estimated so that the figure comes out: agreement is then no evidence.
    """

    quantity: str
    year: int
    unit: str
    relation: str
    published: Decimal
    interval: Interval
    derived: Decimal | None
    difference: Decimal | None  # derived minus published
    verdict: Verdict
    basis: Basis = "derived"

    @property
    def said(self) -> str:
        """The verdict as printed: a figure that was put in does not confirm itself."""
        return self.basis if self.verdict == "inside" and self.basis != "derived" else self.verdict


def printed(value: Decimal, decimals: int) -> Interval:
    """Values that round to what was printed.

    Examples:
        >>> printed(Decimal("30404.0"), 1)
        Interval(low=Decimal('30403.95'), high=Decimal('30404.05'))
    """
    half = Decimal(5).scaleb(-decimals - 1)
    return Interval(value - half, value + half)


def quotient(over: Interval, under: Interval) -> Interval:
    """Where the quotient of two printed figures lies; both positive."""
    return Interval(
        units.EXACT.divide(over.low, under.high), units.EXACT.divide(over.high, under.low)
    )


def figure_locator(figure: ReportedFigure) -> str:
    """How an entry cites a published figure as the evidence that it was entered from."""
    return f"{figure.document}, {figure.table}, {figure.quantity} {figure.year}"


def reconciled(
    figure: ReportedFigure, derived: Decimal | None, basis: Basis = "derived"
) -> Reconciled:
    """A published figure against a derived value; a bound is kept or broken."""
    interval = printed(figure.value, figure.decimals)
    verdict: Verdict
    if derived is None:
        verdict = "not derived"
    elif figure.relation in ("<", ">"):
        kept = derived < figure.value if figure.relation == "<" else derived > figure.value
        verdict = "kept" if kept else "broken"
    else:
        verdict = "inside" if interval.holds(derived) else "outside"
    return Reconciled(
        figure.quantity,
        figure.year,
        figure.unit,
        figure.relation,
        figure.value,
        interval,
        derived,
        None if derived is None else derived - figure.value,
        verdict,
        basis,
    )
