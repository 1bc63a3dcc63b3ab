"""Books that lots cover first: which Wh end in a certificate, a contract, a rate, or uncovered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from aidc.errors import BalanceError, InputError, LedgerError
from aidc.ledger.factors.policies import Policies, Selection
from aidc.ledger.factors.pricing import priced
from aidc.ledger.journal.payloads import LedgerSite
from aidc.ledger.journal.periods import years_in
from aidc.ledger.journal.register import Register
from aidc.ledger.journal.units import amount_text
from aidc.ledger.lots.holdings import Holdings
from aidc.ledger.lots.lot import Lot
from aidc.ledger.market.claims import (
    OWN_PV,
    TIERS,
    Claim,
    NotApplied,
    Use,
    applied,
    claims,
    not_applied,
    same_market,
    yearly_offers,
)
from aidc.ledger.market.electricity import SiteEnergy, YearEnergy, disclosures, kept_during
from aidc.ledger.market.ets import ETS, ets_uses
from aidc.ledger.market.hours import Hours, grid_by_hour, hourly_offers, is_coarse, reach_of
from aidc.ledger.market.matching import Matched, match
from aidc.ledger.market.notes import covered_wh, notes_of, one_rest
from aidc.ledger.statements.books import Rule
from aidc.ledger.statements.question import Question
from aidc.ledger.statements.statement import Cell


@dataclass(slots=True)
class MarketNotes:
    """Cells of a book with what it prints beside them."""

    cells: list[Cell] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    not_applied: tuple[NotApplied, ...] = ()


def market_cells(
    register: Register,
    policies: Policies,
    asked: Question,
    energies: Sequence[SiteEnergy],
    *,
    simulated: bool,
) -> MarketNotes:
    """Cells of all sites of an entity: a lot may serve several.

    Args:
        register: facts of the journal.
        policies: rules and terms.
        asked: the question; its book takes lots.
        energies: electricity of each site.
        simulated: whether the activity is simulated.

    Raises:
        LedgerError: planned lots beside measured activity, or own PV whose certificates moved on
            (D4), or two kinds of rest in one market (D10).
        InputError: no factor, or readings too coarse for an hourly book.
    """
    made = MarketNotes()
    if register.head is None or not energies:
        return made
    zone = register.head.zone
    work = _Market(register, policies, asked, energies, zone)
    held = held_at(register, asked, zone)
    given = tuple(claims(held, asked.entity, register.names_of(asked.entity)))
    refused: list[NotApplied] = []
    excess: dict[str, int] = {}
    profile_wh = planned_wh = 0
    for year, start, end in years_in(asked.period, zone):
        spans = [register.own_period(energy.key, (start, end)) for energy in energies]
        uses, passed = work.uses(given, reach_of(spans))
        refused.extend(passed)
        if not simulated and any(use.claim.lot.planned for use in uses):
            raise LedgerError("lots of a plan beside measured activity: retire issued ones")
        parts = [energy.year(*span) for energy, span in zip(energies, spans, strict=True)]
        matched = work.match(uses, parts, spans)
        for offer, over in zip(matched.offers, matched.excess_wh.tolist(), strict=True):
            if over:
                lot = uses[int(offer.name)].claim.holding.entry_id
                excess[lot] = excess.get(lot, 0) + over
        profile_wh += covered_wh(matched, uses, is_coarse)
        planned_wh += covered_wh(matched, uses, lambda use: use.claim.lot.planned)
        for row, (energy, part) in enumerate(zip(energies, parts, strict=True)):
            made.cells.extend(work.cells(row, energy, part, year, matched, uses, made.warnings))
    if planned_wh:
        made.warnings.append(
            f"{amount_text(planned_wh, 'Wh')} are covered by lots of a plan, which nobody owns yet"
        )
    made.not_applied = tuple(sorted(refused))
    made.notes = tuple(notes_of(asked.book, policies.market, made.cells, excess, profile_wh))
    one_rest(made.cells, energies)
    return made


def held_at(register: Register, asked: Question, zone: str) -> Holdings:
    """Lots as they were held at the end of the report date.

    Raises:
        LedgerError: certificates of own PV that counts as kept were moved on (D4).
    """
    day = datetime.combine(asked.report_date, time(), ZoneInfo(zone)) + timedelta(days=1)
    held = register.lots.until(day)
    for holding in held.lots.values():
        if holding.lot.meter is None:
            continue
        meter = register.meters[register.key(holding.lot.meter)]
        owner = register.sites[register.key(meter.site)].entity
        gone = [part for part in holding.parts if part.entity not in (None, owner)]
        if gone and kept_during(register, holding.lot.meter, holding.generated):
            raise LedgerError(
                f"D4: {holding.lot.meter} counts as kept, but its certificates {holding.entry_id} are "
                f"{gone[0].entity}'s by {gone[0].by}; post the meter again with attribute_kept false"
            )
    return held


@dataclass(frozen=True, slots=True)
class _Market:
    register: Register
    policies: Policies
    asked: Question
    energies: Sequence[SiteEnergy]
    zone: str

    def uses(
        self, given: Sequence[Claim], period: tuple[datetime, datetime]
    ) -> tuple[list[Use], list[NotApplied]]:
        """What the book applies in a year."""
        regions = {energy.key: energy.site.region for energy in self.energies}
        book = self.asked.book
        if book.name == ETS:
            return ets_uses(given, period, regions)
        uses, refused = applied(
            given,
            period=period,
            regions=regions,
            terms=self.policies.market,
            zone=self.zone,
            reaches=same_market if book.lots == "year" else self.delivers,
        )
        if book.lots == "year":
            return uses, refused
        if not self.policies.market.coarse_lots:
            for use in filter(is_coarse, uses):
                reason = "its interval is longer than one hour; it may serve the annual book"
                refused.append(not_applied(use.claim, "interval", reason))
        return [
            use for use in uses if self.policies.market.coarse_lots or not is_coarse(use)
        ], refused

    def delivers(self, lot: Lot, region: str) -> bool:
        """Whether a lot's zone is the region or holds it."""
        return lot.zone in self.policies.levels(region)

    def match(
        self,
        uses: Sequence[Use],
        parts: Sequence[YearEnergy],
        spans: Sequence[tuple[datetime, datetime]],
    ) -> Matched:
        """Lots against grid electricity: own PV comes first and has taken its part."""
        if self.asked.book.lots == "year":
            load = np.asarray([[part.grid_wh] for part in parts], np.int64)
            return match(load, yearly_offers(uses))
        hours = Hours.of(reach_of(spans))
        load = np.asarray(
            [
                grid_by_hour(energy, hours, span)
                for energy, span in zip(self.energies, spans, strict=True)
            ]
        )
        return match(load, hourly_offers(uses, hours, self.zone))

    def cells(
        self,
        row: int,
        energy: SiteEnergy,
        part: YearEnergy,
        year: int,
        matched: Matched,
        uses: Sequence[Use],
        warnings: list[str],
    ) -> Iterator[Cell]:
        """Cells of a site and year in the order of the hierarchy."""
        name = energy.site.name
        covered = list(_covered(row, name, year, matched, uses, self.register))
        rest = int(matched.uncovered_wh[row].sum())
        if part.own_wh:
            yield Cell(name, year, OWN_PV, part.own_wh, "Wh", None, 0, Decimal(0), part.own_sources)
        yield from covered
        rule, chosen = self.rest(energy.site, year)
        yield Cell(
            name,
            year,
            rule.tier,
            rest,
            "Wh",
            chosen.factor,
            chosen.lag_years,
            chosen.factor.tonnes(rest),
            part.grid_sources,
        )
        if rest + sum(cell.amount for cell in covered) != part.grid_wh:
            raise BalanceError(f"{self.asked.book.name}, {name}: tiers do not add up")
        warnings.extend(
            disclosures(
                rule.disclosure, energy.site, year, chosen.lag_years, chosen.level, part.sold_wh
            )
        )

    def rest(self, site: LedgerSite, year: int) -> tuple[Rule, Selection]:
        """What prices uncovered Wh: a residual mix where there is one, else the book's rule."""
        asked = self.asked
        return priced(
            self.policies,
            asked.book,
            self.register.grid.values(),
            site=site,
            activity_year=year,
            report_date=asked.report_date,
            reporting_year=asked.reporting_year(self.zone),
        )


def _covered(
    row: int, site: str, year: int, matched: Matched, uses: Sequence[Use], register: Register
) -> Iterator[Cell]:
    """A cell for each tier and factor, with the lots and moves that it rests on."""
    amounts: dict[tuple[int, str | None], int] = {}
    sources: dict[tuple[int, str | None], list[str]] = {}
    for offer, by_site in zip(matched.offers, matched.covered_wh, strict=True):
        wh = int(by_site[row])
        if wh:
            claim = uses[int(offer.name)].claim
            key = (offer.tier, claim.lot.factor)
            amounts[key] = amounts.get(key, 0) + wh
            sources.setdefault(key, []).extend((claim.holding.entry_id, claim.move_id))
    rates = register.grid
    for key in sorted(amounts, key=lambda key: (key[0], key[1] or "")):
        used = tuple(dict.fromkeys(sources[key]))
        factor = None if key[1] is None else rates.get(key[1])
        if factor is None and key[1] is not None:
            raise InputError(f"{used[0]} conveys {key[1]}, which no longer stands in this ledger")
        tonnes = Decimal(0) if factor is None else factor.tonnes(amounts[key])
        yield Cell(site, year, TIERS[key[0]], amounts[key], "Wh", factor, 0, tonnes, used)
