"""Which shipped factors the books of an entity select: those its journal takes in."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from aidc.ledger.books import book_named
from aidc.ledger.factors import Factor, fuel_factors, grid_factors
from aidc.ledger.index import Index
from aidc.ledger.periods import years_in
from aidc.ledger.policies import Policies, select
from aidc.ledger.register import Register


def factors_of(
    register: Register,
    index: Index,
    policies: Policies,
    books: Iterable[str],
    entity: str,
    report_date: date,
    zone: str,
) -> dict[str, Factor]:
    """Shipped factors by version that the books select for what an entity has counted.

    Raises:
        InputError: a policy has no row for a site and year.
    """
    chosen: dict[str, Factor] = {}
    for name in books:
        book = book_named(name)
        for key, site in register.sites_of(entity).items():
            if book.mainland is None:
                fuels = {meter.fuel for meter in register.meters_of(key, "fuel").values()}
                chosen |= {row.name: row for row in fuel_factors().values() if row.fuel in fuels}
                continue
            for year in _years(register, index, key, zone):
                picked = select(
                    policies,
                    book.rule(site.region).policy,
                    grid_factors().values(),
                    region=site.region,
                    activity_year=year,
                    report_date=report_date,
                )
                chosen[picked.factor.name] = picked.factor
    return chosen


def _years(register: Register, index: Index, site: str, zone: str) -> list[int]:
    """Calendar years in which a site has counted an import."""
    years: set[int] = set()
    for meter in register.meters_of(site, "grid_import"):
        reach = index.reach(meter)
        if reach is None:
            continue
        period = (datetime.fromtimestamp(reach[0], UTC), datetime.fromtimestamp(reach[1], UTC))
        for year, start, stop in years_in(period, zone):
            span = (int(start.timestamp()), int(stop.timestamp()))
            if index.any(meter, *span, register.upto):
                years.add(year)
    return sorted(years)
