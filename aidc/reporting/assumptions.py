"""What a result hangs on: every assumption with the verdict at its low and its high end."""

from dataclasses import dataclass


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
