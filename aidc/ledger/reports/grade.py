"""Grades of a PUE, on the unrounded value of twelve months; limits are rows of models/pue_grades.csv."""

from decimal import Decimal
from typing import Final, Literal

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.errors import InputError
from aidc.ledger.journal.fields import Exact
from aidc.ledger.journal.payloads import ReportedFigure

FULL_YEAR_MONTHS: Final = 12


class GradeLimit(Config):
    """A row of models/pue_grades.csv."""

    name: str = Field(min_length=1)
    standard: str = Field(min_length=1)
    grade: int = Field(ge=1)
    limit_pue: Exact = Field(ge=1)
    status: Literal["source", "secondary", "to be confirmed"]
    source: str = Field(min_length=3)


def pue_grade(pue: Decimal, months: int) -> str:
    """Grade of GB 40879-2021 on the unrounded value; ``interim`` under twelve full months.

    Args:
        pue: facility energy over IT energy: a value, never a bound such as "below 1.3".
        months: full months it covers.

    Raises:
        InputError: below 1, which no energy balance gives.

    Examples:
        >>> pue_grade(Decimal("1.21"), 12), pue_grade(Decimal("1.21"), 11)
        ('grade 2', 'interim')
    """
    if pue < 1:
        raise InputError(f"a PUE of {pue} is below 1: facility energy holds the IT energy")
    if months < FULL_YEAR_MONTHS:
        return "interim"
    rows = catalog.table("pue_grades", GradeLimit).values()
    limits = sorted((row.limit_pue, row.grade) for row in rows)
    return next((f"grade {grade}" for limit, grade in limits if pue <= limit), "fails the limit")


def published_grade(figure: ReportedFigure, months: int) -> str:
    """Grade of a published PUE; a bound such as "below 1.3" has none, for any value may be behind it."""
    if figure.relation != "=":
        return f"no grade: PUE {figure.relation} {figure.value} is a bound"
    return pue_grade(figure.value, months)
