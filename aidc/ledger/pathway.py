"""The pathway: from reported years and assumptions to emissions by year and three verdicts."""

import calendar
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from aidc.errors import InputError
from aidc.ledger import targets
from aidc.ledger.factors import GridFactor, grid_factors
from aidc.ledger.targets import Status
from aidc.pathway_inputs import GivenGrid, GridPath, OfficialGrid, PathwayInputs, Scope
from aidc.units import H_PER_DAY, KWH_PER_MWH

if TYPE_CHECKING:
    import pandas as pd

Target = Literal["peak", "operational_neutrality", "net_zero"]
Measure = Literal["absolute", "intensity"]
BOOKS: Final = ("S2-LB", "S2-MB-2015")
NO_SCOPE_3: Final = "not testable: scope 3 missing"
_CUMULATIVE: Final = (2021, 2030)


@dataclass(frozen=True, slots=True)
class ReportedYear:
    """What was published for a year, on the boundary of the series."""

    electricity_mwh: float
    scope2_t: float  # as published, in the book of its time
    source: str


class Year(NamedTuple):
    """One row of a pathway."""

    year: int
    status: Literal["reported", "assumed"]
    gpu_count: float
    inside_frac: float  # calibrated where the electricity is reported
    it_mwh: float
    pue: float
    office_mwh: float
    pv_mwh: float
    electricity_mwh: float  # purchased
    location_t_per_mwh: float
    market_t_per_mwh: float
    factor_data_year: int
    factor_lag_years: int
    factor_status: Literal["official", "assumed"]
    scope1_tco2e: float
    scope2_location_tco2e: float
    scope2_market_tco2e: float
    scope2_market_without_certificates_tco2e: float
    scope2_published_tco2e: float  # nan where nothing is published
    certificates_mwh: float  # that pass window, criteria and depth
    certificates_outside: bool  # from another zone or year
    offsets_tco2e: float
    removals_tco2e: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target in one book and measure.

    Attributes:
        verdict: ``PASS-strict``, ``PASS-plateau(tau)``, ``PASS``, ``FAIL`` or why it is not testable.
        grade: of neutrality, A to F.
        status: how settled it is.
        year: first year that fails, else the year of the target.
        margin: room in ``unit``; negative is the miss.
        headline: whether it is the book the target names, absolute.
    """

    target: Target
    book: str
    measure: Measure
    verdict: str
    passed: bool | None
    grade: str | None
    status: Status
    year: int
    margin: float
    unit: str
    remedy: str
    headline: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pathway:
    """Emissions by year with the verdicts on them.

    Attributes:
        rows: one a year; statuses tell reported from assumed.
        verdicts: three targets, two books, absolute and intensity.
        cumulative_tco2e: book -> tonnes of 2021 to 2030, beside the peak verdict.
        assumptions: (key, why) of everything that is not a fact.
        notes: what a reader has to know.
    """

    inputs: PathwayInputs
    rows: tuple[Year, ...]
    verdicts: tuple[Verdict, ...]
    cumulative_tco2e: Mapping[str, float]
    assumptions: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def frame(self) -> "pd.DataFrame":
        """A row a year."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(Year._fields))

    @property
    def verdict_frame(self) -> "pd.DataFrame":
        """A row a verdict."""
        import pandas as pd

        names = [name for name in Verdict.__slots__ if name != "notes"]
        rows = [
            {name: getattr(v, name) for name in names} | {"notes": "; ".join(v.notes)}
            for v in self.verdicts
        ]
        return pd.DataFrame(rows)

    @property
    def headlines(self) -> dict[str, Verdict]:
        """Target -> the verdict in the book that the target names."""
        return {verdict.target: verdict for verdict in self.verdicts if verdict.headline}


