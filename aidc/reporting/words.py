"""The words around the figures: verdict, labels, tiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aidc.reporting.numbers import (
    energy,
    number,
    percent,
    ratio,
    signed,
    signed_energy,
    signed_percent,
    signed_tonnes,
    tonnes,
)

FLATTERS_FRAC: Final = 1e-4  # IT energy above the baseline's that a reader of PUE is told of
SATURATED_FRAC: Final = 0.9


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure in large print.

    Attributes:
        name: what it is.
        value: the figure with its unit.
        change: difference to the baseline with its base; empty where there is none.
        notes: what belongs beside it.
    """

    name: str
    value: str
    change: str
    notes: tuple[str, ...]


def verdict(summary: Mapping[str, Any]) -> str:
    """One sentence with the numbers."""
    was, now, saved = summary["baseline"], summary["optimized"], summary["savings"]
    if now is None:
        return (
            f"There is no plan. The baseline used {energy(was['facility_kwh'])} of facility energy at "
            f"PUE {number(was['pue'], 3)}."
        )
    if not saved["granted"]:
        return f"{saved['reason'][0].upper()}{saved['reason'][1:]}."
    absolute, relative = saved["absolute"], saved["relative"]
    text = (
        f"With the same work done, the plan changes facility energy by "
        f"{signed_energy(_minus(absolute['facility_kwh']))} "
        f"({signed_percent(_minus(relative['facility_kwh']), 2)} of the baseline's "
        f"{energy(was['facility_kwh'])}), PUE from {number(was['pue'], 3)} to "
        f"{number(now['pue'], 3)}"
    )
    if absolute["scope2_location_tco2e"] is not None:
        text += (
            f", scope 2 location-based by {signed_tonnes(_minus(absolute['scope2_location_tco2e']))}"
            f" ({signed_percent(_minus(relative['scope2_location_tco2e']), 2)})"
        )
    if absolute["scope2_market_tco2e"] is not None:
        text += (
            f", market-based by {signed_tonnes(_minus(absolute['scope2_market_tco2e']))} "
            f"({signed_percent(_minus(relative['scope2_market_tco2e']), 2)})"
        )
    text += (
        f", and cost by {signed(_minus(absolute['cost_cny']), 0, 'CNY')} "
        f"({signed_percent(_minus(relative['cost_cny']), 2)})"
    )
    worse = _worse(absolute)
    text += "." + (f" It is worse in {worse}." if worse else "")
    text += _second_baseline(summary)
    if relative["it_kwh"] < -FLATTERS_FRAC and relative["pue"] > 0:
        text += (
            f" IT energy changes by {signed_percent(_minus(relative['it_kwh']), 2)} "
            "(server fans in warmer air, or jobs on servers that draw more), which lowers PUE without "
            "saving anything."
        )
    return text


def _second_baseline(summary: Mapping[str, Any]) -> str:
    """What the plan is worth against trim-and-respond set-points, which a competent operator has."""
    rows = {row["variant"]: row for row in summary["attribution"] if row["granted"]}
    if not {"optimized", "trim_and_respond"} <= set(rows):
        return ""
    plan, second = rows["optimized"], rows["trim_and_respond"]
    difference = plan["facility_kwh"] - second["facility_kwh"]
    share = signed_percent(ratio(difference, second["facility_kwh"]), 2)
    return (
        f" Against a second baseline with trim-and-respond set-points it is "
        f"{signed_energy(difference)} ({share} of that baseline's)"
        + (": the plan uses more." if difference > 0 else ".")
    )


def _worse(absolute: Mapping[str, float | None]) -> str:
    names = {
        "facility_kwh": "facility energy",
        "cost_cny": "cost",
        "water_m3": "water",
        "peak_import_kw": "peak import",
    }
    found = [name for key, name in names.items() if (absolute[key] or 0.0) < -1e-6]
    return ", ".join(found)


