"""From the journal's facts and counts to a statement: which Wh end in which tier, at which factor."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from aidc.errors import InputError, LedgerError
from aidc.ledger.factors.policies import Policies
from aidc.ledger.factors.pricing import priced
from aidc.ledger.factors.rows import FuelFactor, GridFactor
from aidc.ledger.journal import units
from aidc.ledger.journal.counts import Counts
from aidc.ledger.journal.fields import base_unit_of
from aidc.ledger.journal.payloads import LedgerSite
from aidc.ledger.journal.periods import span_text, years_in
from aidc.ledger.journal.readings import Readings
from aidc.ledger.journal.register import Register
from aidc.ledger.market.book import MarketNotes, held_at, market_cells
from aidc.ledger.market.claims import OWN_PV
from aidc.ledger.market.electricity import disclosures, site_energy
from aidc.ledger.restatement.boundary import boundary_notes, boundary_version
from aidc.ledger.scopes.scope1_cells import scope1_cells
from aidc.ledger.scopes.scope3_cells import activity_cells, category_2_cells, category_3_cells
from aidc.ledger.statements.books import Book
from aidc.ledger.statements.place import Place
from aidc.ledger.statements.question import Question
from aidc.ledger.statements.statement import Cell, Statement


@dataclass(slots=True)
class _Work:
    """One statement in the making."""

    readings: Readings
    policies: Policies
    asked: Question
    amounts: dict[str, dict[str, int]] = field(default_factory=dict)  # by unit and quality
    methods: dict[str, None] = field(default_factory=dict)  # of what was counted, in order
    estimates: dict[str, None] = field(default_factory=dict)  # each with its site and method
    warnings: list[str] = field(default_factory=list)

    @property
    def qualities(self) -> set[str]:
        """Qualities of all that was read."""
        return {quality for of_unit in self.amounts.values() for quality in of_unit}

    def estimated_frac(self) -> Decimal:
        """Share that is estimated, of the unit where it is largest: Wh and grams never add up."""
        shares = [
            units.EXACT.divide(Decimal(of_unit.get("estimated", 0)), Decimal(whole))
            for of_unit in self.amounts.values()
            if (whole := sum(of_unit.values()))
        ]
        return max(shares, default=Decimal(0))

    def counts(self, meter: str) -> Counts:
        """Counts of a meter over the period, which they cover without a gap."""
        found, register = self.readings.counts(meter, self.asked.period), self.readings.register
        held = register.meters[meter]
        for quality, amount in found.by_quality().items():
            of_unit = self.amounts.setdefault(base_unit_of(held.stream), {})
            of_unit[quality] = of_unit.get(quality, 0) + amount
        for number in np.unique(found.source).tolist():
            source, quality = found.sources[number], found.qualities[number]
            if source not in found.methods:
                continue
            if quality == "estimated":
                site = register.sites[register.key(held.site)].name
                self.estimates[f"{site}: {meter} is estimated, {found.methods[source]}"] = None
            else:
                self.methods[f"{meter}: {quality}, {found.methods[source]}"] = None
        for content in self.readings.heat_contents(meter, found):
            text = f"{meter}: {content.value} {content.unit}, {content.source}"
            self.methods[text] = None
        return found


def derive(readings: Readings, policies: Policies, asked: Question, head: str) -> Statement:
    """The statement of a book from what is registered.

    Raises:
        InputError: unknown entity, or a factor that is not there.
        LedgerError: a gap, simulated data beside measured, or own PV at zero whose certificates
            moved on (D4).
    """
    register, book = readings.register, asked.book
    sites = register.sites_of(asked.entity)
    if register.head is None or not sites:
        listed = ", ".join(sorted({site.entity for site in register.sites.values()})) or "none"
        raise InputError(f"no entity '{asked.entity}' in this ledger; it has {listed}")
    work = _Work(readings, policies, asked)
    zone = register.head.zone
    cells: list[Cell] = []
    market = MarketNotes()
    if book.lots is not None:
        energies = [
            site_energy(register, work.counts, key, site)
            for key, site in sites.items()
            if book.holds(site.region)
        ]
        market = market_cells(
            register, policies, asked, energies, simulated="simulated" in work.qualities
        )
        cells.extend(market.cells)
        work.warnings.extend(market.warnings)
    else:
        for key, site in sites.items():
            if book.scope == 2:
                cells.extend(_grid_cells(work, key, site, zone))
            else:
                cells.extend(_cells_of(book)(_place(work, key, site, zone)))
        if any(cell.tier == OWN_PV for cell in cells):
            held_at(register, asked, zone)  # D4: at zero only while its certificates are kept
    here = [site for key, site in sites.items() if register.inside(key, asked.period) is not None]
    if not here:
        cells = []
    assessed = bool(cells)
    if not assessed:
        why = "no site has a meter for it" if here else "no site is inside the boundary then"
        work.warnings.append(f"{book.name} is not assessed: {why}; this is not a zero")
    elif book.scope == 1:
        met = {cell.site for cell in cells}
        bare = [site.name for site in here if site.name not in met]
        if bare:
            listed = ", ".join(bare)
            work.warnings.append(
                f"{book.name} is not assessed at {listed}: no meter; this is not a zero"
            )
    notes = boundary_notes(register.events_of(asked.entity).values(), asked.period, zone)
    work.warnings.extend(notes)
    qualities = work.qualities
    if "simulated" in qualities and len(qualities) > 1:
        raise LedgerError(
            f"simulated data beside {', '.join(sorted(set(qualities) - {'simulated'}))}: "
            "one statement never mixes them; give the simulation an entity of its own"
        )
    gases = sorted({gas for cell in cells if (gas := _counted_gas(book, cell))}) or ["CO2"]
    if len(gases) > 1:
        work.warnings.append(_mixed(book, cells, gases))
    return Statement(
        book.name,
        asked.entity,
        asked.period,
        asked.report_date,
        asked.known_on,
        tuple(cells),
        policies.digest(book),
        work.estimated_frac(),
        "simulated" in qualities,
        assessed,
        tuple(_by_sites([*work.warnings, *work.estimates], [s.name for s in sites.values()])),
        head,
        "CO2 only" if gases == ["CO2"] else " and ".join(gases),
        register.upto,
        boundary_version(sites, register.events_of(asked.entity)),
        (*_left_out(book, sites.values()), *_calendars(register, sites, asked), *market.notes),
        market.not_applied,
        tuple(work.methods),
    )


def _left_out(book: Book, sites: Iterable[LedgerSite]) -> Iterator[str]:
    """Sites that a book of one place does not hold."""
    apart = [f"{site.name} ({site.region})" for site in sites if not book.holds(site.region)]
    if apart:
        yield f"{book.name} holds sites in {book.place} alone; not in it: {', '.join(apart)}"


def _calendars(
    register: Register, sites: Mapping[str, LedgerSite], asked: Question
) -> Iterator[str]:
    """Which sites count the period's days in a zone of their own."""
    for key, site in sites.items():
        own = register.own_period(key, asked.period)
        if own != asked.period:
            yield f"{site.name} counts its own days: {span_text(own, site.zone)}"


