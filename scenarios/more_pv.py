"""How much would more PV save at the ramp-up stage, and where does it begin to be curtailed?

Run with ``.venv/bin/python scenarios/more_pv.py``; about a minute.
"""

from pathlib import Path

import aidc

SIZES_KWP = (0.0, 400.0, 2_000.0, 6_000.0)


def main() -> None:
    """Plans the week with each size of PV and prints a row a size."""
    base = aidc.load(Path(__file__).with_name("lingang-week.yaml"))
    print(
        f"{'PV kWp':>8} {'import MWh':>11} {'scope 2 LB t':>13} {'curtailed kWh':>14} {'worst gap %':>12}"
    )
    for size_kwp in SIZES_KWP:
        scenario = base.replace("site.pv_kwp", size_kwp)
        before = aidc.simulate(scenario)
        plan = aidc.plan(before, minimize="emissions", limit_s=60)
        after = aidc.simulate(scenario, schedule=plan)
        books = aidc.account(after)
        tonnes = books.statements["optimized"]["S2-LB"].total_tco2e
        print(
            f"{size_kwp:8.0f} {after.kwh('grid_import_kw') / 1e3:11.1f} {float(tonnes):13.2f} "
            f"{after.counts['pv_curtailed_kwh']:14.0f} {100 * plan.gap_frac:12.3f}"
        )


if __name__ == "__main__":
    main()
