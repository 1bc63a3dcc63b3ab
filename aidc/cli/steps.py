"""The main job and its steps."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aidc.cli.options import (
    RESULTS,
    File,
    Folders,
    Json,
    Out,
    Quiet,
    ReportDate,
    Seed,
    Set,
    Variant,
    date_of,
    print_json,
    print_rows,
    print_table,
    scenario_of,
    stages_of,
)
from aidc.errors import InputError, PlanError
from aidc.units import S_PER_H

if TYPE_CHECKING:
    from aidc.api import Result
    from aidc.api.progress import Stages
    from aidc.optimization import PurePue
    from aidc.scenario import Scenario


def run(
    scenario: File,
    out: Out = None,
    set_: Set = None,
    variant: Variant = None,
    seed: Seed = None,
    ends: Annotated[
        bool, typer.Option(help="Judge the low and high ends of the assumptions too.")
    ] = True,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Baseline, plan, replay, account, report: the main job."""
    from aidc.api import run as run_job

    made = scenario_of(scenario, set_, variant, seed)
    result = run_job(made, out or RESULTS / made.name, ends=ends, stages=stages_of(quiet or json_))
    _told(result, json_)
    if result.fault is not None:
        raise result.fault


def simulate(
    scenario: File,
    out: Out = None,
    set_: Set = None,
    variant: Variant = None,
    seed: Seed = None,
    by_week: Annotated[
        bool, typer.Option(help="Week by week, in the memory of one; goes on where it stopped.")
    ] = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """The baseline alone, with its books and report."""
    from aidc.api import run as run_job

    made = scenario_of(scenario, set_, variant, seed)
    if by_week:
        _by_week(made, out or RESULTS / f"{made.name}-weeks", stages_of(quiet or json_), json_)
        return
    folder = out or RESULTS / made.name
    result = run_job(made, folder, planned=False, stages=stages_of(quiet or json_))
    _told(result, json_)


def _by_week(made: "Scenario", folder: Path, stages: "Stages", json_: bool) -> None:
    from aidc.api.long_run import simulate_long

    summary = simulate_long(made, folder, stages)
    if json_:
        print_json(summary)
        return
    print_table(
        ("state", "jobs", "GPU-h", "MWh"),
        [
            (
                state,
                f"{one['jobs']:,.0f}",
                f"{one['gpu_h']:,.0f}",
                f"{one['energy_kwh'] / 1e3:,.1f}",
            )
            for state, one in summary["ends"].items()
        ],
    )
    print_table(
        ("class", "jobs", "mean wait h", "p50", "p95", "p99", "max"),
        [
            (
                name,
                f"{one['jobs']:,}",
                *(
                    f"{one[key] / S_PER_H:,.2f}"
                    for key in ("mean_s", "p50_s", "p95_s", "p99_s", "max_s")
                ),
            )
            for name, one in summary["waits"].items()
        ],
    )
    print(
        f"{summary['jobs']:,} jobs in {summary['weeks']} weeks, utilisation {summary['utilisation']:.1%}; "
        f"facility {summary['facility_kwh'] / 1e3:,.1f} MWh, PUE {summary['pue']:.3f}, "
        + ", ".join(f"{book} {tonnes:,.1f} t" for book, tonnes in summary["tco2e"].items())
    )
    print(
        f"{summary['cpu_s']:.0f} CPU-s, {summary['memory_gb']:.2f} GB; "
        f"results: {folder}; books: aidc account {folder}"
    )


def _told(result: "Result", json_: bool) -> None:
    if json_:
        print_json(result.summary)
    else:
        print("\n".join(result.lines()))


def plan(
    scenario: Annotated[
        Path | None, typer.Argument(help="Scenario file.", show_default=False)
    ] = None,
    out: Out = None,
    set_: Set = None,
    variant: Variant = None,
    seed: Seed = None,
    verify: Annotated[
        Path | None,
        typer.Option(help="Check the bounds of a certificate or folder again; nothing is planned."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what held the plan of each window back.")
    ] = False,
    pure: Annotated[
        bool,
        typer.Option(
            "--pure-pue", help="Least PUE of each window beside its least overhead, with its price."
        ),
    ] = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Baseline and plan without the replay: schedule, set-points and the proof of every window."""
    if verify is not None:
        _verified(verify, json_)
        return
    if scenario is None:
        raise InputError("aidc plan needs a scenario file, or --verify and what it should check")
    from aidc.api.plan_folder import explained, plan_into
    from aidc.reporting.words import gap, held

    made = scenario_of(scenario, set_, variant, seed)
    folder = out or RESULTS / f"{made.name}-plan"
    pues: dict[str, PurePue] | None = {} if pure else None
    schedule = plan_into(made, folder, stages_of(quiet or json_), pues)
    ratios = {window: found.told for window, found in (pues or {}).items()}
    why = explained(schedule) if explain else {}
    if json_:
        more = ({"explained": why} if explain else {}) | ({"pure_pue": ratios} if pure else {})
        print_json(schedule.totals() | more)
        return
    print_table(
        ("window", "site", "status", "objective", "bound", "unit", "gap %", "gap PUE", "captured %",
         "movable", "moved"),
        [
            (w.start, w.site, w.status, w.objective, w.bound, w.unit, 100 * w.gap_frac,
             f"{w.gap_pue:.4f}", None if w.captured_frac is None else 100 * w.captured_frac,
             w.jobs_movable, w.jobs_moved)
            for w in schedule.windows
        ],
    )  # fmt: skip
    totals = schedule.totals()
    for window, said in why.items():
        print(f"{window}:")
        print("\n".join(f"  {sentence}" for sentence in said))
    for window, told in ratios.items():
        print(f"{window}: {told}")
    print(f"plan: {schedule.status}, worst {gap(totals)}{held(totals)}; in {folder}")


def _verified(place: Path, json_: bool) -> None:
    from dataclasses import asdict

    from aidc.api.verify_plan import verify_plan

    found = verify_plan(place)
    faults = [fault for window in found for fault in window.faults]
    if json_:
        print_json({"holds": not faults, "windows": [asdict(window) for window in found]})
    else:
        print_table(
            ("window", "site", "objective", "bound", "recomputed", "unit", ""),
            [
                (w.start, w.site, w.objective, w.bound, w.found, w.unit,
                 "does not hold" if w.faults else "holds")
                for w in found
            ],
        )  # fmt: skip
    if faults:
        print("\n".join(faults), file=sys.stderr)
        raise typer.Exit(1)
    if not json_:
        print(f"{len(found)} bounds hold, recomputed without the optimiser")


def account(folders: Folders, report_date: ReportDate = None, json_: Json = False) -> None:
    """Books of finished runs, drawn up again from their traces at a report date of your choice.

    Nothing is simulated, and the folder stays as it is but for the new folder books-DATE in it.
    """
    from aidc.api.folder import accounts_of

    day, told = date_of(report_date), {}
    for folder in folders:
        books = accounts_of(folder, day)
        rows = [
            (variant, s.book, s.report_date.isoformat(),
             float(s.total_tco2e) if s.assessed else None, s.gases,
             ", ".join(use.id for use in s.factors), "" if s.assessed else "not assessed")
            for variant, drawn in books.statements.items()
            for s in drawn.values()
        ]  # fmt: skip
        place = folder / f"books-{rows[0][2]}"
        place.mkdir(exist_ok=True)
        for old in ("ledger.db", "ledger.jsonl"):
            (place / old).unlink(missing_ok=True)
        books.save(place)
        head = ("run", "book", "report date", "t", "gases", "factors", "note")
        told[str(folder)] = [dict(zip(head, row, strict=True)) for row in rows]
        if not json_:
            print(f"{folder}: ledger in {place}")
            print_table(head, rows)
    if json_:
        print_json(told)


def report(
    folders: Folders,
    out: Annotated[Path, typer.Option(help="Folder of the index page.")] = RESULTS / "index",
    json_: Json = False,
) -> None:
    """One page and one table over finished runs; nothing is simulated."""
    from aidc.api.folder import index_of

    table, page = index_of(folders, out)
    if json_:
        print_rows(table)
        return
    print_table(list(table.columns), table.astype(object).itertuples(index=False))
    print(f"page: {page}")


def compare(
    scenarios: Annotated[list[Path], typer.Argument(help="Scenario files; the first is the base.")],
    variant: Annotated[
        list[str] | None, typer.Option(help="Each file's variant of that name too.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of all results.")] = RESULTS / "compare",
    set_: Set = None,
    seed: Seed = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Compare the baselines alone.")
    ] = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Scenarios side by side, run on common random numbers, with differences to the first."""
    from aidc.api.comparison import compare as compare_all

    made = []
    for file in scenarios:
        base = scenario_of(file, set_, None, seed)
        made.append(base)
        for name in variant or ():
            sets = [*(set_ or ()), f"name={base.name}-{name}"]
            made.append(scenario_of(file, sets, name, seed))
    found = compare_all(made, out, planned=not baseline, stages=stages_of(quiet or json_))
    if json_:
        print_json({"notes": found.notes, "figures": json.loads(found.table.to_json())})
    else:
        for note in found.notes:
            print(f"note: {note}")
        print_table(
            ("figure", *found.table.columns),
            [(name, *map(float, row)) for name, *row in found.table.itertuples()],
        )
        print(f"table: {out / 'compare.csv'}")
    if found.faults:
        raise PlanError("; ".join(f"{name}: {why}" for name, why in found.faults.items()))


def foresight(
    scenario: File,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for foresight.csv.")] = None,
    set_: Set = None,
    variant: Variant = None,
    seed: Seed = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """What knowing more is worth: one plan under each foresight, each played on the truth."""
    from aidc.api.foresight_value import foresight_value, percent

    made = scenario_of(scenario, set_, variant, seed)
    table = foresight_value(made, out, stages_of(quiet or json_))
    if json_:
        print_rows(table)
        return
    shown = percent(table)
    print_table(list(shown.columns), shown.astype(object).itertuples(index=False))


def pathway(
    file: Annotated[Path, typer.Argument(help="Scenario or pathway file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Folder for pathway.csv and verdicts.csv.")
    ] = None,
    json_: Json = False,
) -> None:
    """Emissions to the end year and the three target tests in each book."""
    from aidc.ledger import project, reported_years
    from aidc.scenario_file import load_pathway

    made = project(load_pathway(file), reported_years())
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        made.frame.to_csv(out / "pathway.csv", index=False, lineterminator="\n")
        made.verdict_frame.to_csv(out / "verdicts.csv", index=False, lineterminator="\n")
    if json_:
        print_json(made.verdict_frame.to_dict("records"))
    else:
        print_table(
            ("target", "book", "measure", "verdict", "grade", "year", "margin", "unit", ""),
            [
                (v.target, v.book, v.measure, v.verdict, v.grade or "", v.year, v.margin, v.unit,
                 "as declared" if v.headline else "")
                for v in made.verdicts
            ],
        )  # fmt: skip
        for note in made.notes:
            print(f"note: {note}")
        print(f"assumptions: {len(made.assumptions)}, each with its reason in {file}")
