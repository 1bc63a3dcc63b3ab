"""What a result hangs on: every assumption with the verdict at its low and its high end."""

from dataclasses import dataclass
from typing import Final

NOT_RUN: Final = "not run"


@dataclass(frozen=True, slots=True)
class AssumptionVerdict:
    """One assumption and what the verdict becomes at both of its ends.

    Attributes:
        name, unit: what is assumed.
        value, low, high: as written in ``models/assumed.csv`` or in the scenario.
        why: why it is assumed.
        source: what the value rests on.
        measure: what the verdicts are, with the days they hold for.
        at_value, at_low, at_high: the saving as a fraction; None where it was not run.
        reason: why a verdict is missing; empty where all are there.
    """

    name: str
    unit: str
    value: str
    low: str
    high: str
    why: str
    source: str
    measure: str
    at_value: float | None
    at_low: float | None
    at_high: float | None
    reason: str = ""

    @property
    def turns_the_verdict(self) -> bool:
        """Whether one end has the other sign."""
        ends = [end for end in (self.at_value, self.at_low, self.at_high) if end is not None]
        return bool(ends) and min(ends) < 0 < max(ends)
