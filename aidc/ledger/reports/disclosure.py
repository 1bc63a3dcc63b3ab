"""The disclosure table: codes of the lists as data, each answered by the ledger or "not reported"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.ledger.journal import units
from aidc.ledger.journal.canonical import decimal_text
from aidc.ledger.journal.payloads import ReportedFigure
from aidc.ledger.reports.sheet import NOT_ASSESSED, NOT_REPORTED, Amount, Row, Sheet

Measures = Mapping[tuple[str, int], Amount]


class DisclosureRow(Config):
    """A row of models/disclosure.csv."""

    name: str = Field(min_length=1)
    hkex: str = Field(min_length=1)
    hkex_version: str = Field(min_length=1)
    gri: str | None = None
    gri_version: str | None = None
    content: str = Field(min_length=1)
    measure: str = Field(min_length=1)
    denominator: str | None = None
    unit: str | None = None
    status: Literal["source", "secondary", "to be confirmed", "assumed"]
    source: str = Field(min_length=3)


def published(figures: Mapping[str, ReportedFigure]) -> dict[tuple[str, int], Amount]:
    """Published figures as measures, each said to be no derivation.

    Args:
        figures: by entry id, of one entity.
    """
    return {
        (figure.quantity, figure.year): Amount(
            figure.value,
            figure.unit,
            "",
            f"as published{_relation(figure.relation)}, not derived: {figure.document}, {figure.table}",
            (name,),
        )
        for name, figure in figures.items()
    }


def _relation(relation: str) -> str:
    return "" if relation == "=" else f" ({relation})"


def disclosure_sheet(years: Sequence[int], derived: Measures, figures: Measures) -> Sheet:
    """A line for each code and measure, a column for each year.

    A measure is taken from the statements; where they have none, from what was published, and said
    so; where there is neither, the cell reads "not reported", never zero.

    Args:
        years: reporting years.
        derived: (measure, year) -> what statements, meters and key figures say.
        figures: (quantity, year) -> what was published, from `published`.
    """
    rows = catalog.table("disclosure", DisclosureRow).values()
    found = tuple(
        Row(
            row.name,
            (row.hkex, row.gri or "", row.content),
            {str(year): _cell(row, year, derived, figures) for year in years},
        )
        for row in rows
    )
    return Sheet(
        "disclosure",
        "Disclosure table",
        ("HKEX", "GRI", "content"),
        tuple(map(str, years)),
        found,
        1,
        tuple(_notes(rows)),
    )


def _cell(row: DisclosureRow, year: int, derived: Measures, figures: Measures) -> Amount:
    found = derived.get((row.measure, year))
    if found is None or found.text == NOT_ASSESSED:
        found = figures.get((row.measure, year), found)
    if found is None:
        return Amount(None, row.unit or "", NOT_REPORTED)
    if row.denominator is None or found.value is None:
        return found
    under = figures.get((row.denominator, year))
    if under is None or not under.value:
        return Amount(None, row.unit or "", NOT_REPORTED, f"{row.denominator} is not in the ledger")
    return replace(
        found,
        value=units.EXACT.divide(found.value, under.value),
        unit=row.unit or "",
        note=f"over {decimal_text(under.value)} {row.denominator}",
        sources=(*found.sources, *under.sources),
    )


def _notes(rows: Iterable[DisclosureRow]) -> list[str]:
    hkex = sorted({row.hkex_version for row in rows})
    gri = sorted({row.gri_version for row in rows if row.gri_version})
    return [
        f"HKEX: {', '.join(hkex)}. GRI: {', '.join(gri)}. How the two lists pair is assumed.",
        'What is not in the ledger is "not reported": it is no zero.',
    ]
