"""What a report is made of, put together from runs, plan, books and verdicts."""

from collections.abc import Mapping, Sequence

from aidc.api.books import Books
from aidc.api.ends import Case, End
from aidc.api.sweep import sweeps_of
from aidc.errors import PlanError
from aidc.forecast import Drivers
from aidc.reporting import AssumptionVerdict, Prices, Study
from aidc.schedule import Schedule
from aidc.trace import Trace


def study_of(
    drivers: Drivers,
    runs: Mapping[str, Trace],
    schedule: Schedule | None,
    books: Books,
    cases: Sequence[Case] = (),
    fault: PlanError | None = None,
) -> Study:
    """A study for `aidc.reporting.build`."""
    return Study(
        runs=runs,
        schedule=schedule,
        prices={
            name: Prices(site.demand_cny_per_kw_month, site.water_cny_per_m3)
            for name, site in drivers.sites.items()
        },
        statements=books.statements,
        pathway=books.pathway,
        pathway_reason=books.pathway_reason,
        assumptions=[_verdict(case) for case in cases],
        sweeps=sweeps_of(runs["baseline"]),
        fault=str(fault) if fault is not None else "",
    )


def _verdict(case: Case) -> AssumptionVerdict:
    def saving(end: End) -> float | None:
        return end.saving_frac

    faults = [
        f"{which}: {end.fault}"
        for which, end in (("low", case.at_low), ("high", case.at_high))
        if end.fault
    ]
    low, high = case.row.low, case.row.high
    if case.row.relative:
        low, high = f"x {low}", f"x {high}"
    return AssumptionVerdict(
        name=case.row.name,
        unit=case.row.unit,
        value=case.value,
        low=low,
        high=high,
        why=case.row.why,
        source=case.row.source,
        measure=f"saving of imported energy, {case.period}",
        at_value=saving(case.at_value),
        at_low=saving(case.at_low),
        at_high=saving(case.at_high),
        reason="; ".join(faults),
    )
