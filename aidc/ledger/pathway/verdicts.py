"""The three targets of a pathway on its series: both books, absolute and per MWh of IT."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from aidc.ledger.pathway import targets
from aidc.ledger.pathway.targets import Status
from aidc.pathway_inputs import PathwayInputs, Scope

Target = Literal["peak", "operational_neutrality", "net_zero"]
Measure = Literal["absolute", "intensity"]
BOOKS: Final = ("S2-LB", "S2-MB-2015")
MEASURES: Final[tuple[Measure, ...]] = ("absolute", "intensity")
NO_SCOPE_3: Final = "not testable: scope 3 missing"


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


def gross_t(row: Year, book: str, scopes: tuple[Scope, ...]) -> float:
    """Scope 1 and 2 of a year in a book, before offsets [t]."""
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


def verdicts(
    inputs: PathwayInputs, rows: tuple[Year, ...], actual: frozenset[int]
) -> Iterator[Verdict]:
    """Every target in every book and measure."""
    for book in BOOKS:
        for measure in MEASURES:
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
    series = _scaled({r.year: gross_t(r, book, target.scopes) for r in rows}, rows, measure)
    found = targets.peak(series, target.by, target.plateau_tolerance_frac)
    notes = [f"maximum {found.maximum:.6g} {_unit(measure)} in {found.maximum_year}"]
    if found.passed and found.first_year is not None:
        notes.append(
            f"strict fails in {found.first_year} by {found.first_above:.6g} {_unit(measure)}"
        )
    if book != "S2-LB" and found.passed:
        bare = {
            r.year: gross_t(r, book, target.scopes)
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
            gross_t(r, "S2-LB", (1, 2)),
            target.offset_share_limit_frac,
            target.reduction_plan is not None,
        )
        for r in rows
    }
    residual = {r.year: max(0.0, gross_t(r, book, target.scopes) - offsets[r.year]) for r in rows}
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
    series = _scaled({r.year: gross_t(r, book, target.scopes) for r in rows}, rows, measure)
    limit = dict.fromkeys(series, target.residual_share_frac * base_level)
    above = targets.first_above(series, limit, target.by)
    uncovered = next(
        (
            r.year
            for r in rows
            if r.year >= target.by and r.removals_tco2e < gross_t(r, book, target.scopes)
        ),
        None,
    )
    fails = above or uncovered
    year = fails or target.by
    operational = "PASS" if fails is None else "FAIL"
    missing = 3 in target.scopes  # a pathway has no series of scope 3 yet
    gross = gross_t(next(r for r in rows if r.year == year), book, target.scopes)
    remedies = []
    if above is not None:
        remedies.append(f"{series[above] - limit[above]:,.1f} {_unit(measure)} less in {above}")
    if uncovered is not None:
        remedies.append(f"permanent removals of {gross:.1f} t in {uncovered}, or less to remove")
    notes = [
        f"limit {limit[year]:,.1f} {_unit(measure)}, a share of {target.residual_share_frac:g} of {base.year}"
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
