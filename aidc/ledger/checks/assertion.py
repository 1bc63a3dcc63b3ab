"""What somebody states of a meter, a registry's account or a published figure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from aidc.config import Config, nearest
from aidc.errors import InputError
from aidc.ledger.journal.fields import Exact, Text
from aidc.ledger.journal.names import plain
from aidc.ledger.journal.payloads import Calc, ReportedFigure
from aidc.ledger.journal.units import base_unit

if TYPE_CHECKING:
    from aidc.ledger.journal.register import Register


class Assertion(Config):
    """What somebody states of a meter, a registry's account or a published figure; the entry's valid time is the period.

    Attributes:
        about: ``bill`` of a meter, ``registry`` statement of retired certificates, or a published
            ``figure`` against a calculation.
        subject: id of the meter, name of the registry, or id of the reported figure.
        against: id of the calculation, of a figure.
        stated: what the document says; of a figure it stands in the figure's own entry.
        tolerance_frac: share of the stated value by which the ledger may differ.
    """

    entity: Text
    about: Literal["bill", "registry", "figure"]
    subject: Text
    against: Text | None = None
    stated: Exact | None = Field(default=None, ge=0)
    unit: Text | None = None
    tolerance_frac: Exact = Field(ge=0, lt=1)
    document: Text

    @model_validator(mode="after")
    def _holds(self) -> "Assertion":
        if (self.about == "figure") != (self.against is not None):
            raise ValueError("a figure, and nothing else, names the calculation it is held against")
        if (self.about == "figure") == (self.stated is not None):
            raise ValueError("a bill and a registry state a value; a figure's is in its own entry")
        if (self.stated is None) != (self.unit is None):
            raise ValueError("a stated value has its unit")
        return self


def assertion_faults(made: Assertion, register: "Register") -> Iterator[tuple[str, str]]:
    """What is wrong with an assertion that is posted: field and fault."""
    if made.about == "bill" and register.key(made.subject) not in register.meters:
        known = nearest(made.subject, register.meters)
        yield "payload.subject", f"unknown meter '{made.subject}'{known}"
    held = register.registries
    if made.about == "registry" and plain(made.subject) not in held:
        listed = ", ".join(held.values()) or "none: post its lots first"
        yield (
            "payload.subject",
            f"no lot of the registry '{made.subject}'{nearest(made.subject, held.values())}; "
            f"the subject is a registry's name as lots give it, there are {listed}",
        )
    if made.about == "figure":
        figures, calcs, against = register.of(ReportedFigure), register.of(Calc), str(made.against)
        if register.key(made.subject) not in figures:
            known = nearest(made.subject, figures)
            yield "payload.subject", f"unknown figure '{made.subject}'{known}"
        if against not in calcs:
            yield "payload.against", f"unknown calc '{against}'{nearest(against, calcs)}"
    if made.unit is not None:
        try:
            base_unit(made.unit)
        except InputError as error:
            yield "payload.unit", str(error)
