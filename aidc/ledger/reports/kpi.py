"""Key figures of a data centre from what its meters counted and its statements say; all exact.

References:
    ISO/IEC 30134 parts 2, 3, 6, 8, 9; GB 40879: see models/kpis.csv for what was read itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.errors import InputError
from aidc.ledger.journal import units
from aidc.ledger.journal.fields import Exact
from aidc.ledger.reports.grade import FULL_YEAR_MONTHS, pue_grade
from aidc.ledger.reports.meter_totals import MeterTotals
from aidc.ledger.statements.books import in_mainland

PueCategory = Literal[1, 2, 3]
IT_STREAM: Final[Mapping[PueCategory, str]] = {1: "ups_out", 2: "pdu_out", 3: "it_in"}
_READ_AT: Final[Mapping[PueCategory, str]] = {1: "UPS output", 2: "PDU output", 3: "IT input"}
_PLACES: Final = 4  # decimals to which a share of waste water that repeats is no reading


class KpiRow(Config):
    """A row of models/kpis.csv."""

    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    standard: str = Field(min_length=1)
    unit: str | None = None
    status: Literal["source", "secondary", "to be confirmed"]
    source: str = Field(min_length=3)


class EnergyWeight(Config):
    """A row of models/energy_weights.csv."""

    name: str = Field(min_length=1)
    kwh_per_unit: Exact = Field(gt=0)
    unit: str = Field(min_length=1)
    weight: Exact = Field(gt=0)
    status: Literal["source", "secondary", "to be confirmed"]
    source: str = Field(min_length=3)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A key figure of a site.

    Attributes:
        name: of models/kpis.csv.
        value: exact; ``None`` where it is not assessed.
        text: what is printed in place of a number: a grade, ``interim`` or ``not assessed``.
        note: where it was read, what it covers, or why there is none.
        sources: ids of the entries behind it.
    """

    name: str
    title: str
    standard: str
    site: str
    value: Decimal | None
    unit: str
    text: str
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Emissions:
    """What the energy of a site emitted [t], as its statements say; ``None``: not assessed.

    Attributes:
        fuel_t: of the fuels burned (book S1).
        location_t: of its electricity, location-based.
        market_t: of its electricity, market-based.
        renewable_wh: electricity whose renewable attribute is kept or retired.
        sources: ids of the entries behind them.
    """

    fuel_t: Decimal | None
    location_t: Decimal | None
    market_t: Decimal | None
    renewable_wh: int | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Energy:
    """Energy of the centre and of its IT [Wh]; ``None`` where a stream is not counted."""

    centre_wh: Decimal | None
    it_wh: int | None
    note: str
    sources: tuple[str, ...]


def kpis(totals: MeterTotals, emissions: Emissions, category: PueCategory) -> tuple[Kpi, ...]:
    """All key figures of a site and a period; what cannot be computed says why.

    Args:
        totals: what its meters counted.
        emissions: what its statements say.
        category: where the IT energy is read: 1 UPS output, 2 PDU output, 3 IT input.
    """
    energy = _energy(totals, category)
    label = f"PUE{category}, IT read at {_READ_AT[category]}"
    if totals.months < FULL_YEAR_MONTHS:
        label = f"interim, {totals.months} full months; {label}"
    pue = _over(energy.centre_wh, energy.it_wh)
    reused = totals.amount("heat_out")
    erf = _over(reused, energy.centre_wh)
    ref = _over(emissions.renewable_wh, energy.centre_wh)
    ere = (
        None
        if erf is None or pue is None
        else units.EXACT.multiply(units.EXACT.subtract(Decimal(1), erf), pue)
    )
    counted = "fuels and electricity"
    if emissions.fuel_t is None:
        counted = "electricity; no book of scope 1 is assessed"
    made = {
        "pue": (pue, f"{label}; {energy.note}"),
        "ref": (None if ref is None else min(ref, Decimal(1)), "attributes kept or retired only"),
        "erf": (erf, _why(totals, "heat_out") or "heat used outside the boundary only"),
        "ere": (ere, _why(totals, "heat_out") or "(1 - ERF) times PUE"),
        "cue_location": (_cue(emissions.location_t, emissions, energy), counted),
        "cue_market": (_cue(emissions.market_t, emissions, energy), counted),
        **_water(totals, energy.it_wh),
    }
    rows = catalog.table("kpis", KpiRow)
    found = [
        _kpi(rows[name], totals, value, note, (*energy.sources, *emissions.sources))
        for name, (value, note) in made.items()
    ]
    return (*found, _grade(rows["grade"], totals, pue, energy.sources))


def _grade(row: KpiRow, totals: MeterTotals, pue: Decimal | None, sources: tuple[str, ...]) -> Kpi:
    text, note = "not assessed", "there is no PUE"
    if not in_mainland(totals.region):
        note = f"{row.standard} is a standard of the Chinese mainland; {totals.site} is in {totals.region}"
        return Kpi(
            row.name, row.title, row.standard, totals.site, None, "", "not applicable", note, sources
        )  # fmt: skip
    if pue is not None and pue < 1:
        note = f"a PUE of {pue:.4f} is below 1: the meters do not balance (D17)"
    elif pue is not None:
        text, note = pue_grade(pue, totals.months), "on the unrounded PUE"
    note = f"{note}; limits: {row.status}"
    return Kpi(row.name, row.title, row.standard, totals.site, None, "", text, note, sources)


