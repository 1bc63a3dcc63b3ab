"""Scope 3: the fuel and losses behind electricity (category 3), equipment (2), goods, travel, commuting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from aidc import catalog
from aidc.config import Config, nearest
from aidc.errors import InputError
from aidc.ledger.factors.gases import GasMass, Gwp, weighed
from aidc.ledger.factors.rows import ActivityFactor, GridFactor, Published, StatedSet, Status
from aidc.ledger.journal import units
from aidc.ledger.journal.fields import Count, Day, Exact, Text

# Streams of activity data and their category; the base unit of each is in `STREAM_UNIT`.
CATEGORY_OF: Final[Mapping[str, int]] = {
    "goods_mass": 1,
    "goods_spend": 1,
    "travel": 6,
    "hotel": 6,
    "commuting": 7,
}
STREAM_UNIT: Final[Mapping[str, str]] = {
    "goods_mass": "g",
    "goods_spend": "fen",
    "travel": "pm",
    "hotel": "night",
    "commuting": "pm",
}
ITEM_STREAMS: Final = ("refrigerant", *CATEGORY_OF)  # their meters name an item
TITLES: Final[Mapping[int, str]] = {
    1: "purchased goods and services",
    2: "capital goods",
    3: "fuel- and energy-related activities",
    4: "upstream transportation and distribution",
    5: "waste generated in operations",
    6: "business travel",
    7: "employee commuting",
    8: "upstream leased assets",
    9: "downstream transportation and distribution",
    10: "processing of sold products",
    11: "use of sold products",
    12: "end-of-life treatment of sold products",
    13: "downstream leased assets",
    14: "franchises",
    15: "investments",
}


class LossRate(Published):
    """A row of models/td_losses.csv: what the network loses, as a share of what is consumed."""

    name: Text
    geography: Text
    data_year: int
    loss_frac: Exact = Field(gt=0, lt=1)

    @property
    def key(self) -> str:
        """What its versions share."""
        return f"{self.geography} {self.data_year}"


class Embodied(Config):
    """A row of models/embodied.csv: what making a piece of equipment gave off."""

    name: Text
    asset: Literal["gpu", "server", "plant"]
    embodied_kgco2e: Exact = Field(ge=0)  # cradle to gate, a piece
    gwp_set: StatedSet
    status: Status
    source: str = Field(min_length=3)

    @property
    def key(self) -> str:
        """What its versions share."""
        return self.name


class Asset(Config):
    """Payload of an ``asset`` entry: equipment bought."""

    site: Text  # id of the site's entry
    asset: Literal["gpu", "server", "plant"]
    pieces: Annotated[Count, Field(gt=0)]
    embodied_kgco2e: Exact | None = Field(default=None, ge=0)  # a piece; absent is not assessed
    embodied_source: Text | None = None
    purchased_on: Day
    life_years: Exact = Field(gt=0)
    booked_in: Literal["category_1", "category_2"] = "category_2"  # in both it trips D8


class S3C3Options(Config):
    """The named options of the book S3-C3, a part of models/policies.yaml."""

    losses_at: Literal["generation", "lifecycle"]  # factor on what is lost
    loss_base: Literal["consumption", "grossed_up"]  # rate times consumption, or over 1 - rate
    absent_loss_rate: Literal["together", "not_assessed"]  # upstream and losses as one figure
    source: str = Field(min_length=3)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of scope 3.

    Attributes:
        category: 1 to 15.
        tier: what it is inside the category.
        amount: counted, in ``unit``.
        tco2e: emissions [t CO2e]; ``None`` is not assessed, which is no zero.
        rows: names of the rows it rests on.
        note: what a reader is told of it.
        year: calendar year.
    """

    category: int
    tier: str
    amount: int
    unit: str
    tco2e: Decimal | None
    rows: tuple[str, ...]
    note: str
    year: int


def loss_rates() -> dict[str, LossRate]:
    """The shipped loss rates by name; China has none."""
    return catalog.table("td_losses", LossRate)


def embodied() -> dict[str, Embodied]:
    """The shipped rows of equipment by name."""
    return catalog.table("embodied", Embodied)


def lost_wh(consumed_wh: int, loss_frac: Decimal, loss_base: str) -> Decimal:
    """Energy that the network loses for a consumption [Wh], exact.

    Args:
        consumed_wh: delivered to the user.
        loss_frac: 0 to 1.
        loss_base: ``consumption``: rate times consumption; ``grossed_up``: the rate is a share of
            what enters the network, so consumption x rate / (1 - rate).

    Examples:
        >>> lost_wh(90, Decimal("0.1"), "consumption"), lost_wh(90, Decimal("0.1"), "grossed_up")
        (Decimal('9.0'), Decimal('10'))
    """
    lost = units.EXACT.multiply(Decimal(consumed_wh), loss_frac)
    if loss_base == "consumption":
        return lost
    return units.EXACT.divide(lost, 1 - loss_frac)


