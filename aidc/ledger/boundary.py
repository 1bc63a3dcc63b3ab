"""What joined and left the reporting boundary, and the version of the boundary that it makes."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, model_validator

from aidc.config import Config
from aidc.ledger.canonical import plain_hash
from aidc.ledger.fields import Day, Exact, Text
from aidc.ledger.payloads import LedgerSite

Change = Literal[
    "opened", "closed", "acquired", "divested", "merged", "insourced", "outsourced"
]  # fmt: skip
ORGANIC: Final = ("opened", "closed")
ADDS: Final = ("acquired", "merged", "insourced")


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
