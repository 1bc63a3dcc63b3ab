"""KPIs that the ledger states beside emissions: PUE grades and the capital recovery factor."""

from decimal import Decimal
from typing import Final, Literal

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.errors import InputError
from aidc.ledger.fields import Exact

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


def crf(rate_frac: Decimal, years: int) -> Decimal:
    """Capital recovery factor: r (1+r)^n / ((1+r)^n - 1), and 1/n where r is 0.

    Raises:
        InputError: a negative rate, or a life under one year.

    Examples:
        >>> round(crf(Decimal("0.05"), 10), 7)
        Decimal('0.1295046')
    """
    if rate_frac < 0 or years < 1:
        raise InputError(f"a rate of {rate_frac} over {years} years has no recovery factor")
    if rate_frac == 0:
        return Decimal(1) / years
    growth = (1 + rate_frac) ** years
    return rate_frac * growth / (growth - 1)
