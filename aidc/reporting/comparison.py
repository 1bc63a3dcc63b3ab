"""What the plan saved: differences of simulations that did the same work, or none at all."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import pandas as pd

from aidc import catalog
from aidc.config import Config
from aidc.ledger.inventory import facts
from aidc.reporting.job_figures import gpu_seconds
from aidc.reporting.numbers import ratio, signed_percent
from aidc.reporting.study import (
    BASELINE,
    OPTIMIZED,
    SETPOINTS_ONLY,
    SHIFTING_ONLY,
    VARIANTS,
    Study,
)
from aidc.schedule import Schedule
from aidc.trace import Trace

SAME_WORK_FRAC: Final = 1e-3  # GPU-seconds of two runs may differ by this (contract of comparison)
COMPARED: Final = (
    "facility_kwh",
    "overhead_kwh",
    "it_kwh",
    "grid_import_kwh",
    "peak_import_kw",
    "cost_cny",
    "water_m3",
    "scope2_location_tco2e",
    "scope2_market_tco2e",
    "pue",
    "tue",
    "wue_l_per_kwh",
)
DESIGN_CLAIMS: Final = ("design_saving", "design_saving_emissions")
BESIDE_A_YEAR: Final = ("pue", "operation_cost")  # published figures shown beside a run of a year
CLAIMED_SAVING_FRAC: Final = 0.10  # "at least 10 %" below the average, SenseTime SR2022


def work_difference_frac(before: Trace, after: Trace) -> float:
    """GPU-seconds that ``after`` delivered beyond ``before``, as a share of ``before``."""
    done = gpu_seconds(before)
    return (gpu_seconds(after) - done) / done if done else 0.0


def savings(
    before: Trace, after: Trace, was: Mapping[str, Any], became: Mapping[str, Any]
) -> dict[str, Any]:
    """Baseline less other run, absolute and as a share of the baseline; positive is less.

    Refused, with the difference of the work first, where the work is not the same.
    """
    difference = work_difference_frac(before, after)
    found: dict[str, Any] = {
        "gpu_seconds_difference_frac": difference,
        "granted": abs(difference) <= SAME_WORK_FRAC,
        "reason": "",
        "absolute": None,
        "relative": None,
    }
    if not found["granted"]:
        found["reason"] = (
            f"GPU time delivered inside the horizon differs by {signed_percent(difference, 2)} of "
            f"the baseline's, more than {100 * SAME_WORK_FRAC:g} %: no saving is stated"
        )
        return found
    absolute = {key: _less(was[key], became[key]) for key in COMPARED}
    return found | {
        "absolute": absolute,
        "relative": {key: ratio(absolute[key], was[key]) for key in COMPARED},
    }


def _less(was: float | None, became: float | None) -> float | None:
    return None if was is None or became is None else was - became


def attribution(study: Study, figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a run beside the baseline: what it changed alone; and what both share."""
    rows = []
    for variant in study.runs:
        if variant == BASELINE:
            continue
        found = savings(study.baseline, study.runs[variant], figures[BASELINE], figures[variant])
        saved = found["absolute"] or dict.fromkeys(COMPARED)
        share = found["relative"] or dict.fromkeys(COMPARED)
        label = "both (the plan)" if variant == OPTIMIZED else VARIANTS[variant]
        rows.append(
            {
                "variant": variant,
                "label": label,
                "granted": found["granted"],
                "gpu_seconds_difference_frac": found["gpu_seconds_difference_frac"],
                "facility_kwh": figures[variant]["facility_kwh"],
                "saved_facility_kwh": saved["facility_kwh"],
                "saved_facility_frac": share["facility_kwh"],
                "saved_import_kwh": saved["grid_import_kwh"],
                "saved_cost_cny": saved["cost_cny"],
                "saved_water_m3": saved["water_m3"],
                "saved_scope2_location_tco2e": saved["scope2_location_tco2e"],
                "pue": figures[variant]["pue"],
                "tue": figures[variant]["tue"],
            }
        )
    return rows + _interaction(rows)


