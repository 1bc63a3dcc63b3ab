"""Writes docs/precooling.png: a hot day of the chilled-water plant under `cost`, planned with its tank and without.

Run from the project's root: ``python docs/precooling.py``; it takes some minutes and prints the figures of
docs/design.md. Both plans are played through the plant; the tank ends the day as full as it began.
"""

from pathlib import Path

import pandas as pd

import aidc
from aidc.reporting.charts.style import COLOURS, Chart, drawing
from aidc.trace import Trace

HERE = Path(__file__).parent
DAY = [
    "plan.objective=cost",
    "plan.window=24 h",
    "plan.gap=0.5 %",  # reached long before the time limit, so that every run gives the same
    "end=2023-07-04T00:00:00+08:00",
]
NO_TANK = "sites.lingang.overrides.cooling.tank=null"


def played(*sets: str) -> Trace:
    scenario = aidc.load(HERE.parent / "scenarios" / "lingang-tank.yaml", sets=[*DAY, *sets])
    before = aidc.simulate(scenario)
    schedule = aidc.plan(before)
    for proof in schedule.windows:
        print(*sets, proof.status, f"gap {100 * proof.gap_frac:.3f} %")
    return aidc.simulate(scenario, schedule=schedule)


def told(name: str, trace: Trace) -> None:
    frame, hours = trace.frame, trace.step_h
    cny = float((frame["grid_import_kw"] * frame["tariff_cny_per_kwh"]).sum()) * hours
    kwh = float(frame["cooling_kw"].sum()) * hours
    print(
        f"{name}: energy {cny:,.0f} CNY, cooling {kwh:,.0f} kWh, highest {frame['grid_import_kw'].max():,.0f} kW"
    )


def chart(with_tank: pd.DataFrame, without: pd.DataFrame) -> Chart:
    hour = [at.hour + at.minute / 60 for at in with_tank.index]
    with drawing(5.4) as figure:
        air, power, cold = figure.subplots(3, 1, sharex=True)
        air.plot(hour, with_tank["wetbulb_degc"], color=COLOURS["wetbulb_degc"], label="wet bulb")
        air.plot(hour, with_tank["drybulb_degc"], color=COLOURS["drybulb_degc"], label="dry bulb")
        air.set_ylabel("outside, °C")
        air.legend(loc="upper left")
        price = air.twinx()
        price.step(
            hour, with_tank["tariff_cny_per_kwh"], where="post", color="#222222", linestyle=":"
        )
        price.set_ylabel("tariff (dotted), CNY/kWh")
        price.set_ylim(0.0)
        price.grid(visible=False)
        power.step(hour, without["cooling_kw"], where="post", color="#888888", label="without tank")
        power.step(
            hour, with_tank["cooling_kw"], where="post", color=COLOURS["it_kw"], label="with tank"
        )
        power.set_ylabel("cooling, kW")
        power.legend(loc="upper center", bbox_to_anchor=(0.46, 1.0))
        cold.fill_between(
            hour, with_tank["store_kwh"] / 1e3, step="post", color=COLOURS["cooling_kw"]
        )
        cold.set_ylabel("cold in the tank, MWh")
        cold.set_xlabel("hour of 3 July")
    return Chart("precooling", "A tank cools ahead of the dear hours", "", "", figure, with_tank)


def main() -> None:
    """Plays both days and draws them."""
    with_tank, without = played(), played(NO_TANK)
    told("with tank", with_tank)
    told("without", without)
    file = HERE / "precooling.png"
    file.write_bytes(chart(with_tank.frame, without.frame).png())


if __name__ == "__main__":
    main()
