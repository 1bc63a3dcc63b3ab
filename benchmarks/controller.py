"""A step of the controller of a BMS, with and without a new plan. ``python -m benchmarks.controller``.

The first hours of the Lingang week through `aidc.bms.advise`, a new plan each hour; then where the time goes.
CPU time is that of our process, so that other work on the machine does not count; HiGHS runs in a process of
its own, and only the wall time has it. Jobs and series are foreseen and kept, as in the planning process of a controller.
"""

import cProfile
import pstats
import statistics
import time
from datetime import timedelta
from pathlib import Path

import aidc
from aidc.bms import Observation, Reading, State, advise, points_of
from aidc.scenario import Scenario

WEEK = Path(__file__).parents[1] / "scenarios" / "lingang-week.yaml"
Times = list[tuple[float, float]]
HOURS = (0, 1, 2, 3)
USUAL = {"supply_degc": 24.0, "month_peak_kw": 3000.0, "drybulb_degc": 30.0, "dewpoint_degc": 24.0,
         "it_kw": 2000.0, "pv_kw": 100.0}  # fmt: skip
PARTS = {
    "site_model": "site's part of the Pyomo model", "with_jobs": "job columns as arrays",
    "write": "Pyomo's standard form", "parts_of": "arrays for HiGHS of the site",
    "certificate": "bound and its proof",
    "relaxed_duals": "of it, a second solve", "sample": "plant tables", "job_side": "classes and starts",
    "settled": "starts on free boards", "expected_of": "plant under plan and baseline",
    "plan_from": "all of it",
}  # fmt: skip


def observed(scenario: Scenario, hours: float) -> Observation:
    """A good reading of every point."""
    at = scenario.start + timedelta(hours=hours)
    points = points_of(next(iter(scenario.sites.values())).site)
    return Observation(at, {point.name: Reading(USUAL[point.name], at) for point in points})


def measured(scenario: Scenario) -> tuple[Times, Times]:
    """Wall and CPU times [s] of steps with a new plan, and of those without."""
    state = State()
    planned: Times = []
    plain: Times = []
    for hour in HOURS:
        for quarter in range(4):
            seen = observed(scenario, hour + quarter / 4)
            wall, cpu = time.perf_counter(), time.process_time()
            _, state = advise(scenario, seen, state)
            took = time.perf_counter() - wall, time.process_time() - cpu
            (plain if quarter else planned).append(took)
    return planned, plain


def median(times: Times, which: int) -> float:
    """Of wall (0) or CPU (1) times."""
    return statistics.median(took[which] for took in times)


def main() -> None:
    print("| window | step of the plan | wall s with a new plan | CPU s | wall ms without |")
    print("|---|---|---|---|---|")
    kept = {}
    for window in ("48 h", "24 h"):
        for step in ("60 min", "15 min"):
            scenario = aidc.load(
                WEEK, sets=[f"plan.step={step}", f"plan.window={window}", "plan.commit=1 h"]
            )
            advise(scenario, observed(scenario, 0), State())  # drivers, baseline and imports
            planned, plain = measured(scenario)
            kept[window, step] = scenario
            print(
                f"| {window} | {step} | {median(planned, 0):.2f} | {median(planned, 1):.2f} "
                f"| {1e3 * median(plain, 0):.1f} |",
                flush=True,
            )
    for step in ("60 min", "15 min"):
        advise(kept["48 h", step], observed(kept["48 h", step], 0), State())
        profile = cProfile.Profile(time.process_time)
        profile.runcall(advise, kept["48 h", step], observed(kept["48 h", step], 0), State())
        stats = pstats.Stats(profile)
        print(
            f"\nOne step with a new plan, 48 h at {step}, under the profiler:\n\n| part | CPU s |\n|---|---|"
        )
        took_s: dict[str, float] = {}
        for (_, _, name), (_, _, _, cumulative_s, _) in stats.stats.items():  # type: ignore[attr-defined]
            for key, words in PARTS.items():
                if name == key:
                    took_s[words] = max(took_s.get(words, 0.0), cumulative_s)
        for words, took in sorted(took_s.items(), key=lambda one: -one[1]):
            print(f"| {words} | {took:.2f} |")


if __name__ == "__main__":
    main()
