"""What a check looks at, and what it says when it trips."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from aidc.ledger.checks.double_counting import Trip
from aidc.ledger.journal import canonical
from aidc.ledger.journal.chain import Line
from aidc.ledger.journal.readings import Readings
from aidc.ledger.statements.statement import Statement

Severity = Literal["E", "W"]
_HAS_HASH: Final = b'"sha256":'


@dataclass(frozen=True, slots=True)
class EvidenceUse:
    """An entry that rests on a document whose bytes are known."""

    entry_id: str
    kind: str
    subject: str  # meter or site that it speaks of, where there is one
    valid_from: str
    valid_to: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the checks are run over.

    Attributes:
        readings: the journal.
        entity: whose inventory.
        period: which part of it.
        statements: by book; checks of statements look at these alone.
        evidence: documents behind entries, from `evidence_uses`.
        vintage_before_months: how long before the year of consumption generation may begin.
        vintage_after_months: how long after it generation may end.
        balance_frac: share of its inflow by which the metered balance of a site may be open.
        added_back_t: tonnes of sold credits added back, by id of the move that sold them.
    """

    readings: Readings
    entity: str
    period: tuple[datetime, datetime]
    statements: Mapping[str, Statement]
    evidence: tuple[EvidenceUse, ...]
    vintage_before_months: int
    vintage_after_months: int
    balance_frac: Decimal
    added_back_t: Mapping[str, Decimal]

    @property
    def zone(self) -> str:
        """Zone of calendar periods."""
        head = self.readings.register.head
        return "UTC" if head is None else head.zone


@dataclass(frozen=True, slots=True)
class Check:
    """A check: E stops a statement, W is printed on it."""

    id: str
    severity: Severity
    sentence: str
    run: Callable[[Inspection], Iterable[Trip]]


def evidence_uses(lines: Iterable[Line]) -> Iterator[EvidenceUse]:
    """Documents behind the entries of a journal; bodies without a hash of evidence are not parsed."""
    for line in lines:
        if _HAS_HASH not in line.body:
            continue
        body: Mapping[str, Any] = canonical.read(line.body)
        payload = body["payload"]
        for one in body.get("evidence", ()):
            if "sha256" in one:
                yield EvidenceUse(
                    body["id"],
                    body["kind"],
                    str(payload.get("meter") or payload.get("site") or ""),
                    body["valid_from"],
                    body["valid_to"],
                    one["sha256"],
                )