def project(inputs: PathwayInputs, reported: Mapping[int, ReportedYear]) -> Pathway:
    """The pathway of a scenario.

    Args:
        inputs: targets and assumptions.
        reported: published years; they replace the projection and calibrate the boundary share.

    Raises:
        InputError: a reported year outside the series or with a gap, a factor that no notice holds,
            or reported electricity that the GPUs cannot draw.
    """
    years = range(inputs.first_year, inputs.last_year + 1)
    expected = set(range(inputs.first_year, inputs.first_year + len(reported)))
    if set(reported) != expected:
        raise InputError(
            f"reported years {sorted(reported)} are not the first of the series, from {inputs.first_year} on"
        )
    factors = {key: _Factors.of(inputs, key) for key in inputs.regions}
    rows = tuple(_year(inputs, factors, year, reported.get(year)) for year in years)
    shares = ", ".join(f"{r.inside_frac:.1%} in {r.year}" for r in rows if r.status == "reported")
    notes = [f"boundary {inputs.boundary_version}; no figure of a short run is in it"]
    if shares:
        notes.append(
            f"share of GPUs inside the boundary, calibrated to reported electricity: {shares}"
        )
    first, last = _CUMULATIVE
    spans = [row for row in rows if first <= row.year <= last]
    return Pathway(
        inputs,
        rows,
        tuple(_verdicts(inputs, rows, frozenset(reported))),
        {book: sum(_gross(row, book, (1, 2)) for row in spans) for book in BOOKS},
        tuple(inputs.assumptions()),
        tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Factors:
    """Official values of a region's two paths, by data year."""

    location: Mapping[int, float]
    market: Mapping[int, float]

    @classmethod
    def of(cls, inputs: PathwayInputs, region: str) -> "_Factors":
        paths = inputs.regions[region]
        rows = [
            row
            for row in grid_factors().values()
            if row.published_on is not None and row.published_on <= inputs.report_date
        ]
        key = f"regions.{region}"
        return cls(_official(paths.location, rows, key), _official(paths.market, rows, key))


def _official(path: GridPath, rows: Iterable[GridFactor], key: str) -> dict[int, float]:
    if isinstance(path, GivenGrid):
        return {}
    found = {
        row.data_year: float(row.t_per_mwh)
        for row in rows
        if (row.geography, row.kind, row.basis, row.method_flags)
        == (path.geography, path.basis, "direct", None)
    }
    if not found:
        raise InputError(f"{key}: no published {path.basis} factor of {path.geography}")
    return found


def _factor(
    path: GridPath, official: Mapping[int, float], year: int, lag: int
) -> tuple[float, int, bool]:
    """Factor that a report on a year uses [t/MWh], its data year, and whether it is official.

    The activity year if its factor is out, else the nearest earlier one, at most ``lag`` behind.
    """
    if not isinstance(path, OfficialGrid):
        return path.t_per_mwh.at(year), year, False
    last = max(official)
    data_year = max(year - lag, min(year, last))
    if data_year > last:
        return (
            official[last] * math.exp(-path.decline_per_year * (data_year - last)),
            data_year,
            False,
        )
    if data_year not in official:
        raise InputError(
            f"no official {path.basis} factor of {path.geography} for data year {data_year}"
        )
    return official[data_year], data_year, True


def _year(
    inputs: PathwayInputs, factors: Mapping[str, _Factors], year: int, known: ReportedYear | None
) -> Year:
    activity = inputs.activity
    hours = (366 if calendar.isleap(year) else 365) * H_PER_DAY
    load = activity.utilisation_frac.at(year)
    kw_per_gpu = activity.idle_kw_per_gpu + load * (
        activity.busy_kw_per_gpu - activity.idle_kw_per_gpu
    )
    fleet_mwh = activity.gpu_count.at(year) * kw_per_gpu * hours / KWH_PER_MWH
    pue, office, pv = (
        path.at(year) for path in (activity.pue, activity.office_mwh, activity.pv_mwh)
    )
    if known is None:
        inside = activity.inside_frac.at(year)
        it = inside * fleet_mwh
        bought = max(0.0, pue * it + office - pv)
    else:
        bought = known.electricity_mwh
        it = (bought + pv - office) / pue
        inside = it / fleet_mwh
        if not 0 < inside <= 1:
            raise InputError(
                f"activity: {bought:g} MWh reported for {year} would be {inside:.1%} of the GPUs' draw; "
                "look at office_mwh, the draw per GPU and gpu_count"
            )
    booked = bought + (0.0 if activity.pv_attribute_kept else pv)
    location, market, data_year, official = _blend(inputs, factors, year)
    covered, outside = _certificates(inputs, year, bought)
    return Year(
        year,
        "assumed" if known is None else "reported",
        activity.gpu_count.at(year),
        inside,
        it,
        pue,
        office,
        pv,
        bought,
        location,
        market,
        data_year,
        year - data_year,
        "official" if official else "assumed",
        activity.scope1_tco2e.at(year),
        booked * location,
        (booked - covered) * market,
        booked * market,
        known.scope2_t if known else math.nan,
        covered,
        outside,
        inputs.instruments.offsets_t.at(year),
        inputs.instruments.removals_t.at(year),
    )


def _blend(
    inputs: PathwayInputs, factors: Mapping[str, _Factors], year: int
) -> tuple[float, float, int, bool]:
    """Factors of both books weighted by region; the oldest data year; whether all are official."""
    location = market = 0.0
    data_year, official = year, True
    for key, region in inputs.regions.items():
        share = region.share_frac.at(year)
        for_region = factors[key]
        lb, lb_year, lb_official = _factor(
            region.location, for_region.location, year, inputs.factor_lag_years
        )
        mb, mb_year, mb_official = _factor(
            region.market, for_region.market, year, inputs.factor_lag_years
        )
        location, market = location + share * lb, market + share * mb
        data_year = min(data_year, lb_year, mb_year)
        official = official and lb_official and mb_official
    return location, market, data_year, official


def _certificates(inputs: PathwayInputs, year: int, bought_mwh: float) -> tuple[float, bool]:
    """MWh that count for a year, and whether some come from another zone or year."""
    left, outside = bought_mwh, False
    for lot in inputs.instruments.certificates:
        wanted = min(lot.cover_frac.at(year) * bought_mwh, lot.market_depth_mwh, left)
        if lot.failed_criteria or lot.vintage_lag_years > inputs.instruments.vintage_window_years:
            continue
        left -= wanted
        outside = outside or (wanted > 0 and (not lot.same_zone or lot.vintage_lag_years > 0))
    return bought_mwh - left, outside


def _gross(row: Year, book: str, scopes: tuple[Scope, ...]) -> float:
    electricity = row.scope2_location_tco2e if book == "S2-LB" else row.scope2_market_tco2e
    return (row.scope1_tco2e if 1 in scopes else 0.0) + (electricity if 2 in scopes else 0.0)


def _scaled(
    series: Mapping[int, float], rows: Iterable[Year], measure: Measure
) -> dict[int, float]:
    if measure == "absolute":
        return dict(series)
    return {row.year: series[row.year] / row.it_mwh for row in rows}


def _unit(measure: Measure) -> str:
    return "t" if measure == "absolute" else "t per MWh of IT"


def _verdicts(
    inputs: PathwayInputs, rows: tuple[Year, ...], actual: frozenset[int]
) -> Iterable[Verdict]:
    for book in BOOKS:
        for measure in ("absolute", "intensity"):
            yield _peak(inputs, rows, actual, book, measure)
            yield _neutrality(inputs, rows, actual, book, measure)
            yield _net_zero(inputs, rows, actual, book, measure)


def _peak(
    inputs: PathwayInputs,
    rows: tuple[Year, ...],
    actual: frozenset[int],
    book: str,
    measure: Measure,
) -> Verdict:
    target = inputs.targets.peak
    series = _scaled({r.year: _gross(r, book, target.scopes) for r in rows}, rows, measure)
    found = targets.peak(series, target.by, target.plateau_tolerance_frac)
    notes = [f"maximum {found.maximum:.6g} {_unit(measure)} in {found.maximum_year}"]
    if found.passed and found.first_year is not None:
        notes.append(
            f"strict fails in {found.first_year} by {found.first_above:.6g} {_unit(measure)}"
        )
    if book != "S2-LB" and found.passed:
        bare = {
            r.year: _gross(r, book, target.scopes)
            + r.scope2_market_without_certificates_tco2e
            - r.scope2_market_tco2e
            for r in rows
        }
        bare = _scaled(bare, rows, measure)
        if not targets.peak(bare, target.by, target.plateau_tolerance_frac).passed:
            notes.append("instrument peak: it fails without certificates")
    remedy = ""
    if found.fail_year is not None and measure == "absolute":
        row = next(r for r in rows if r.year == found.fail_year)
        factor = row.location_t_per_mwh if book == "S2-LB" else row.market_t_per_mwh
        remedy = (
            f"{found.fail_above:.1f} t over the plateau in {row.year}: {found.fail_above / factor:.0f} MWh less, "
            f"or a factor lower by {found.fail_above / row.electricity_mwh:.4f} t/MWh"
        )
    return Verdict(
        "peak",
        book,
        measure,
        found.verdict,
        found.passed,
        None,
        targets.status_of(target.by, actual),
        found.fail_year or target.by,
        found.margin if found.fail_year is None else -found.fail_above,
        _unit(measure),
        remedy,
        book == target.book and measure == "absolute",
        tuple(notes),
    )


def _neutrality(
    inputs: PathwayInputs,
    rows: tuple[Year, ...],
    actual: frozenset[int],
    book: str,
    measure: Measure,
) -> Verdict:
    target = inputs.targets.operational_neutrality
    offsets = {
        r.year: targets.eligible_offsets_t(
            r.offsets_tco2e,
            _gross(r, "S2-LB", (1, 2)),
            target.offset_share_limit_frac,
            target.reduction_plan is not None,
        )
        for r in rows
    }
    residual = {r.year: max(0.0, _gross(r, book, target.scopes) - offsets[r.year]) for r in rows}
    limit = _scaled(dict.fromkeys(residual, target.residual_limit_t), rows, measure)
    residual = _scaled(residual, rows, measure)
    fails = targets.first_above(residual, limit, target.by)
    at = next(r for r in rows if r.year == (fails or target.by))
    outside = any(r.certificates_outside for r in rows if r.year >= target.by)
    grade = targets.neutrality_grade(fails is None, offsets[at.year], outside)
    excess_t = (residual[at.year] - limit[at.year]) * (at.it_mwh if measure == "intensity" else 1.0)
    notes = (
        f"{at.year}: S1 {at.scope1_tco2e:.1f} t, S2-LB {at.scope2_location_tco2e:.1f} t, S2-MB "
        f"{at.scope2_market_tco2e:.1f} t, certificates {at.certificates_mwh:.0f} MWh, offsets {offsets[at.year]:.1f} t",
        f"S2-LB against the base year: {at.scope2_location_tco2e - inputs.base_year.scope2_location_tco2e:+.1f} t",
        "the company's own target, no ISO 14068-1 claim; hourly matching is not assessed, so no grade A",
    )
    return Verdict(
        "operational_neutrality",
        book,
        measure,
        "PASS" if fails is None else "FAIL",
        fails is None,
        grade,
        targets.status_of(target.by, actual),
        at.year,
        limit[at.year] - residual[at.year],
        _unit(measure),
        ""
        if fails is None
        else f"{excess_t:.1f} t in {fails} by reduction, certificates or eligible offsets",
        book == target.book and measure == "absolute",
        notes,
    )


def _net_zero(
    inputs: PathwayInputs,
    rows: tuple[Year, ...],
    actual: frozenset[int],
    book: str,
    measure: Measure,
) -> Verdict:
    target, base = inputs.targets.net_zero, inputs.base_year
    base_s2 = base.scope2_location_tco2e if book == "S2-LB" else base.scope2_market_tco2e
    base_t = (base.scope1_tco2e if 1 in target.scopes else 0.0) + (
        base_s2 if 2 in target.scopes else 0.0
    )
    base_row = next(r for r in rows if r.year == base.year)
    base_level = base_t / (base_row.it_mwh if measure == "intensity" else 1.0)
    series = _scaled({r.year: _gross(r, book, target.scopes) for r in rows}, rows, measure)
    limit = dict.fromkeys(series, target.residual_share_frac * base_level)
    above = targets.first_above(series, limit, target.by)
    uncovered = next(
        (
            r.year
            for r in rows
            if r.year >= target.by and r.removals_tco2e < _gross(r, book, target.scopes)
        ),
        None,
    )
    fails = above or uncovered
    year = fails or target.by
    operational = "PASS" if fails is None else "FAIL"
    missing = 3 in target.scopes  # a pathway has no series of scope 3 yet
    gross = _gross(next(r for r in rows if r.year == year), book, target.scopes)
    remedies = []
    if above is not None:
        remedies.append(f"{series[above] - limit[above]:.4g} {_unit(measure)} less in {above}")
    if uncovered is not None:
        remedies.append(f"permanent removals of {gross:.1f} t in {uncovered}, or less to remove")
    notes = [
        f"limit {limit[year]:.6g} {_unit(measure)}, a share of {target.residual_share_frac:g} of {base.year}"
    ]
    if missing:
        notes.insert(0, f"operational only (scope 1 and 2): {operational}")
    elif 3 not in target.scopes:
        notes.insert(0, "without scope 3 this is another statement than net zero")
    return Verdict(
        "net_zero",
        book,
        measure,
        NO_SCOPE_3 if missing else operational,
        None if missing else fails is None,
        None,
        targets.status_of(target.by, actual),
        year,
        limit[year] - series[year],
        _unit(measure),
        "; ".join(remedies),
        book == target.book and measure == "absolute",
        tuple(notes),
    )