def _kpi(
    row: KpiRow, totals: MeterTotals, value: Decimal | None, note: str, sources: tuple[str, ...]
) -> Kpi:
    water = ("water_in", "water_out") if row.name.startswith("wue") else ()
    text = "" if value is not None else "not assessed"
    return Kpi(
        row.name,
        row.title,
        row.standard,
        totals.site,
        value,
        row.unit or "",
        text,
        f"{note}; part of the standard: {row.status}" if row.status != "source" else note,
        tuple(dict.fromkeys([*sources, *totals.sources(water)])),
    )


def _energy(totals: MeterTotals, category: PueCategory) -> _Energy:
    """All that enters the boundary less what leaves it as electricity; fuels by declared weights."""
    if totals.use != "AIDC":
        return _Energy(None, None, f"{totals.site} is no data centre but {totals.use}", ())
    weights = catalog.table("energy_weights", EnergyWeight)
    carriers = {s: s.partition(":")[2] for s in totals.of if s.startswith("fuel:")}
    burned = [stream for stream, fuel in carriers.items() if fuel in weights]
    # the output of a generator stands for its fuel only where the fuel is not counted itself
    electric = ("grid_import", "pv", *(() if burned else ("generator",)))
    it_stream = IT_STREAM[category]
    streams = (*electric, *burned, "grid_export", it_stream)
    sources = totals.sources(streams)
    for stream in (*electric, "grid_export", it_stream):
        if stream in totals.missing:
            return _Energy(None, totals.amount(it_stream), totals.missing[stream], sources)
    if totals.amount("grid_import") is None:
        return _Energy(None, totals.amount(it_stream), "no grid_import meter", sources)
    entered = Decimal(sum(totals.amount(stream) or 0 for stream in electric))
    for stream in burned:
        content = Decimal(totals.amount(stream) or 0)
        weighted = units.EXACT.multiply(content, weights[carriers[stream]].weight)
        entered = units.EXACT.add(entered, weighted)
    entered = units.EXACT.subtract(entered, Decimal(totals.amount("grid_export") or 0))
    left = sorted(fuel for fuel in carriers.values() if fuel not in weights)
    note = "own PV is part of the energy" if "pv" in totals.of else ""
    note += f"{'; ' if note else ''}without {', '.join(left)}" if left else ""
    missing = "" if it_stream in totals.of else f"no {it_stream} meter"
    how = sorted({quality for s in streams if s in totals.of for quality in totals.of[s].qualities})
    said = missing or note or ", ".join(how)
    return _Energy(entered, totals.amount(it_stream), said, sources)


def _over(over: int | Decimal | None, under: int | Decimal | None) -> Decimal | None:
    if over is None or not under:
        return None
    return units.EXACT.divide(Decimal(over), Decimal(under))


def _cue(electricity_t: Decimal | None, emissions: Emissions, energy: _Energy) -> Decimal | None:
    """Kg over kWh, which is g over Wh."""
    if electricity_t is None:
        return None
    whole = units.EXACT.add(electricity_t, emissions.fuel_t or Decimal(0))
    return _over(whole.scaleb(6), energy.it_wh)


def _water(totals: MeterTotals, it_wh: int | None) -> dict[str, tuple[Decimal | None, str]]:
    """Litres over kWh, which is ml over Wh; withdrawal and consumption apart."""
    taken, given = totals.amount("water_in"), totals.amount("water_out")
    share = fixed_share(totals.water_pairs)
    warning = (
        ""
        if share is None
        else f"waste water is {share} of the intake in every month: a coefficient, not a meter"
    )
    consumed = None if taken is None or given is None else taken - given
    return {
        "wue_withdrawal": (_over(taken, it_wh), _why(totals, "water_in") or "water taken in"),
        "wue_consumption": (
            _over(consumed, it_wh),
            _why(totals, "water_in", "water_out") or warning or "water taken in less waste water",
        ),
    }


def fixed_share(pairs: Sequence[tuple[int, int]]) -> Decimal | None:
    """The share of intake that waste water always is, to four decimals; ``None`` if it varies.

    Two intervals or more with one share: nobody read a meter.

    Examples:
        >>> fixed_share([(391299, 352169), (1105713, 995142)])
        Decimal('0.9000')
    """
    shares = [
        round(units.EXACT.divide(Decimal(given), Decimal(taken)), _PLACES)
        for taken, given in pairs
        if taken
    ]
    return shares[0] if len(shares) > 1 and len(set(shares)) == 1 else None


def _why(totals: MeterTotals, *streams: str) -> str:
    reasons = [
        totals.missing.get(stream, f"no {stream} meter")
        for stream in streams
        if stream not in totals.of
    ]
    return "; ".join(reasons)


def carrier_wh(amount: Decimal, carrier: str) -> int:
    """Energy content of an amount of fuel in the unit of models/energy_weights.csv [Wh].

    Raises:
        InputError: a negative amount.
        CatalogError: no such carrier.

    Examples:
        >>> carrier_wh(Decimal("100"), "diesel")
        990000
    """
    row = catalog.row("energy_weights", EnergyWeight, carrier)
    return units.to_base(units.EXACT.multiply(amount, row.kwh_per_unit), "kWh")


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
