"""From traces to books: every run is posted to one ledger, and each book is closed for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from aidc import __version__
from aidc.ledger import Ledger, Pathway, Statement, post_trace, project, reported_years
from aidc.ledger.journal.periods import years_in
from aidc.ledger.lots.planned import planned_entries
from aidc.scenario import Scenario


class Metered(Protocol):
    """What the ledger needs of a run: a `Trace`, or one read back from its folder."""

    @property
    def variant(self) -> str:
        """Name of the run."""

    @property
    def scenario(self) -> Scenario:
        """What was run."""

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""

    def site(self, name: str) -> pd.DataFrame:
        """Rows of one site."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the runs of a scenario come to.

    Attributes:
        ledger: journal in memory with every run as an entity of its own.
        statements: by run and book.
        pathway: the projection; None where the scenario has none.
        pathway_reason: why there is none.
    """

    ledger: Ledger
    statements: Mapping[str, Mapping[str, Statement]]
    pathway: Pathway | None
    pathway_reason: str

    def save(self, folder: Path) -> None:
        """Writes ``ledger.db`` and its export ``ledger.jsonl``."""
        self.ledger.save_as(folder / "ledger.db")
        self.ledger.export(folder / "ledger.jsonl")


def books_of(*traces: Metered) -> Books:
    """Books of one or more runs of a scenario.

    ``recorded_at`` is the scenario's end, so that the same run gives the same bytes.

    Raises:
        InputError: no factor for a region and year by the report date.
        LedgerError: the books would not add up.
    """
    scenario = traces[0].scenario
    zone = next(iter(scenario.sites.values())).site.zone
    at = scenario.end
    ledger = Ledger.init(":memory:", ledger_id=scenario.name, zone=zone, recorded_at=at)
    statements: dict[str, dict[str, Statement]] = {}
    for trace in traces:
        for name, choice in scenario.sites.items():
            post_trace(
                ledger,
                trace.site(name),
                entity=trace.variant,
                site=name,
                region=choice.grid.location,
                zone=choice.site.zone,
                step_h=trace.step_h,
                attribute_kept=True,
                fuel=None if choice.site.backup is None else choice.site.backup.generator.fuel,
                recorded_at=at,
            )
        _post_lots(ledger, scenario, trace.variant)
        drawn = ledger.draw_up(
            scenario.ledger.books,
            entity=trace.variant,
            period=(scenario.start, scenario.end),
            report_date=scenario.ledger.report_date,
            recorded_at=at,
            code_version=__version__,
        )
        statements[trace.variant] = {statement.book: statement for statement in drawn}
    pathway, reason = pathway_of(scenario)
    return Books(ledger, statements, pathway, reason)


def _post_lots(ledger: Ledger, scenario: Scenario, entity: str) -> None:
    """Instruments that the scenario counts on, retired for a run at its end."""
    years = list(years_in((scenario.start, scenario.end), ledger.zone))
    for number, lot in enumerate(scenario.ledger.lots):
        entries = planned_entries(lot, number=number, entity=entity, years=years)
        ledger.post(entries, recorded_at=scenario.end, role="planner")


def pathway_of(scenario: Scenario) -> tuple[Pathway | None, str]:
    """The projection of a scenario's pathway block, or why there is none."""
    if scenario.pathway is None:
        return None, "the scenario has no pathway block"
    return project(scenario.pathway, reported_years()), ""