def loss_t(lost: Decimal, direct: Decimal, upstream: Decimal, losses_at: str) -> Decimal:
    """Emissions of an energy that is lost [t].

    Args:
        lost: energy [Wh].
        direct: generation factor [t/MWh].
        upstream: fuel before the power station [t/MWh].
        losses_at: ``generation``: the direct factor; ``lifecycle``: with the upstream part.
    """
    factor = direct if losses_at == "generation" else units.EXACT.add(direct, upstream)
    return units.EXACT.multiply(lost.scaleb(-6), factor)


def upstream_t(wh: Decimal, upstream: Decimal) -> Decimal:
    """Emissions of the fuel behind an energy before it reaches the power station [t]."""
    return units.EXACT.multiply(wh.scaleb(-6), upstream)


def category_3(
    consumed_wh: int,
    year: int,
    lifecycle: GridFactor | None,
    direct: GridFactor | None,
    rate: LossRate | None,
    options: S3C3Options,
) -> tuple[Line, ...]:
    """Fuel and losses behind purchased electricity: life cycle less direct less losses.

    Args:
        consumed_wh: gross purchase [Wh].
        year: calendar year of it.
        lifecycle: life-cycle factor of the place and year, losses included.
        direct: average direct factor of the same place and data year.
        rate: loss rate of the place; absent, the losses are not assessed.
        options: the book's.

    Raises:
        InputError: factors of different places or years, or of the wrong basis; a rate so large
            that nothing is left for the fuel.
    """
    if lifecycle is None or direct is None:
        missing = "life-cycle factor" if lifecycle is None else "direct factor of the same year"
        return tuple(
            Line(3, tier, consumed_wh, "Wh", None, (), f"not assessed: no {missing}", year)
            for tier in ("upstream", "td_losses")
        )
    _check_pair(lifecycle, direct)
    whole = units.EXACT.subtract(lifecycle.t_per_mwh, direct.t_per_mwh)
    both = (lifecycle.name, direct.name)
    if rate is None:
        note = f"not assessed: no loss rate for {lifecycle.geography}"
        if options.absent_loss_rate == "not_assessed":
            return tuple(
                Line(3, tier, consumed_wh, "Wh", None, (), note, year)
                for tier in ("upstream", "td_losses")
            )
        joint = units.EXACT.multiply(Decimal(consumed_wh).scaleb(-6), whole)
        said = "life cycle less direct: upstream and losses in one figure, whatever the rate"
        return (
            Line(3, "upstream_with_td_losses", consumed_wh, "Wh", joint, both, said, year),
            Line(
                3,
                "td_losses",
                consumed_wh,
                "Wh",
                None,
                (),
                f"{note}, inside the figure above",
                year,
            ),
        )
    lost = lost_wh(consumed_wh, rate.loss_frac, options.loss_base)
    share = lost_wh(1, rate.loss_frac, options.loss_base)  # lost a unit consumed
    # life cycle = direct + upstream + losses; at life cycle the losses carry upstream themselves
    left = units.EXACT.subtract(whole, units.EXACT.multiply(share, direct.t_per_mwh))
    upstream = left
    if options.losses_at == "lifecycle":
        upstream = units.EXACT.divide(left, units.EXACT.add(Decimal(1), share))
    if upstream < 0:
        raise InputError(
            f"{rate.name}: losses of {rate.loss_frac} leave {upstream} t/MWh for the fuel between "
            f"{lifecycle.name} and {direct.name}; check the rate"
        )
    losses = loss_t(lost, direct.t_per_mwh, upstream, options.losses_at)
    fuel = upstream_t(Decimal(consumed_wh), upstream)
    rows = (*both, rate.name)
    return (
        Line(3, "upstream", consumed_wh, "Wh", fuel, rows, "life cycle less direct less losses", year),
        Line(3, "td_losses", consumed_wh, "Wh", losses, rows,
             f"{options.loss_base} x {options.losses_at} factor", year),
    )  # fmt: skip


def same_grid(one: GridFactor, other: GridFactor) -> bool:
    """Whether two factors are of one place and data year."""
    return (one.geography, one.data_year) == (other.geography, other.data_year)


def _check_pair(lifecycle: GridFactor, direct: GridFactor) -> None:
    if lifecycle.basis != "lifecycle" or direct.basis != "direct":
        raise InputError(
            f"category 3 takes a life-cycle and a direct factor, not {lifecycle.basis} "
            f"({lifecycle.name}) and {direct.basis} ({direct.name})"
        )
    if not same_grid(lifecycle, direct):
        raise InputError(
            f"{lifecycle.name} and {direct.name}: only factors of one place and data year are "
            "subtracted"
        )


