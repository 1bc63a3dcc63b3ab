"""Annual beside hourly match of an entity, from its journal."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError
from aidc.ledger.factors.policies import Policies
from aidc.ledger.journal.periods import years_in
from aidc.ledger.journal.readings import Readings
from aidc.ledger.market.book import held_at
from aidc.ledger.market.claims import applied, claims, same_market, yearly_offers
from aidc.ledger.market.electricity import SiteEnergy, site_energy
from aidc.ledger.market.hours import (
    CoarseReadingsError,
    Hours,
    grid_by_hour,
    hourly_offers,
    is_coarse,
    own_by_hour,
    reach_of,
)
from aidc.ledger.market.match_report import MatchReport, annual_report, match_report
from aidc.ledger.market.matching import Offer, Wh
from aidc.ledger.statements.question import Question


def matching_of(
    readings: Readings,
    policies: Policies,
    asked: Question,
    grid_ppm: NDArray[np.int64] | None,
) -> MatchReport:
    """How the lots that the annual book applies cover the load, over the period and hour by hour.

    Lots coarser than an hour are spread by their profile; their share is part of the report. Where
    readings are coarser than an hour the lots are matched over the period alone.

    Args:
        readings: the journal.
        policies: terms of the market.
        asked: entity, period and report date.
        grid_ppm: carbon-free share of the grid [parts per million], shape (hours,) or
            (sites, hours); None gives no carbon-free score.

    Raises:
        InputError: unknown entity, no load, or a period that is not whole hours of one calendar year.
    """
    register = readings.register
    sites = register.sites_of(asked.entity)
    if register.head is None or not sites:
        raise InputError(f"no entity '{asked.entity}' in this ledger")
    zone = register.head.zone
    if len(list(years_in(asked.period, zone))) > 1:
        raise InputError("lots are matched within one calendar year: ask for each by itself")
    spans = [register.own_period(key, asked.period) for key in sites]
    reach = reach_of(spans)
    hours = Hours.of(reach)
    energies = [
        site_energy(register, lambda meter: readings.counts(meter, asked.period), key, site)
        for key, site in sites.items()
    ]
    uses, _ = applied(
        claims(held_at(register, asked, zone), asked.entity, register.names_of(asked.entity)),
        period=reach,
        regions={energy.key: energy.site.region for energy in energies},
        terms=policies.market,
        zone=zone,
        reaches=same_market,
    )
    names = [energy.site.name for energy in energies]
    try:
        own = [_own(energy, hours, span) for energy, span in zip(energies, spans, strict=True)]
        load = np.asarray(
            [
                grid_by_hour(one, hours, span) + kept
                for one, kept, span in zip(energies, own, spans, strict=True)
            ]
        )
    except CoarseReadingsError as coarse_readings:
        parts = [energy.year(*span) for energy, span in zip(energies, spans, strict=True)]
        given = [
            *(_own_of_year(energy, row, part.own_wh) for row, (energy, part)
              in enumerate(zip(energies, parts, strict=True))),
            *yearly_offers(uses),
        ]  # fmt: skip
        whole = np.asarray([[part.gross_wh] for part in parts], np.int64)
        return annual_report(names, whole, given, no_hours_because=str(coarse_readings))
    offers = [
        *(Offer(energy.key, 0, (), (row,), own[row]) for row, energy in enumerate(energies)),
        *hourly_offers(uses, hours, zone),
    ]
    coarse = frozenset(str(number) for number, use in enumerate(uses) if is_coarse(use))
    return match_report(names, load, offers, coarse=coarse, grid_ppm=grid_ppm)


def _own_of_year(energy: SiteEnergy, row: int, wh: int) -> Offer:
    return Offer(energy.key, 0, (), (row,), np.asarray([wh], np.int64))


def _own(energy: SiteEnergy, hours: Hours, period: tuple[datetime, datetime]) -> Wh:
    made = np.zeros(hours.count, np.int64)
    for pv in energy.own_pv:
        made += own_by_hour(pv, pv.kept, hours, period)
    return made