def _by_sites(warnings: list[str], names: list[str]) -> list[str]:
    """Warnings once each; what is said of several sites names them in one line."""
    of: dict[str, list[str]] = {}
    for text in dict.fromkeys(warnings):
        name, _, rest = text.partition(": ")
        if name in names:
            of.setdefault(rest, []).append(name)
        else:
            of.setdefault(text, [])
    return [f"{', '.join(held)}: {text}" if held else text for text, held in of.items()]


def _counted_gas(book: Book, cell: Cell) -> str | None:
    """What the tonnes of a cell are; None where there are none to speak of."""
    if book.scope == 3:
        return "CO2e"
    if book.gwp_set is not None:
        return f"CO2e of {book.gwp_set}"
    factor = cell.factor
    return factor.gas if isinstance(factor, GridFactor | FuelFactor) else None


def _mixed(book: Book, cells: list[Cell], gases: list[str]) -> str:
    """That a total holds factors of two kinds: which sites, which factors, and what makes it one."""
    parts = []
    for gas in gases:
        of_gas = [cell for cell in cells if cell.factor and _counted_gas(book, cell) == gas]
        sites = ", ".join(dict.fromkeys(cell.site for cell in of_gas))
        rows = ", ".join(dict.fromkeys(cell.factor.name for cell in of_gas if cell.factor))
        parts.append(f"{'CO2 only' if gas == 'CO2' else gas} of {sites} (factor {rows})")
    wider = dict.fromkeys(
        cell.site for cell in cells if _counted_gas(book, cell) not in (None, "CO2")
    )
    return (
        f"the total holds {' and '.join(parts)}: no factor is exchanged for one of other gases; to state "
        f"CO2 only, post a factor row of your own in CO2 (publisher 'user table') for {', '.join(wider)}"
    )


def _cells_of(book: Book) -> Callable[[Place], Iterator[Cell]]:
    if book.scope == 1:
        return scope1_cells
    return {2: category_2_cells, 3: category_3_cells}.get(book.category or 0, activity_cells)


def _place(work: _Work, key: str, site: LedgerSite, zone: str) -> Place:
    asked = work.asked
    register = work.readings.register
    years = tuple(
        (year, *register.own_period(key, (start, end)))
        for year, start, end in years_in(asked.period, zone)
    )
    return Place(
        register, work.counts, work.policies, asked.book, key, site, years, asked.report_date, work.warnings,
    )  # fmt: skip


def _grid_cells(work: _Work, key: str, site: LedgerSite, zone: str) -> Iterator[Cell]:
    register, asked = work.readings.register, work.asked
    energy = site_energy(register, work.counts, key, site)
    for year, start, end in years_in(asked.period, zone):
        part = energy.year(*register.own_period(key, (start, end)))
        rule, chosen = priced(
            work.policies,
            asked.book,
            register.grid.values(),
            site=site,
            activity_year=year,
            report_date=asked.report_date,
            reporting_year=asked.reporting_year(zone),
        )
        tonnes = chosen.factor.tonnes(part.grid_wh)
        yield Cell(
            site.name,
            year,
            rule.tier,
            part.grid_wh,
            "Wh",
            chosen.factor,
            chosen.lag_years,
            tonnes,
            part.grid_sources,
        )
        if part.own_wh:
            own = Cell(
                site.name, year, OWN_PV, part.own_wh, "Wh", None, 0, Decimal(0), part.own_sources
            )
            yield own
        work.warnings.extend(
            disclosures(rule.disclosure, site, year, chosen.lag_years, chosen.level, part.sold_wh)
        )
