"""What joined and left the reporting boundary, and the version of the boundary that it makes."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from aidc.config import Config
from aidc.errors import LedgerError
from aidc.ledger.journal.canonical import plain_hash
from aidc.ledger.journal.fields import Day, Exact, Text
from aidc.ledger.journal.payloads import LedgerSite

Change = Literal[
    "opened", "closed", "acquired", "divested", "merged", "insourced", "outsourced"
]  # fmt: skip
ORGANIC: Final = ("opened", "closed")
ADDS: Final = ("acquired", "merged", "insourced")
JOINS: Final = ("opened", *ADDS)


class BoundaryEvent(Config):
    """A site or an activity that came into the boundary or left it.

    Its size is what it emitted **in the base year**: never what it emits in the year it moves.
    """

    entity: Text
    what: Text  # the site, company or activity
    event: Change
    effective: Day
    site: Text | None = None  # id of its entry, where it has one
    base_year: int | None = None
    base_year_t: Exact | None = Field(default=None, ge=0)  # not known: the size is left open
    in_scope3_before: bool | None = None  # of what is insourced: whether scope 3 held it already
    source: Text

    @model_validator(mode="after")
    def _holds(self) -> "BoundaryEvent":
        if (self.base_year_t is None) != (self.base_year is None):
            raise ValueError("base-year emissions need their base_year, and the year its emissions")
        if (self.event == "insourced") != (self.in_scope3_before is not None):
            raise ValueError("an insourcing, and nothing else, says in_scope3_before")
        return self


def boundary_version(sites: Mapping[str, LedgerSite], events: Mapping[str, BoundaryEvent]) -> str:
    """Hash of the sites and events inside the boundary: what a statement prints.

    Args:
        sites: by entry id, those of the reporting entity.
        events: by entry id, those of the reporting entity.
    """
    return plain_hash(
        {
            "sites": {key: site.model_dump(exclude_none=True) for key, site in sites.items()},
            "events": {key: event.model_dump(exclude_none=True) for key, event in events.items()},
        }
    )


def inside(
    events: Iterable[BoundaryEvent], period: tuple[datetime, datetime], zone: str
) -> tuple[datetime, datetime] | None:
    """The part of a period in which a site is inside the boundary; ``None``: not at all.

    Args:
        events: of the site.
        period: start and end.
        zone: days begin in it: a site joins, or has left, from the start of its effective day.

    Raises:
        LedgerError: it left and came back, which is two sites.
    """
    start, end = period
    left: BoundaryEvent | None = None
    for event in sorted(events, key=lambda one: one.effective):
        at = datetime.combine(event.effective, time(), ZoneInfo(zone))
        if event.event not in JOINS:
            left, end = event, min(end, at)
        elif left is None:
            start = max(start, at)
        else:
            raise LedgerError(
                f"{event.what} left the boundary on {left.effective} and joined it on {event.effective}: "
                "give what came back a site of its own"
            )
    return (start, end) if start < end else None


def boundary_notes(
    events: Iterable[BoundaryEvent], period: tuple[datetime, datetime], zone: str
) -> Iterator[str]:
    """What a statement says of sites that joined or left within its period."""
    for event in events:
        at = datetime.combine(event.effective, time(), ZoneInfo(zone))
        if event.site is not None and period[0] < at < period[1]:
            words = "from" if event.event in JOINS else "until"
            yield f"{event.what} is {event.event}: inside the boundary {words} {event.effective}"
