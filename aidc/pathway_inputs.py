"""What a pathway must be told: base year, targets, activity, grid paths, instruments, economics.

Nothing here has a default that could turn a verdict. A fact carries its ``source``, everything else
a ``why`` that begins with "assumed"; a field's description says why the input matters and is shown
when it is missing.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from aidc.config import Config, Day, Frac, Number


def _year(value: object) -> object:
    """A year as a key of a YAML map is text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _assumed(value: object) -> object:
    if isinstance(value, str) and not value.startswith("assumed"):
        raise PydanticCustomError(
            "why", "{v} does not begin with 'assumed'; a fact goes under source", {"v": repr(value)}
        )
    return value


Year = Annotated[int, BeforeValidator(_year), Field(ge=1990, le=2100)]
Why = Annotated[str, BeforeValidator(_assumed), Field(min_length=12)]
Scope = Literal[1, 2, 3]
ScopeTwoBook = Literal["S2-LB", "S2-MB-2015"]


class Explained(Config):
    """A model whose missing fields are reported with the reason why they are asked for."""

    @model_validator(mode="wrap")
    @classmethod
    def _say_why(cls, data: Any, handler: ModelWrapValidatorHandler["Explained"]) -> "Explained":
        try:
            return handler(data)
        except ValidationError as error:
            lines: list[InitErrorDetails] = []
            for item in error.errors(include_url=False):
                kind, message, loc = str(item["type"]), str(item["msg"]), item["loc"]
                if kind == "missing" and len(loc) == 1:
                    why = cls.model_fields[str(loc[0])].description
                    kind, message = "required", "required, but not given" + (f": {why}" * bool(why))
                lines.append(
                    {
                        "type": PydanticCustomError(kind, "{text}", {"text": message}),
                        "loc": loc,
                        "input": item["input"],
                    }
                )
            raise ValidationError.from_exception_data(cls.__name__, lines) from None


class Fact(Config):
    """A published value."""

    value: Number
    source: str = Field(min_length=3)


class YearPath(Explained):
    """A quantity by year: facts and assumed knots, linear between them, held after the last."""

    facts: Mapping[Year, Fact] = Field(default_factory=dict)
    assumed: Mapping[Year, Number] = Field(default_factory=dict)
    why: Why | None = None

    @model_validator(mode="after")
    def _knots_fit(self) -> "YearPath":
        if not self.facts and not self.assumed:
            raise ValueError("has no year; give facts, assumed or both")
        if both := sorted(set(self.facts) & set(self.assumed)):
            raise ValueError(f"{both[0]} is given as a fact and as assumed; keep one")
        if self.assumed and self.why is None:
            raise ValueError("assumed values need a why: 'assumed: ...'")
        return self

    @property
    def knots(self) -> dict[int, float]:
        """Value by year where one is given, in order."""
        given = {year: fact.value for year, fact in self.facts.items()} | dict(self.assumed)
        return dict(sorted(given.items()))

    def at(self, year: int) -> float:
        """Value in a year.

        Raises:
            ValueError: the path begins later.
        """
        knots = self.knots
        years = list(knots)
        if year < years[0]:
            raise ValueError(f"the path begins in {years[0]}, {year} is asked for")
        before = max(known for known in years if known <= year)
        after = min((known for known in years if known >= year), default=before)
        if before == after:
            return knots[before]
        share = (year - before) / (after - before)
        return knots[before] + share * (knots[after] - knots[before])


class BaseYear(Explained):
    """The year that reductions are measured against, restated to the books of the series."""

    year: Year
    scope1_tco2e: Number = Field(ge=0, description="net zero is a share of the base-year total")
    scope2_location_tco2e: Number = Field(ge=0, description="LB and MB move apart: both are needed")
    scope2_market_tco2e: Number = Field(ge=0, description="LB and MB move apart: both are needed")
    scope3_tco2e: Number | None = Field(
        ge=0, description="null says that it is missing: net zero is then not testable"
    )
    why: Why  # the company names no base year


class PeakTarget(Explained):
    """Emissions of a series do not rise again after a year."""

    by: Year
    scopes: tuple[Scope, ...] = Field(
        min_length=1, strict=False, description="the target names no scopes; they turn the verdict"
    )
    book: ScopeTwoBook = Field(description="LB and MB move apart: one of them is the headline")
    plateau_tolerance_frac: Frac = Field(
        ge=0, le=0.02, description="how far above the peak a plateau may lie, 0 to 0.02"
    )
    why: Why


