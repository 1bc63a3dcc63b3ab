"""The figures of a run as plain JSON: what ``summary.json`` holds."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aidc.ledger.pathway.projection import Pathway
from aidc.reporting.comparison import (
    BESIDE_A_YEAR,
    attribution,
    avoided_emissions,
    decision_label,
    plan_figures,
    published,
    savings,
)
from aidc.reporting.numbers import plain
from aidc.reporting.setpoint_sweep import sweep_figures
from aidc.reporting.study import BASELINE, OPTIMIZED, Study
from aidc.reporting.tables import factors, figures_by_variant


def summarise(study: Study) -> dict[str, Any]:
    """Everything that a reader or another program may want of a run, as plain JSON.

    Differences are baseline less plan. Location-based and market-based emissions stand side by
    side and are never added.
    """
    figures = figures_by_variant(study)
    baseline, after = figures[BASELINE], figures.get(OPTIMIZED)
    saved = None
    if study.optimized is not None and after is not None:
        saved = savings(study.baseline, study.optimized, baseline, after)
    scenario = study.baseline.scenario
    return dict(
        plain(
            {
                "schema_version": 1,
                "scenario": {
                    "name": scenario.name,
                    "label": scenario.label,
                    "sites": {name: choice.site.label for name, choice in scenario.sites.items()},
                    "start": scenario.start.isoformat(),
                    "end": scenario.end.isoformat(),
                    "step_min": scenario.step_min,
                    "seed": scenario.seed,
                    "covers_twelve_months": study.full_years,
                },
                "baseline": baseline,
                "optimized": after,
                "savings": saved,
                "plan": plan_figures(study),
                "fault": study.fault,
                "attribution": attribution(study, figures),
                "pathway": _pathway(study.pathway, study.pathway_reason),
                "assumptions": [asdict(item) for item in study.assumptions],
                "avoided_emissions": avoided_emissions(study, after or baseline),
                "published": published(BESIDE_A_YEAR, scenario.start.year)
                if study.full_years
                else [],
                "labels": _labels(study),
                "sweep": {site: sweep_figures(sweep) for site, sweep in study.sweeps.items()},
                "counts": {name: dict(trace.counts) for name, trace in study.runs.items()},
                "factors": factors(study).to_dict(orient="records"),
                "warnings": _warnings(study),
            }
        )
    )


def _pathway(pathway: Pathway | None, reason: str) -> dict[str, Any]:
    if pathway is None:
        return {"tests": None, "reason": reason}
    return {
        "entity": pathway.inputs.entity,
        "reason": "",
        "tests": {target: asdict(found) for target, found in pathway.headlines.items()},
        "all": [asdict(verdict) for verdict in pathway.verdicts],
        "cumulative_tco2e": dict(pathway.cumulative_tco2e),
        "notes": list(pathway.notes),
    }


def _labels(study: Study) -> dict[str, Any]:
    """What each figure rests on."""
    before = study.baseline
    foresight = study.schedule.foresight if study.schedule else None
    return {
        "origin": "simulated",
        "inputs": dict(before.labels),
        "synthetic": list(before.synthetic),
        "notes": list(before.notes),
        "baseline": f"{before.scenario.baseline.policy}, supply air fixed at "
        f"{before.scenario.baseline.supply_air_degc:g} °C, mode "
        f"{before.scenario.baseline.mode_policy}, no battery dispatch",
        "foresight": foresight,
        "decided_on": decision_label(study),
        "booked_with": _booked_with(study),
    }


def _booked_with(study: Study) -> list[str]:
    rows = factors(study)
    return [
        f"{row['book']}: {row['version']}, {row['value']}, data year {row['data_year']}"
        for row in rows.to_dict(orient="records")
    ]


def _warnings(study: Study) -> list[str]:
    seen: dict[str, None] = {}
    for books in study.statements.values():
        for statement in books.values():
            told = (*statement.not_applied, *statement.warnings)
            seen |= dict.fromkeys(f"{statement.book}: {text}" for text in told)
    return list(seen)


def unmet(counts: Mapping[str, float]) -> list[tuple[str, float]]:
    """Counts that are not zero."""
    return [(name, value) for name, value in counts.items() if value]
