"""The eight quality criteria that a certificate, contract or rate meets before it is applied.

References:
    GHG Protocol, Scope 2 Guidance, table 7.1 (secondary).
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from aidc.config import Config
from aidc.ledger.journal.fields import Text

Qc = Literal["QC1", "QC2", "QC3", "QC4", "QC5", "QC6", "QC7", "QC8"]
QUESTIONS: Final[Mapping[Qc, str]] = {
    "QC1": "conveys the direct emission rate",
    "QC2": "is the only instrument with that claim",
    "QC3": "is tracked, and retired by or for the reporter",
    "QC4": "its vintage is as close as possible to the period",
    "QC5": "comes from the same market as the consumption",
    "QC6": "the utility rate is computed on the electricity delivered",
    "QC7": "the contract transfers its claims to the reporter only",
    "QC8": "a residual mix is available, or its absence is disclosed",
}
BESIDE_THE_POINT_BUT_FOR: Final[Mapping[Qc, str]] = {"QC6": "supplier_rate", "QC7": "ppa"}


class Criterion(Config):
    """Answer to one criterion, and what shows it."""

    answer: Literal["yes", "no", "not_applicable"]
    evidence: Text


Criteria = Mapping[Qc, Criterion]


def criteria_faults(criteria: Criteria, lot_type: str) -> list[str]:
    """What is missing: each of the eight is answered, and only QC6 and QC7 can be beside the point.

    Args:
        criteria: the answers.
        lot_type: a utility rate answers QC6, a contract QC7.
    """
    faults = [
        f"criterion {qc} ({QUESTIONS[qc]}) has no answer" for qc in QUESTIONS if qc not in criteria
    ]
    for qc, given in criteria.items():
        beside = BESIDE_THE_POINT_BUT_FOR.get(qc, lot_type) != lot_type
        if given.answer == "not_applicable" and not beside:
            faults.append(f"criterion {qc} ({QUESTIONS[qc]}) applies to a {lot_type}: yes or no")
    return faults


def unmet(criteria: Criteria) -> tuple[tuple[Qc, str], ...]:
    """Criteria answered with no, in order, with the evidence."""
    return tuple(
        (qc, f"{QUESTIONS[qc]}: no, {criteria[qc].evidence}")
        for qc in get_args(Qc)
        if criteria[qc].answer == "no"
    )