class NeutralityTarget(Explained):
    """Operational emissions are zero after certificates and eligible offsets."""

    by: Year
    scopes: tuple[Scope, ...] = Field(
        min_length=1, strict=False, description="the target names no scopes; they turn the verdict"
    )
    book: ScopeTwoBook = Field(description="LB and MB move apart: one of them is the headline")
    residual_limit_t: Number = Field(ge=0, description="tonnes below which a year counts as zero")
    offset_share_limit_frac: Frac = Field(
        ge=0, le=1, description="offsets above this share of gross LB do not count"
    )
    reduction_plan: str | None = Field(
        description="offsets count only beside a reduction plan; null says there is none"
    )
    why: Why


class NetZeroTarget(Explained):
    """Gross emissions fall to a small share of the base year and the rest is removed for good."""

    by: Year
    scopes: tuple[Scope, ...] = Field(
        min_length=1, strict=False, description="net zero without scope 3 is another statement"
    )
    book: ScopeTwoBook = Field(description="LB and MB move apart: one of them is the headline")
    residual_share_frac: Frac = Field(
        gt=0, le=1, description="share of the base-year total that may remain before removals"
    )
    scope3_categories: tuple[int, ...] = Field(
        strict=False, description="an empty list says that scope 3 is missing"
    )
    why: Why


class Targets(Explained):
    """The three targets."""

    peak: PeakTarget
    operational_neutrality: NeutralityTarget
    net_zero: NetZeroTarget


class Activity(Explained):
    """What draws power, by year. IT energy follows from GPUs inside the boundary and their draw."""

    gpu_count: YearPath = Field(description="growth decides the peak, and nobody publishes it")
    inside_frac: YearPath = Field(
        description="share of the GPUs inside the boundary: 70 W a GPU in 2021 and 226 W in 2022 "
        "show that most stood outside"
    )
    utilisation_frac: YearPath = Field(description="mean load of the servers, 0 to 1")
    idle_kw_per_gpu: Number = Field(gt=0, description="server draw per GPU at no load")
    busy_kw_per_gpu: Number = Field(gt=0, description="server draw per GPU at full load")
    power_why: Why = Field(description="where the draw per GPU comes from")
    pue: YearPath = Field(description="overhead energy; a site in its first year is worse")
    office_mwh: YearPath = Field(description="offices are a line of their own")
    scope1_tco2e: YearPath = Field(description="fuels are a line of their own")
    pv_mwh: YearPath = Field(description="own PV used on site lowers the purchase")
    pv_attribute_kept: bool = Field(
        description="PV whose certificates are sold is grid electricity in the books"
    )


class OfficialGrid(Explained):
    """The last official factor and how fast it falls afterwards."""

    kind: Literal["official"]
    geography: str = Field(min_length=2)
    basis: Literal["average", "ex_market", "fossil"]
    decline_per_year: Number = Field(
        description="lambda of last * exp(-lambda * years); it may be negative"
    )
    why: Why


class GivenGrid(Explained):
    """A factor by year [t/MWh] where no official one is in the registry."""

    kind: Literal["given"]
    t_per_mwh: YearPath


GridPath = Annotated[OfficialGrid | GivenGrid, Field(discriminator="kind")]


class Region(Explained):
    """A part of the purchase with factors of its own, one for each book."""

    share_frac: YearPath = Field(description="share of the purchased electricity")
    location: GridPath = Field(description="factor of the location-based book")
    market: GridPath = Field(description="factor of uncovered electricity, market-based book")


class PriceRange(Config):
    """What an instrument costs [CNY]; a dated range, never a forecast."""

    low: Number = Field(ge=0)
    high: Number = Field(ge=0)
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _ordered(self) -> "PriceRange":
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self


class Certificates(Explained):
    """Certificates retired for a year: they act on the market-based book alone."""

    name: str = Field(min_length=1)
    type: Literal["gec_single", "gec_green_trade", "ppa", "supplier_rate"]
    cover_frac: YearPath = Field(description="share of the purchase covered, by year")
    vintage_lag_years: int = Field(
        ge=0, description="certificates older than the vintage window are not applied"
    )
    same_zone: bool = Field(description="instruments from outside the zone lower the grade")
    failed_criteria: tuple[Annotated[int, Field(ge=1, le=8)], ...] = Field(
        strict=False, description="quality criteria (1 to 8) that fail; any bars the lot"
    )
    market_depth_mwh: Number = Field(gt=0, description="no more than this can be bought in a year")
    cny_per_mwh: PriceRange