def _interaction(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the two parts do not explain by themselves."""
    by = {row["variant"]: row for row in rows if row["granted"]}
    if not {OPTIMIZED, SETPOINTS_ONLY, SHIFTING_ONLY} <= set(by):
        return []
    both, first, second = by[OPTIMIZED], by[SETPOINTS_ONLY], by[SHIFTING_ONLY]
    row: dict[str, Any] = {
        "variant": "interaction",
        "label": "interaction (both less the two parts)",
        "granted": True,
        "gpu_seconds_difference_frac": None,
        "facility_kwh": None,
        "pue": None,
        "tue": None,
    }
    for key in both:
        if key.startswith("saved_"):
            parts = (both[key], first[key], second[key])
            row[key] = None if None in parts else parts[0] - parts[1] - parts[2]
    return [row]


def promise(schedule: Schedule, trace: Trace) -> pd.DataFrame:
    """Mean facility power of every plan step, promised and delivered, summed over sites.

    Columns ``promised_kw, delivered_kw, hours``, on the plan's steps.
    """
    parts = []
    facility = trace.facility_kw
    for name, promised in schedule.promised.items():
        mine = facility[trace.frame["site"] == name]
        step_h = trace.scenario.plan.step_min / 60
        where = promised.index.searchsorted(mine.index, side="right") - 1
        inside = where >= 0
        delivered = mine[inside].groupby(promised.index[where[inside]]).mean()
        parts.append(
            pd.DataFrame(
                {
                    "promised_kw": promised["facility_kw"].astype(float),
                    "delivered_kw": delivered.reindex(promised.index),
                    "hours": step_h,
                }
            )
        )
    if not parts:
        return pd.DataFrame({"promised_kw": [], "delivered_kw": [], "hours": []}, dtype=float)
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.assign(
            promised_kw=whole["promised_kw"] + part["promised_kw"].to_numpy(),
            delivered_kw=whole["delivered_kw"] + part["delivered_kw"].to_numpy(),
        )
    return whole


def plan_figures(study: Study) -> dict[str, Any] | None:
    """How the plan was found, what it promised and what the replay delivered."""
    if study.schedule is None:
        return None
    schedule = study.schedule
    found = schedule.totals() | {
        "minimized": schedule.objective,
        "foresight": schedule.foresight,
        "promised_facility_kwh": None,
        "delivered_facility_kwh": None,
        "difference_kwh": None,
        "difference_frac": None,
        "deferred_jobs": int((schedule.decisions["status"] == "deferred").sum()),
        "refused_jobs": int((schedule.decisions["status"] == "refused").sum()),
    }
    if study.optimized is not None and schedule.promised:
        steps = promise(schedule, study.optimized)
        promised = float((steps["promised_kw"] * steps["hours"]).sum())
        delivered = float((steps["delivered_kw"] * steps["hours"]).sum())
        found |= {
            "promised_facility_kwh": promised,
            "delivered_facility_kwh": delivered,
            "difference_kwh": delivered - promised,
            "difference_frac": ratio(delivered - promised, promised),
        }
    return found


class PublishedPue(Config):
    """A row of ``models/published_pue.csv``."""

    name: str
    year: int
    pue: float
    source: str


def avoided_emissions(study: Study, figures: Mapping[str, Any]) -> dict[str, Any] | None:
    """The claim against an industry average at equal IT work; None where none is asked for.

    A claim beside the inventory: it is never subtracted from an emission figure.

    Args:
        study: the runs; the claim is for twelve months or not at all.
        figures: of the run the claim is made for.

    Raises:
        CatalogError: the scenario names an average that the catalog does not have.
    """
    which = study.baseline.scenario.industry_baseline
    if which is None:
        return None
    row = catalog.row("published_pue", PublishedPue, which)
    claim: dict[str, Any] = {
        "average": row.name,
        "average_pue": row.pue,
        "source": row.source,
        "stated": study.full_years,
        "note": "a claim about avoided emissions: simulated, apart from the inventory, "
        "never subtracted from it",
    }
    if not study.full_years:
        return claim | {"reason": "the run covers less than twelve months: no claim"}
    own, average = figures["facility_kwh"], figures["it_kwh"] * row.pue
    saving, factor = average - own, _t_per_kwh(figures)
    frac = ratio(saving, average)
    return claim | {
        "reason": "",
        "it_kwh": figures["it_kwh"],
        "own_kwh": own,
        "average_kwh": average,
        "saving_kwh": saving,
        "saving_frac": frac,
        "saving_tco2e": None if factor is None else saving * factor,
        "factor_t_per_kwh": factor,
        "reading": _reading(frac),
        "published": published(DESIGN_CLAIMS, None),
    }


def published(quantities: Collection[str], year: int | None) -> list[str]:
    """Published figures of the catalog in words, of one year or of any."""
    relations = {"=": "", "<": "below ", ">": "above ", "about": "about "}
    return [
        f"{row.quantity.replace('_', ' ')} {row.year}: {relations[row.relation]}"
        f"{row.value} {row.unit} ({row.source})"
        for row in facts().rows.values()
        if row.quantity in quantities and year in (None, row.year)
    ]


def _t_per_kwh(figures: Mapping[str, Any]) -> float | None:
    """Location-based factor of the run's own purchase."""
    return ratio(figures["scope2_location_tco2e"], figures["grid_import_kwh"])


def _reading(saving_frac: float | None) -> str:
    """Which reading of the published "at least 10 % below the average" the figures support."""
    if saving_frac is None:
        return "no energy: the statement cannot be read"
    percent = f"{100 * saving_frac:.1f} %"
    limit = f"{100 * CLAIMED_SAVING_FRAC:g} %"
    if saving_frac < CLAIMED_SAVING_FRAC:
        return (
            f"the run is {percent} below the average of its PUE: it does not support "
            f'"at least {limit} below"'
        )
    return (
        f'the run is {percent} below the average of its PUE: it supports "at least {limit} below" '
        f"read as a lower bound, not as a saving of exactly {limit}"
    )


def decision_label(study: Study) -> str:
    """What intensity the plan decided on and what the ledger booked, side by side."""
    kinds = {
        "flat": "flat annual factor",
        "synthetic": "synthetic hourly shape",
        "series": "given hourly series",
    }
    parts = []
    for name, choice in study.baseline.scenario.sites.items():
        rows = study.baseline.site(name)
        mean = rows["grid_kgco2e_per_kwh"].mean() if len(rows) else 0.0
        parts.append(f"{name}: {kinds[choice.grid.intensity.kind]}, mean {mean:.4f} t/MWh")
    return "; ".join(parts)
