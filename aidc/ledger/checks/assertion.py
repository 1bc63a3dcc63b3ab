"""What somebody states of a meter, a registry's account or a published figure."""

from typing import Literal

from pydantic import Field, model_validator

from aidc.config import Config
from aidc.ledger.journal.fields import Exact, Text


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
