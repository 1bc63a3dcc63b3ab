"""Tables of the report, as frames: monthly, windows, jobs, statements, factors, pathway."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import pandas as pd

from aidc.ledger.statements.statement import Statement
from aidc.reporting.figures import key_figures, site_costs
from aidc.reporting.numbers import ratio
from aidc.reporting.study import LOCATION_BOOK, MARKET_BOOK, Prices, Study, tonnes
from aidc.schedule import Schedule, StageProof
from aidc.trace import Trace

WALL_TIMES: Final = ("build_s", "solve_s", "bound_s")  # never in a reproducible output


def monthly(
    trace: Trace, prices: Mapping[str, Prices], statements: Mapping[str, Statement]
) -> pd.DataFrame:
    """A row a calendar month and a sum row, which is not a mean of ratios.

    Emissions of a month are the statement's total in proportion to its import: the ledger books
    one factor a year and site. Columns ``month, it_kwh, facility_kwh, pue, wue_l_per_kwh,
    grid_import_kwh, scope2_location_tco2e, scope2_market_tco2e, cost_cny``.
    """
    sums: dict[str, dict[str, float]] = {}
    step_h, facility = trace.step_h, trace.facility_kw
    for name in trace.scenario.sites:
        rows = trace.site(name)
        mine = facility[trace.frame["site"] == name]
        index = pd.DatetimeIndex(rows.index)
        import_kwh = float(rows["grid_import_kw"].sum() * step_h)
        for key, month in rows.groupby(index.strftime("%Y-%m")):
            sum_ = sums.setdefault(str(key), dict.fromkeys(_SUMMED, 0.0))
            imported = float(month["grid_import_kw"].sum() * step_h)
            litres = float(month["water_l_per_h"].sum() * step_h)
            sum_["it_kwh"] += float(month["it_kw"].sum() * step_h)
            sum_["facility_kwh"] += float(mine.loc[month.index].sum() * step_h)
            sum_["water_l"] += litres
            sum_["grid_import_kwh"] += imported
            sum_["cost_cny"] += sum(site_costs(month, prices[name], step_h))
            for column, book in _TONNES.items():
                if book in statements:
                    total = float(statements[book].by_site.get(name, 0))
                    sum_[column] += (ratio(imported, import_kwh) or 0.0) * total
    frame = pd.DataFrame.from_dict(sums, orient="index", columns=list(_SUMMED))
    frame.loc["sum"] = frame.sum()
    frame["pue"] = _safe(frame["facility_kwh"], frame["it_kwh"])
    frame["wue_l_per_kwh"] = _safe(frame["water_l"], frame["it_kwh"])
    for column, book in _TONNES.items():
        if tonnes(statements.get(book)) is None:
            frame[column] = float("nan")
    return frame.rename_axis("month").reset_index()[list(_MONTHLY)]


_SUMMED: Final = (
    "it_kwh",
    "facility_kwh",
    "water_l",
    "grid_import_kwh",
    "scope2_location_tco2e",
    "scope2_market_tco2e",
    "cost_cny",
)
_TONNES: Final = {
    "scope2_location_tco2e": LOCATION_BOOK,
    "scope2_market_tco2e": MARKET_BOOK,
}
_MONTHLY: Final = (
    "month",
    "it_kwh",
    "facility_kwh",
    "pue",
    "wue_l_per_kwh",
    "grid_import_kwh",
    "scope2_location_tco2e",
    "scope2_market_tco2e",
    "cost_cny",
)


def _safe(part: "pd.Series[float]", whole: "pd.Series[float]") -> "pd.Series[float]":
    return part.div(whole.where(whole != 0))


def windows(schedule: Schedule | None) -> pd.DataFrame:
    """A row a planning window: status, objective, bound, gaps, sizes; no wall times.

    ``earlier`` tells the objectives that came before the last one, each with its own bound.
    """
    proofs = schedule.windows if schedule else ()
    rows = [
        {key: value for key, value in asdict(proof).items() if key not in WALL_TIMES}
        | {"captured_frac": proof.captured_frac}
        | {"earlier": "; ".join(_told(stage) for stage in proof.earlier)}
        for proof in proofs
    ]
    return pd.DataFrame(rows)


def _told(stage: StageProof) -> str:
    return (
        f"{stage.objective_name} {stage.objective:.6g} {stage.unit}, bound {stage.bound:.6g}, "
        f"gap {stage.gap_frac:.3%}, held to {stage.limit:.6g}, is {stage.delivered:.6g}"
    )


def incidents(study: Study) -> pd.DataFrame:
    """Every spell of heat that stayed in a hall, by run."""
    parts = [trace.incidents.assign(run=name) for name, trace in study.runs.items()]
    return pd.concat(parts, ignore_index=True)


def statements(study: Study) -> pd.DataFrame:
    """Cells of every statement: a row a variant, book, site, year and tier."""
    parts = [
        statement.to_frame().assign(variant=variant)
        for variant, books in study.statements.items()
        for statement in books.values()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def factors(study: Study) -> pd.DataFrame:
    """Factors that the statements rest on, each once: book, version, value, publisher, vintage."""
    rows = {
        (statement.book, use.version): {"book": statement.book, **asdict(use)}
        for books in study.statements.values()
        for statement in books.values()
        for use in statement.factors
    }
    return pd.DataFrame([rows[key] for key in sorted(rows)])


def figures_by_variant(study: Study) -> dict[str, dict[str, Any]]:
    """Key figures of every run."""
    return {
        variant: key_figures(trace, study.prices, study.statements.get(variant, {}))
        for variant, trace in study.runs.items()
    }
