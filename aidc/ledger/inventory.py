"""The company's published inventory of 2021 and 2022, rebuilt from its activity data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.errors import InputError
from aidc.ledger.checks.published import Interval, printed, quotient
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.factors.rows import grid_factors
from aidc.ledger.journal import units
from aidc.ledger.journal.activity import block_entry
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.fields import Exact, base_unit_of
from aidc.ledger.journal.periods import period_of
from aidc.ledger.ledger import Ledger
from aidc.ledger.pathway.projection import ReportedYear
from aidc.ledger.statements.books import Total
from aidc.units import H_PER_DAY

ENTITY: Final = "sensetime"
FUELS: Final = ("gasoline", "natural_gas", "diesel")
_OWN_FACTOR: Final = "ets-average-CN-2022"  # the newest published when the report was made
_OVERSEAS_FACTOR: Final = "assumed-overseas-2021"
_DAYS: Final = 365
YEARS: Final = (2021, 2022)
Figures = Mapping[tuple[str, int], Decimal]


class CompanyFact(Config):
    """A row of models/company_facts.csv."""

    name: str = Field(min_length=1)
    quantity: str = Field(min_length=1)
    year: int
    value: Exact
    unit: str = Field(min_length=1)
    decimals: int = Field(ge=0)
    relation: Literal["=", "<", ">", "about"]
    document: str = Field(min_length=1)
    table: str = Field(min_length=1)
    source: str = Field(min_length=3)

    @property
    def interval(self) -> Interval:
        """Values that round to what was printed."""
        return printed(self.value, self.decimals)


@dataclass(frozen=True, slots=True)
class Facts:
    """The published figures by quantity and year."""

    rows: Mapping[tuple[str, int], CompanyFact]

    def value(self, quantity: str, year: int) -> Decimal:
        """A published value.

        Raises:
            InputError: it is not published.
        """
        return self.fact(quantity, year).value

    def fact(self, quantity: str, year: int) -> CompanyFact:
        """A published figure with its document and decimals.

        Raises:
            InputError: it is not published.
        """
        if (quantity, year) not in self.rows:
            years = sorted(y for q, y in self.rows if q == quantity)
            raise InputError(
                f"{quantity} of {year} is not published; there is {years or 'no year'}"
            )
        return self.rows[quantity, year]

    def has(self, quantity: str, year: int) -> bool:
        """Whether a figure is published."""
        return (quantity, year) in self.rows


def facts() -> Facts:
    """The published figures of the catalog."""
    rows = catalog.table("company_facts", CompanyFact).values()
    return Facts({(row.quantity, row.year): row for row in rows})


def implied_factor(held: Facts, year: int) -> tuple[Decimal, Interval]:
    """Scope 2 over purchased electricity [t/MWh], and where printed decimals let it lie."""
    tonnes, mwh = held.fact("scope2", year), held.fact("purchased_electricity", year)
    return units.EXACT.divide(tonnes.value, mwh.value), quotient(tonnes.interval, mwh.interval)


def overseas_mwh(
    purchased_mwh: Decimal, scope2_t: Decimal, mainland: Decimal, overseas: Decimal
) -> Decimal:
    """Electricity at the overseas factor that explains a published scope 2 [MWh].

    The split is not published: it is solved for, and stays labelled as assumed.
    """
    return units.EXACT.divide(mainland * purchased_mwh - scope2_t, mainland - overseas)


def company_ledger(years: tuple[int, ...], *, zone: str, recorded_at: datetime) -> Ledger:
    """A ledger in memory with the published activity and figures of the company.

    Args:
        years: reporting years of which activity is published.
        zone: zone of the reporting year.
        recorded_at: when it is posted.
    """
    ledger = Ledger.init(":memory:", ledger_id=ENTITY, zone=zone, recorded_at=recorded_at)
    ledger.post(company_entries(zone, years), recorded_at=recorded_at, role="accountant")
    return ledger


def company_entries(zone: str, years: tuple[int, ...] = YEARS) -> list[dict[str, Any]]:
    """The published activity and figures of the company as entries."""
    held = facts()
    entries = [*_sites(zone), *(e for year in years for e in _activity(held, year, zone))]
    entries.extend(_figure(row) for row in held.rows.values())
    entries.append(factor_entry(grid_factors()[_OVERSEAS_FACTOR]))
    return entries


def _sites(zone: str) -> Iterator[dict[str, Any]]:
    always = {"valid_from": "2020-12-31T16:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
    for name, region in (("mainland", "CN"), ("overseas", "overseas")):
        key = f"site:{ENTITY}:{name}"
        payload = {
            "entity": ENTITY,
            "name": name,
            "region": region,
            "zone": zone,
            "use": "company",
            "approach": "operational_control",
            "share": "1",
        }
        yield {"id": key, "kind": "site", **always, "payload": payload}
        streams = ["grid_import", *(("water_in", "water_out") if name == "mainland" else ())]
        for stream in streams:
            yield {
                "id": f"meter:{ENTITY}:{name}:{stream}",
                "kind": "meter",
                **always,
                "payload": {"site": key, "stream": stream, "unit": base_unit_of(stream)},
            }
    for fuel in FUELS:
        yield {
            "id": f"meter:{ENTITY}:mainland:{fuel}",
            "kind": "meter",
            **always,
            "payload": {
                "site": f"site:{ENTITY}:mainland",
                "stream": "fuel",
                "unit": "Wh",
                "fuel": fuel,
            },
        }


def _activity(held: Facts, year: int, zone: str) -> Iterator[dict[str, Any]]:
    start, end = period_of(str(year), zone)
    bought = held.value("purchased_electricity", year)
    own, other = (grid_factors()[name].value for name in (_OWN_FACTOR, _OVERSEAS_FACTOR))
    abroad = units.to_base(overseas_mwh(bought, held.value("scope2", year), own, other), "MWh")
    at_home = units.to_base(bought, "MWh") - abroad
    method = f"assumed: the split that gives the published scope 2 at {own} and {other} t/MWh"
    water, waste = (units.to_base(held.value(q, year), "m3") for q in ("water", "waste_water"))
    counted = [
        ("mainland:grid_import", "Wh", at_home, "reported", "purchased_electricity"),
        ("overseas:grid_import", "Wh", abroad, "estimated", "purchased_electricity"),
        ("mainland:water_in", "ml", water, "reported", "water"),
        ("mainland:water_out", "ml", waste, "reported", "waste_water"),
    ]
    for fuel in FUELS:  # a dash in the table is a published nothing
        mwh = held.value(fuel, year) if held.has(fuel, year) else Decimal(0)
        counted.append((f"mainland:{fuel}", "Wh", units.to_base(mwh, "MWh"), "reported", fuel))
    for name, unit, quantity, quality, figure in counted:
        entry = block_entry(
            f"activity:{ENTITY}:{name}:{utc_text(start)}",
            f"meter:{ENTITY}:{name}",
            unit,
            start,
            timedelta(seconds=(end - start).total_seconds()),
            [quantity],
            quality,
            method if quality == "estimated" else None,
        )
        entry["evidence"] = [{"locator": _locator(held, figure, year)}]
        if quality == "estimated":  # solved for, from this figure
            entry["evidence"].append({"locator": _locator(held, "scope2", year)})
        yield entry


def _locator(held: Facts, quantity: str, year: int) -> str:
    """Where a figure stands; of a fuel whose line has a dash, the table that it is in."""
    if held.has(quantity, year):
        row = held.fact(quantity, year)
        return f"{row.document}, {row.table}, {quantity} {year}"
    row = held.fact("direct_energy", year)
    return f"{row.document}, {row.table}, a dash for {quantity} {year}"


def _figure(row: CompanyFact) -> dict[str, Any]:
    payload = row.model_dump(exclude={"name", "source"})
    return {
        "id": f"figure:{ENTITY}:{row.name}",
        "kind": "reported_figure",
        "valid_from": f"{row.year}-01-01T00:00:00Z",
        "valid_to": f"{row.year + 1}-01-01T00:00:00Z",
        "payload": {"entity": ENTITY, **payload},
    }


def derived_figures(
    ledger: Ledger, year: int, *, report_date: date, recorded_at: datetime
) -> dict[tuple[str, int], Decimal]:
    """What the published tables should say, from activity and factors; exact.

    Args:
        ledger: from `company_ledger`.
        year: reporting year.
        report_date: day of the report: which factors it could know.
        recorded_at: when the factors are adopted.
    """
    held = facts()
    ledger.adopt_factors(
        ("S1", "NDRC"), entity=ENTITY, report_date=report_date, recorded_at=recorded_at
    )
    fuel, grid = (
        ledger.statement(book, entity=ENTITY, period=str(year), report_date=report_date)
        for book in ("S1", "NDRC")
    )
    both = Total(fuel.total_tco2e, "NDRC") + grid.total
    direct_mwh, bought_mwh = (
        Decimal(sum(statement.tiers.values())).scaleb(-6) for statement in (fuel, grid)
    )
    made = {
        "scope1": fuel.total_tco2e,
        "scope2": grid.total_tco2e,
        "scope1_and_2": both.tonnes,
        "direct_energy": direct_mwh,
        "purchased_electricity": bought_mwh,
        "total_energy": direct_mwh + bought_mwh,
    }
    made |= {tier.partition(":")[2]: Decimal(wh).scaleb(-6) for tier, wh in fuel.tiers.items()}
    if held.has("employees", year):
        heads = held.value("employees", year)
        per_head = {
            "energy_intensity": made["total_energy"],
            "emission_intensity": both.tonnes,
            "water_intensity": held.value("water", year),
            "waste_water_intensity": held.value("waste_water", year),
        }
        made |= {name: units.EXACT.divide(value, heads) for name, value in per_head.items()}
    if held.has("revenue", year):
        kg = held.value("packaging", year) * 1000
        made["packaging_intensity"] = units.EXACT.divide(kg, held.value("revenue", year))
    return {(name, year): value for name, value in made.items()}


def implied_employees(held: Facts, year: int) -> Interval:
    """Head counts that all printed per-person figures of a year allow."""
    pairs = (
        ("total_energy", "energy_intensity"),
        ("scope1_and_2", "emission_intensity"),
        ("water", "water_intensity"),
        ("waste_water", "waste_water_intensity"),
    )
    found = [quotient(held.fact(a, year).interval, held.fact(b, year).interval) for a, b in pairs]
    return Interval(max(one.low for one in found), min(one.high for one in found))


def traps(held: Facts, scope1_by_fuel: Mapping[int, Mapping[str, Decimal]]) -> list[str]:
    """What in the documents would mislead a reader, stated from the figures themselves.

    Args:
        held: the published figures.
        scope1_by_fuel: year -> fuel -> tonnes, as derived.
    """
    said = []
    shares = ", ".join(
        f"{tonnes['natural_gas'] / sum(tonnes.values()):.0%} in {year}"
        for year, tonnes in sorted(scope1_by_fuel.items())
    )
    said.append(f"scope 1 is called mainly vehicle gasoline; natural gas makes {shares}")
    saving = held.value("design_saving", 2022) * 1000
    use, bought = saving * 9, held.value("purchased_electricity", 2022)
    said.append(
        f"a saving of {saving} MWh that is a tenth of the average centre means an own use of {use} MWh, "
        f"{use / bought:.1f} times the purchase of 2022: a design figure, never subtracted"
    )
    watts = ", ".join(
        f"{held.value('purchased_electricity', year) * 10**6 / (_DAYS * H_PER_DAY) / held.value('gpu_count', year):.0f} W in {year}"
        for year in (2021, 2022)
    )
    said.append(f"purchased electricity per GPU is {watts}: most GPUs stood outside the boundary")
    ratios = ", ".join(
        f"{held.value('waste_water', year) / held.value('water', year):.4f} in {year}"
        for year in (2021, 2022)
    )
    said.append(f"waste water over intake is {ratios}: a coefficient, not a meter")
    pue = held.fact("pue", 2023)
    said.append(f"PUE {pue.relation} {pue.value} is a bound without category or months: no grade")
    tenth = ", ".join(f"{held.value('scope1_and_2', y) / 10:.1f} t from {y}" for y in (2021, 2022))
    said.append(f"the targets name no base year: ten percent of scope 1 and 2 is {tenth}")
    missing = [
        text
        for quantity, text in (
            ("scope2_market", "a market-based scope 2"),
            ("pv_generation", "PV generation"),
            ("site_electricity", "a split by site"),
        )
        if not held.has(quantity, 2022)
    ]
    said.append(f"not published: {', '.join(missing)}")
    return said


def reported_years() -> dict[int, ReportedYear]:
    """The published years as the pathway reads them."""
    held = facts()
    years = sorted(year for quantity, year in held.rows if quantity == "purchased_electricity")
    return {
        year: ReportedYear(
            float(held.value("purchased_electricity", year)),
            float(held.value("scope2", year)),
            held.fact("purchased_electricity", year).source,
        )
        for year in years
    }
