"""What others say against what the ledger says: bill and meter, registry and lots, report and calculation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from aidc.config import nearest
from aidc.errors import LedgerError
from aidc.ledger.checks.assertion import Assertion
from aidc.ledger.checks.published import printed
from aidc.ledger.journal import units
from aidc.ledger.journal.names import plain
from aidc.ledger.journal.payloads import Calc, ReportedFigure
from aidc.ledger.journal.periods import span_text
from aidc.ledger.journal.readings import Readings
from aidc.ledger.reports.sheet import NOT_ASSESSED, Amount, Row, Sheet

_G_PER_KG: Final = 1000


@dataclass(frozen=True, slots=True)
class Comparison:
    """A statement of others beside the ledger's.

    Attributes:
        stated: as the document says; of a figure, as published.
        ledger: what the ledger says; ``None`` where it has nothing to say, with the reason.
        low: least value of the ledger that is within tolerance.
        high: largest.
    """

    entry_id: str
    assertion: Assertion
    unit: str
    stated: Decimal
    ledger: Decimal | None
    low: Decimal
    high: Decimal
    reason: str
    sources: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether both agree within the tolerance."""
        return self.ledger is not None and self.low <= self.ledger <= self.high

    @property
    def verdict(self) -> str:
        """In words."""
        if self.ledger is None:
            return f"not compared: {self.reason}"
        return "agrees" if self.holds else "differs"


def comparisons(
    readings: Readings, entity: str, period: tuple[datetime, datetime]
) -> Iterator[Comparison]:
    """Every assertion of an entity inside a period against the ledger, in order of posting."""
    for name, assertion in readings.register.of(Assertion).items():
        entry = readings.register.versions(name)[-1]  # what superseded it, where anything did
        inside = period[0] <= entry.valid_from and entry.valid_to <= period[1]
        if assertion.entity == entity and inside:
            yield _compared(readings, entry.id, assertion, (entry.valid_from, entry.valid_to))


def _compared(
    readings: Readings, name: str, assertion: Assertion, period: tuple[datetime, datetime]
) -> Comparison:
    if assertion.about == "figure":
        return _figure(readings, name, assertion)
    stated, unit = Decimal(assertion.stated or 0), str(assertion.unit)
    scale = units.ratio(unit)
    sources: tuple[str, ...] = ()
    ledger: Decimal | None = None
    reason = ""
    try:
        found, sources = (
            _metered(readings, assertion.subject, period, units.base_unit(unit))
            if assertion.about == "bill"
            else _retired(readings, assertion, period)
        )
        ledger = units.EXACT.divide(Decimal(found * scale.denominator), Decimal(scale.numerator))
    except LedgerError as error:
        reason = str(error)
    slack = units.EXACT.multiply(stated, assertion.tolerance_frac)
    return Comparison(
        name, assertion, unit, stated, ledger, stated - slack, stated + slack, reason, sources
    )


def _metered(
    readings: Readings, meter: str, period: tuple[datetime, datetime], base: str
) -> tuple[int, tuple[str, ...]]:
    key = readings.register.key(meter)
    if key not in readings.register.meters:
        raise LedgerError(f"no meter '{meter}'{nearest(meter, readings.register.meters)}")
    in_own = readings.register.meters[key].unit == base  # a bill of fuel in m3, or in its energy
    counts = readings.as_billed(key, period) if in_own else readings.counts(key, period)
    return counts.total, counts.used


def _retired(
    readings: Readings, assertion: Assertion, period: tuple[datetime, datetime]
) -> tuple[int, tuple[str, ...]]:
    """Wh or g that the entity retired in a registry within the period and that stand at its end."""
    held = readings.register.lots.until(period[1])
    subject = plain(assertion.subject)
    if subject not in readings.register.registries:
        raise LedgerError(f"no lot of the registry '{assertion.subject}'")
    counted = units.base_unit(str(assertion.unit))  # certificates in Wh, credits by mass
    total, used = 0, []
    for holding, record, parts in held.retired(assertion.entity):  # what is void is left out
        of_account = (holding.lot.unit == "Wh") == (counted == "Wh")
        mine = of_account and plain(holding.lot.registry) == subject
        if mine and period[0] <= record.at:
            kept = sum(part.amount for part in parts)
            total += kept * (_G_PER_KG if holding.lot.unit == "kg" else 1)
            used.append(record.entry_id)
    return total, tuple(used)


def _figure(readings: Readings, name: str, assertion: Assertion) -> Comparison:
    register = readings.register
    figure = register.of(ReportedFigure).get(register.key(assertion.subject))
    calc = register.of(Calc).get(str(assertion.against))
    if figure is None or calc is None:
        missing = assertion.subject if figure is None else assertion.against
        zero = Decimal(0)
        return Comparison(name, assertion, "", zero, None, zero, zero, f"no entry '{missing}'", ())
    allowed = printed(figure.value, figure.decimals)
    slack = units.EXACT.multiply(figure.value.copy_abs(), assertion.tolerance_frac)
    return Comparison(
        name,
        assertion,
        figure.unit,
        figure.value,
        calc.total_t,
        allowed.low - slack,
        allowed.high + slack,
        "",
        (assertion.subject, str(assertion.against)),
    )


def reconciliation_sheet(found: tuple[Comparison, ...]) -> Sheet:
    """Meter, bill, registry, ledger and report beside each other; nothing is adjusted."""
    columns = ("stated", "ledger", "difference", "verdict")
    rows = []
    for one in found:
        difference = None if one.ledger is None else units.EXACT.subtract(one.ledger, one.stated)
        note = f"{one.assertion.document}; tolerance {one.assertion.tolerance_frac:.2%}"
        cells = {
            "stated": Amount(one.stated, one.unit, "", note, (one.entry_id,)),
            "ledger": Amount(one.ledger, one.unit, NOT_ASSESSED, one.reason, one.sources),
            "difference": Amount(difference, one.unit, NOT_ASSESSED),
            "verdict": Amount(None, "", one.verdict),
        }
        rows.append(Row(one.entry_id, (one.assertion.about, one.assertion.subject), cells))
    return Sheet(
        "reconciliation",
        "Reconciliation",
        ("document", "of"),
        columns,
        tuple(rows),
        3,
        ("differences are shown, never adjusted",),
    )


def told(one: Comparison, period: tuple[datetime, datetime], zone: str) -> str:
    """A comparison in a sentence, with the days of a zone."""
    return (
        f"{one.assertion.document} states {one.stated:f} {one.unit} of {one.assertion.subject} for "
        f"{span_text(period, zone)}; the ledger has {one.ledger if one.ledger is None else format(one.ledger, 'f')}"
    )