def work_line(summary: Mapping[str, Any]) -> str:
    """Whether both runs did the same work."""
    saved = summary["savings"]
    if saved is None:
        return ""
    difference = signed_percent(saved["gpu_seconds_difference_frac"], 3)
    text = (
        f"GPU time delivered inside the horizon differs by {difference} of the baseline's "
        f"(allowed: 0.1 %). Both runs have the same jobs, warm start and random streams."
    )
    slowed = (summary["optimized"] or {}).get("slowed_gpu_hours", 0.0)
    if slowed:
        text += (
            f" Jobs under the plan's power caps held their boards for {number(slowed, 0)} GPU-hours more "
            "to do that work; those are not counted as delivered."
        )
    return text


def _minus(value: float | None) -> float | None:
    """Optimised less baseline from baseline less optimised."""
    return None if value is None else -value


def badges(summary: Mapping[str, Any]) -> list[str]:
    """What every figure of the page is, in a word or two each."""
    labels = summary["labels"]
    found = ["simulated"]
    if labels["synthetic"]:
        found.append("synthetic inputs: " + ", ".join(labels["synthetic"]))
    if not summary["scenario"]["covers_twelve_months"]:
        found.append("interim: less than twelve months, not annualised")
    if labels["foresight"]:
        found.append(f"foresight of the plan: {labels['foresight']}")
    return found


def alarms(summary: Mapping[str, Any]) -> list[str]:
    """What of the run shown would make an operator stop: heat left, hot inlets, jobs late or refused."""
    variant = "baseline" if summary["optimized"] is None else "optimized"
    shown, counts = summary[variant], summary["counts"][variant]
    found = []
    if counts["unmet_cooling_steps"]:
        found.append(
            f"heat left in the hall: {energy(counts['unmet_cooling_kwh'])} in "
            f"{number(counts['unmet_cooling_steps'])} steps"
        )
    if counts["unserved_kwh"]:
        found.append(
            f"no power for {number(counts['unserved_kwh'])} kWh of load: the jobs on "
            f"{number(counts['dark_gpu_h'])} GPU-h would have stopped, and none is run again"
        )
    if counts["inlet_above_limit_steps"]:
        found.append(
            f"inlets above their limit in {number(counts['inlet_above_limit_steps'])} steps"
        )
    if counts["restarts_above_limit"]:
        found.append(
            f"inlets passed their limit in {number(counts['restarts_above_limit'])} restarts after a loss of the grid"
        )
    if counts["inlet_above_class_steps"]:
        found.append(
            f"inlets beyond what the servers' class allows in {number(counts['inlet_above_class_steps'])} steps"
        )
    if counts["import_above_limit_kwh"]:
        found.append(
            f"{energy(counts['import_above_limit_kwh'])} imported above what the grid asked for, in "
            f"{number(counts['import_above_limit_steps'])} steps"
        )
    if counts["jobs_refused"]:
        why = ", ".join(f"{number(jobs)} {reason}" for reason, jobs in shown["refusals"].items())
        found.append(f"{number(counts['jobs_refused'])} jobs refused: {why}")
    if shown["jobs_late"]:
        also = summary["baseline"]["jobs_late"]
        found.append(
            f"{number(shown['jobs_late'])} jobs end after their deadline (baseline: {number(also)})"
        )
    if shown["utilisation_frac"] is not None and shown["utilisation_frac"] > SATURATED_FRAC:
        found.append(
            f"boards are {percent(shown['utilisation_frac'])} in use: the queue sets the pace"
        )
    return found