def fuel_line(fuel: str, wh: int, year: int, upstream: Iterable[ActivityFactor]) -> Line:
    """Fuel before it was burnt: mining, refining, transport.

    Args:
        fuel: as the meter names it.
        wh: energy burnt.
        year: calendar year of it.
        upstream: rows of basis ``upstream``; the nearest earlier data year is taken.

    Raises:
        InputError: two rows, or one that is not CO2e per energy.
    """
    tier = f"upstream:{fuel}"
    rows = [row for row in upstream if row.activity == fuel and row.data_year <= year]
    if not rows:
        note = f"not assessed: no upstream factor of {fuel}; post a row of your own"
        return Line(3, tier, wh, "Wh", None, (), note, year)
    newest = max(row.data_year for row in rows)
    found = [row for row in rows if row.data_year == newest]
    if len(found) > 1:
        raise InputError(f"{tier}: two factors win: {', '.join(sorted(r.name for r in found))}")
    row = found[0]
    if row.gas != "CO2e" or units.base_unit(row.unit_den) != "Wh":
        raise InputError(
            f"{row.name} is {row.gas} per {row.unit_den}; category 3 takes CO2e per energy"
        )
    return Line(3, tier, wh, "Wh", row.tonnes(wh), (row.name,), "", year)


def category_2(assets: Iterable[Asset], year: int) -> tuple[Line, ...]:
    """Equipment bought in a year: all of its embodied carbon in that year."""
    made = []
    for asset in assets:
        if asset.purchased_on.year != year or asset.booked_in != "category_2":
            continue
        if asset.embodied_kgco2e is None:
            note = f"not assessed: no embodied carbon of {asset.pieces} x {asset.asset}"
            made.append(Line(2, asset.asset, asset.pieces, "piece", None, (), note, year))
            continue
        kilograms = units.EXACT.multiply(Decimal(asset.pieces), asset.embodied_kgco2e)
        note = asset.embodied_source or "source of the embodied carbon is not given"
        made.append(
            Line(2, asset.asset, asset.pieces, "piece", kilograms.scaleb(-3), (), note, year)
        )
    return tuple(made)


def activity_line(
    stream: str,
    item: str,
    amount: int,
    year: int,
    factors: Iterable[ActivityFactor],
    gwp_set: str,
    gwps: Iterable[Gwp],
) -> Line:
    """Goods, travel or commuting at the user's factor of its item.

    Args:
        stream: of `CATEGORY_OF`.
        item: as the meter names it, such as ``air_short_haul``.
        amount: in the stream's base unit.
        year: calendar year.
        factors: the user's rows; the item's nearest earlier data year is taken.
        gwp_set: assessment report of the statement; a CO2e row of another set is refused.
        gwps: potentials for rows of a single gas.

    Raises:
        InputError: an unknown stream, a row of another dimension or GWP set, or two rows.
    """
    if stream not in CATEGORY_OF:
        raise InputError(
            f"no scope 3 stream '{stream}'{nearest(stream, CATEGORY_OF)}; there are {', '.join(CATEGORY_OF)}"
        )
    category, unit = CATEGORY_OF[stream], STREAM_UNIT[stream]
    rows = [row for row in factors if row.activity == item and row.data_year <= year]
    if not rows:
        note = f"not assessed: no factor for {item} in {year} or before; post a row of your own"
        return Line(category, item, amount, unit, None, (), note, year)
    newest = max(row.data_year for row in rows)
    taken = [row for row in rows if row.data_year == newest]
    masses: list[GasMass] = []
    held = list(gwps)
    if len({row.gas for row in taken}) != len(taken) or (
        "CO2e" in {r.gas for r in taken} and len(taken) > 1
    ):
        raise InputError(f"{item}: two factors win: {', '.join(sorted(row.name for row in taken))}")
    for row in taken:
        if units.base_unit(row.unit_den) != unit:
            raise InputError(
                f"{row.name} is per {row.unit_den}; {stream} of {item} is counted in {unit}"
            )
        if row.gas == "CO2e" and row.gwp_set != gwp_set:
            raise InputError(f"{row.name} is CO2e of {row.gwp_set}, the statement of {gwp_set}")
        masses.append(weighed(row.gas, row.tonnes(amount), gwp_set, held, (row.name,)))
    total = Decimal(0)
    for mass in masses:
        total = units.EXACT.add(total, mass.tco2e)
    lag = f"factor of {newest}, {year - newest} years earlier" if newest != year else ""
    return Line(
        category, item, amount, unit, total, tuple(n for m in masses for n in m.rows), lag, year
    )


def not_drawn_up(categories: Iterable[int]) -> str:
    """The categories of scope 3 that are not among some, with their titles: absent is never zero.

    Examples:
        >>> not_drawn_up(range(1, 15))
        'category 15, investments'
    """
    held = set(categories)
    return "; ".join(
        f"category {number}, {title}" for number, title in TITLES.items() if number not in held
    )