class Instruments(Explained):
    """Certificates, offsets and removals: lines beside the inventory, never reductions."""

    vintage_window_years: int = Field(
        ge=0, description="older certificates do not count; the window can turn the verdict"
    )
    certificates: tuple[Certificates, ...] = Field(strict=False)
    offsets_t: YearPath = Field(description="avoidance credits retired for the year")
    offsets_cny_per_t: PriceRange
    removals_t: YearPath = Field(description="permanent removals retired for the year")
    removals_cny_per_t: PriceRange


class PathwayInputs(Explained):
    """One pathway: 2021 to 2050 from what was reported and what is assumed."""

    schema_version: Literal[1]
    entity: str = Field(min_length=1)
    boundary_version: str = Field(
        min_length=1, description="insourcing looks like growth; one series has one boundary"
    )
    first_year: Year
    last_year: Year
    report_date: Day = Field(description="which official grid factors the world could know")
    factor_lag_years: int = Field(
        ge=0,
        le=5,
        description="a report of year t uses the factor of an earlier data year; by how many years",
    )
    base_year: BaseYear = Field(
        description="the company names none; ten percent of it differs by a factor of four "
        "between 2021 and 2022"
    )
    targets: Targets = Field(description="the published targets name neither scopes nor book")
    activity: Activity = Field(description="activity decides the peak")
    regions: Mapping[str, Region] = Field(
        min_length=1, description="grid paths LB and MB by region are published by nobody"
    )
    instruments: Instruments = Field(description="they decide neutrality and appear beside gross")
    discount_rate_frac: Frac = Field(ge=0, lt=1, description="it ranks measures by cost")
    discount_why: Why

    @model_validator(mode="after")
    def _covers_the_years(self) -> "PathwayInputs":
        faults = []
        if self.last_year <= self.first_year:
            faults.append(f"last_year {self.last_year} is not after first_year {self.first_year}")
        for name, path in self.paths():
            if min(path.knots) > self.first_year:
                faults.append(
                    f"{name} begins in {min(path.knots)}, the pathway in {self.first_year}"
                )
        for year in range(self.first_year, self.last_year + 1):
            shares = sum(
                region.share_frac.at(year) for region in self.regions.values() if not faults
            )
            if not faults and abs(shares - 1) > 1e-9:
                faults.append(f"regions: shares sum to {shares:.6g} in {year}, not to 1")
        by = {name: getattr(self.targets, name).by for name in Targets.model_fields}
        faults.extend(
            f"targets.{name}.by: {year} lies outside {self.first_year} to {self.last_year}"
            for name, year in by.items()
            if not self.first_year <= year <= self.last_year
        )
        if not self.first_year <= self.base_year.year <= self.last_year:
            faults.append(f"base_year.year: {self.base_year.year} lies outside the series")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def paths(self) -> Iterator[tuple[str, YearPath]]:
        """Every path by year with its key."""
        yield from _paths("", self)

    def assumptions(self) -> list[tuple[str, str]]:
        """Every ``why`` with the key of what it explains: the first page of the report."""
        return list(_whys("", self))


def _children(key: str, model: Config) -> Iterator[tuple[str, Config]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        below = f"{key}.{name}" if key else name
        if isinstance(value, Config):
            yield below, value
        elif isinstance(value, Mapping):
            yield from ((f"{below}.{k}", v) for k, v in value.items() if isinstance(v, Config))
        elif isinstance(value, tuple):
            yield from ((f"{below}[{i}]", v) for i, v in enumerate(value) if isinstance(v, Config))


def _paths(key: str, model: Config) -> Iterator[tuple[str, YearPath]]:
    if isinstance(model, YearPath):
        yield key, model
        return
    for below, child in _children(key, model):
        yield from _paths(below, child)


def _whys(key: str, model: Config) -> Iterator[tuple[str, str]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if (name == "why" or name.endswith("_why")) and isinstance(value, str):
            yield key or name, value
    for below, child in _children(key, model):
        yield from _whys(below, child)