def tiles(summary: Mapping[str, Any]) -> list[Tile]:
    """PUE, facility energy, scope 2 in both books, WUE."""
    was = summary["baseline"]
    now = summary["optimized"] or was
    compared = summary["optimized"] is not None and summary["savings"]["granted"]

    def change(key: str, decimals: int, unit: str) -> str:
        if not compared or now[key] is None or was[key] is None:
            return ""
        text = signed(now[key] - was[key], decimals, unit)
        share = signed_percent(now[key] / was[key] - 1, 2) if was[key] else ""
        return f"{text} ({share} of the baseline's)" if share else text

    interim = "" if summary["scenario"]["covers_twelve_months"] else "interim"
    return [
        Tile(
            "PUE",
            number(now["pue"], 3),
            signed(now["pue"] - was["pue"], 4) + " to the baseline"
            if compared and now["pue"] and was["pue"]
            else "",
            (
                now["pue_category"] or "no IT energy",
                f"TUE {number(now['tue'], 3)}",
                *((now["pue_grade"],) if now["pue_grade"] else ()),
            ),
        ),
        Tile(
            "Facility energy",
            energy(now["facility_kwh"]),
            f"{signed_energy(now['facility_kwh'] - was['facility_kwh'])} "
            f"({signed_percent(now['facility_kwh'] / was['facility_kwh'] - 1, 2)} of the baseline's)"
            if compared and was["facility_kwh"]
            else "",
            (
                f"IT {energy(now['it_kwh'])}",
                f"own PV used {energy(now['pv_used_kwh'])}, exported {energy(now['pv_exported_kwh'])}",
            ),
        ),
        Tile(
            "Scope 2, location-based",
            tonnes(now["scope2_location_tco2e"]),
            change("scope2_location_tco2e", 2, "t"),
            (f"CUE {number(now['cue_location_kgco2_per_kwh'], 3, 'kg/kWh of IT')}", now["gases"]),
        ),
        Tile(
            "Scope 2, market-based",
            tonnes(now["scope2_market_tco2e"]),
            change("scope2_market_tco2e", 2, "t"),
            (f"CUE {number(now['cue_market_kgco2_per_kwh'], 3, 'kg/kWh of IT')}", now["gases"]),
        ),
        Tile(
            "WUE",
            number(now["wue_l_per_kwh"], 3, "l/kWh"),
            change("wue_l_per_kwh", 3, "l/kWh"),
            (f"{number(now['water_m3'], 0, 'm³')} of water", *((interim,) if interim else ())),
        ),
    ]


def held(plan: Mapping[str, Any]) -> str:
    """How many windows have no plan; empty: all have one."""
    count = plan["windows_fallback"]
    return (
        f"; {count} of {plan['windows']} windows have no plan and hold the baseline"
        if count
        else ""
    )


def stopped(plan: Mapping[str, Any]) -> str:
    """How many jobs are stopped and how often, to stand before more; empty: none is."""
    if not plan["jobs_stopped"]:
        return ""
    return f"{plan['jobs_stopped']:,} of them stopped {plan['stops']:,} times to go on later, "


def gap(plan: Mapping[str, Any]) -> str:
    """The gap to the proven bound three ways: of the objective, of PUE, of the saving that can be had."""
    captured = plan["captured_frac"]
    return (
        f"gap {percent(plan['gap_frac'], 3)} of the objective, {number(plan['gap_pue'], 4)} of PUE, "
        + (
            "no attainable saving"
            if captured is None
            else f"{percent(captured, 1)} of the attainable saving captured"
        )
    )


def lines(summary: Mapping[str, Any]) -> list[str]:
    """About ten lines for a terminal."""
    found = [
        verdict(summary),
        *(f"attention: {text}" for text in alarms(summary)),
        *badges(summary),
    ]
    if work := work_line(summary):
        found.append(work)
    found.extend(f"{tile.name}: {tile.value}  {tile.change}".rstrip() for tile in tiles(summary))
    plan = summary["plan"]
    if plan:
        found.append(
            f"plan: {plan['status']}, worst {gap(plan)}; promised "
            f"{energy(plan['promised_facility_kwh'])}, delivered "
            f"{energy(plan['delivered_facility_kwh'])} ({signed_percent(plan['difference_frac'], 3)})"
            f"{held(plan)}"
        )
    if summary["fault"]:
        found.append(f"no plan: {summary['fault']}")
    return found
