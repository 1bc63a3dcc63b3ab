"""The pathway: from reported years and assumptions to emissions by year and three verdicts."""

import calendar
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aidc.errors import InputError
from aidc.ledger.factors.rows import GridFactor, grid_factors
from aidc.ledger.pathway.verdicts import BOOKS, Verdict, Year, gross_t, verdicts
from aidc.pathway_inputs import GivenGrid, GridPath, OfficialGrid, PathwayInputs
from aidc.units import H_PER_DAY, KWH_PER_MWH

if TYPE_CHECKING:
    import pandas as pd

_CUMULATIVE: Final = (2021, 2030)


@dataclass(frozen=True, slots=True)
class ReportedYear:
    """What was published for a year, on the boundary of the series."""

    electricity_mwh: float
    scope2_t: float  # as published, in the book of its time
    source: str


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
        tuple(verdicts(inputs, rows, frozenset(reported))),
        {book: sum(gross_t(row, book, (1, 2)) for row in spans) for book in BOOKS},
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
