"""One self-contained page: no script, no external address, and the same bytes on a second run."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import pandas as pd

from aidc import __version__
from aidc.reporting import job_tables, page_tables, site_tables, words
from aidc.reporting.charts import Chart
from aidc.reporting.numbers import energy, number, percent, signed_energy, signed_percent, tonnes
from aidc.reporting.study import VARIANTS, Study
from aidc.reporting.tables import monthly

WORDS: Final = {
    "no_rows": "nothing to list",
    "assumptions": "What the result hangs on",
    "no_assumptions": "The ends of the assumptions were not judged in this run.",
    "figures": "Figures",
    "sites": "By site",
    "charts": "Charts",
    "data": "Data behind this chart",
    "pathway": "Pathway to 2050",
    "pathway_note": "Location-based and market-based emissions are two accounts and are never "
    "added. Certificates and offsets are bought, not abated. Nothing of this run's days is in it.",
    "pathway_assumptions": "What the pathway assumes",
    "no_pathway": "No pathway:",
    "attribution": "What came from where",
    "plan": "The plan: promised and delivered",
    "no_plan": "There is no plan.",
    "windows": "Proof of every planning window",
    "jobs": "Jobs",
    "ends": "How jobs ended",
    "waits": "Waits by class",
    "tenants": "Who took what",
    "modes": "Cooling modes",
    "monthly": "By month",
    "factors": "Emission factors",
    "no_factors": "No statement of the ledger was drawn up.",
    "claim": "Avoided emissions (a claim, apart from the inventory)",
    "counts": "Unmet, clipped, refused",
    "incidents": "Heat left in the hall, or inlets above their limit",
    "inputs": "Inputs",
}


def page(
    study: Study,
    summary: Mapping[str, Any],
    charts: Sequence[Chart],
    windows: pd.DataFrame,
    by_tenant: pd.DataFrame,
    variant: str,
    by_site: pd.DataFrame,
) -> str:
    """The report as HTML.

    Args:
        study: what is reported.
        summary: its figures, as in ``summary.json``.
        charts: in the order of the page.
        windows: a row a planning window.
        by_tenant: who took what, of the run shown.
        variant: the run shown.
        by_site: a row a run and site.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("aidc.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    scenario = summary["scenario"]
    months = [
        (VARIANTS[name], page_tables.monthly(monthly_of(study, name)))
        for name in ("baseline", "optimized")
        if name in study.runs
    ]
    return environment.get_template("report.html.j2").render(
        words=WORDS,
        title=scenario["label"] or scenario["name"],
        subtitle=subtitle(study, summary),
        banner=f"There is no plan: {study.fault}" if study.fault else "",
        verdict=words.verdict(summary),
        alarms=words.alarms(summary),
        badges=words.badges(summary),
        work=words.work_line(summary),
        labels=_labels(summary),
        assumptions=page_tables.assumptions(summary),
        tiles=words.tiles(summary),
        key_figures=page_tables.key_figures(summary),
        sites=site_tables.sites(by_site) if len(scenario["sites"]) > 1 else None,
        charts=[
            {
                "title": chart.title,
                "svg": Markup(chart.svg()),  # our own figures, titles escaped
                "caption": chart.caption,
                "table": page_tables.data(chart.data, chart.name),
            }
            for chart in charts
        ],
        pathway=page_tables.pathway_tests(summary) if study.pathway else None,
        pathway_reason=study.pathway_reason,
        pathway_assumptions=study.pathway.assumptions if study.pathway else (),
        attribution=page_tables.attribution(summary),
        plan=_plan(summary),
        windows=page_tables.windows(windows),
        jobs=job_tables.jobs(summary),
        ends=job_tables.ends(summary),
        waits=job_tables.waits(summary),
        tenants=job_tables.tenants(by_tenant, variant),
        modes=page_tables.modes(study),
        monthly=months,
        factors=page_tables.factors(summary),
        warnings=summary["warnings"],
        claim=_claim(summary["avoided_emissions"]),
        counts=page_tables.counts(study),
        incidents=page_tables.incidents(study),
        inputs=sorted(summary["labels"]["inputs"].items()),
        notes=summary["labels"]["notes"],
        footer=_footer(study),
    )


def monthly_of(study: Study, variant: str) -> pd.DataFrame:
    """Months of a run."""
    return monthly(study.runs[variant], study.prices, study.statements.get(variant, {}))


def subtitle(study: Study, summary: Mapping[str, Any]) -> str:
    """Sites, period and step."""
    scenario = study.baseline.scenario
    last = (scenario.end - timedelta(seconds=1)).date()
    days = (scenario.end - scenario.start).total_seconds() / 86_400
    sites = ", ".join(summary["scenario"]["sites"].values())
    return (
        f"{sites} · {scenario.start.date()} to {last} ({number(days, 0)} days, "
        f"steps of {scenario.step_min:g} min) · scenario {scenario.name}, seed {scenario.seed}"
    )


def _labels(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    labels = summary["labels"]
    rows = [
        ("Baseline", labels["baseline"]),
        ("Intensity the plan decided on", labels["decided_on"]),
        ("Factor the ledger books", "; ".join(labels["booked_with"]) or "no statement"),
    ]
    if summary["plan"]:
        rows.insert(1, ("The plan minimises", str(summary["plan"]["minimized"])))
    return [*rows, *_range_of_ends(summary)]


def _range_of_ends(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How far the verdict moves over the ends of the assumptions, in a line for each measure."""
    rows = []
    judged = summary["assumptions"]
    for measure in dict.fromkeys(item["measure"] for item in judged):
        mine = [item for item in judged if item["measure"] == measure]
        ends = [
            item[key] for item in mine for key in ("at_low", "at_high") if item[key] is not None
        ]
        if ends:
            span = f"{percent(min(ends), 2)} to {percent(max(ends), 2)}"
            rows.append(
                (
                    "Over what is assumed",
                    f"{measure}: {span} at {len(ends)} ends, in the table below",
                )
            )
    return rows


def _plan(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    plan = summary["plan"]
    if plan is None:
        return []
    return [
        ("promised", f"{energy(plan['promised_facility_kwh'])} of facility energy"),
        (
            "delivered",
            f"{energy(plan['delivered_facility_kwh'])}, "
            f"{signed_energy(plan['difference_kwh'])} "
            f"({signed_percent(plan['difference_frac'], 3)} of the promise)",
        ),
        (
            "solver",
            f"{plan['status']} in {plan['windows']} windows; worst {words.gap(plan)}; "
            f"bounds of consecutive windows are not a bound of the whole{words.held(plan)}",
        ),
        (
            "jobs",
            f"{plan['jobs_moved']:,} moved, "
            + (f"{plan['jobs_capped']:,} under its power caps, " if plan["jobs_capped"] else "")
            + f"{words.stopped(plan)}{plan['deferred_jobs']:,} not started inside the horizon, "
            f"{plan['refused_jobs']:,} refused"
            + (
                f"; in {plan['windows_full']} windows boards were too full to move any"
                if plan["windows_full"]
                else ""
            ),
        ),
    ]


def _claim(claim: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if claim is None:
        return None
    head = f"Against {claim['average']} (PUE {claim['average_pue']:g}; {claim['source']})"
    if not claim["stated"]:
        return {"head": head, "lines": [claim["reason"]]}
    saved = tonnes(claim["saving_tco2e"])
    return {
        "head": head,
        "lines": [
            f"Own use {energy(claim['own_kwh'])}; at equal IT work ({energy(claim['it_kwh'])}) the "
            f"average would use {energy(claim['average_kwh'])}: {energy(claim['saving_kwh'])} less "
            f"({percent(claim['saving_frac'])} of the average's), {saved} at the run's own "
            "location-based factor.",
            *(f"Published, on assumptions that are not: {text}." for text in claim["published"]),
            f"{claim['reading'][0].upper()}{claim['reading'][1:]}.",
            f"{claim['note'][0].upper()}{claim['note'][1:]}.",
        ],
    }


def _footer(study: Study) -> list[str]:
    residual = max(trace.balance_residual for trace in study.runs.values())
    heads = sorted(
        {
            f"{statement.entity} {statement.book}: policy {statement.policy_hash[:12]}, "
            f"head {statement.head[:12]}"
            for books in study.statements.values()
            for statement in books.values()
        }
    )
    seen = [
        f"aidc {__version__}. Every figure comes from the replayed simulation or from the ledger, "
        "none from the optimiser's own model. Energy balance closed to "
        f"{residual:.1e} in every step. Scenario, hashes of inputs, versions and wall times: "
        "manifest.json.",
    ]
    return seen + ([f"Ledger statements: {'; '.join(heads)}."] if heads else [])
