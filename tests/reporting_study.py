"""A made-up site, run and plan: numbers chosen so that sums can be done by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from aidc.equipment import Gpu, Server
from aidc.ledger.factors.rows import GridFactor
from aidc.ledger.statements.statement import Cell, Statement
from aidc.reporting import AssumptionVerdict, Prices, Study
from aidc.scenario import (
    Baseline,
    FlatIntensity,
    Grid,
    LedgerChoice,
    Plan,
    Scenario,
    SiteChoice,
    TypicalWeather,
)
from aidc.schedule import Schedule, SetPoints, WindowProof, stop_columns
from aidc.simulation.accounting import flows_of
from aidc.simulation.faults import INCIDENT_COLUMNS
from aidc.site import Pool, Site
from aidc.trace import ACCOUNTS, COOLING_PARTS, FRAME_COLUMNS, SHARES, JobRun, Runs, Trace
from aidc.workload_inputs import GeneratedWorkload

ZONE = "Asia/Shanghai"
FACTOR_T_PER_MWH = Decimal("0.5737")
MARKET_T_PER_MWH = Decimal("0.6096")


def scenario(
    start: str = "2023-07-03T00:00:00+08:00",
    end: str = "2023-07-10T00:00:00+08:00",
    **changes: Any,
) -> Scenario:
    gpu = Gpu.model_construct(name="gpu", idle_w=50.0, max_w=400.0, source="assumed: test")
    server = Server.model_construct(
        name="server", gpu=gpu, gpu_count=8, base_w=600.0, gpu_power_ratio=1.0
    )
    pool = Pool.model_construct(name="pool", server=server, server_count=100)
    site = Site.model_construct(
        name="hall", label="Test hall", zone=ZONE, grid_region="CN-SH", pools=(pool,)
    )
    choice = SiteChoice.model_construct(
        model="hall",
        weather=TypicalWeather(kind="typical", climate="shanghai"),
        tariff="flat",
        grid=Grid(location="CN-SH", intensity="flat"),
        site=site,
    )
    assert isinstance(choice.grid.intensity, FlatIntensity)
    values: dict[str, Any] = {
        "schema_version": 1,
        "name": "made-up",
        "label": "A made-up week",
        "start": datetime.fromisoformat(start).astimezone(ZoneInfo(ZONE)),
        "end": datetime.fromisoformat(end).astimezone(ZoneInfo(ZONE)),
        "step_min": 15.0,
        "seed": 7,
        "sites": {"hall": choice},
        "workload": GeneratedWorkload.model_construct(
            kind="generated", profile="x", jobs_per_day=9
        ),
        "baseline": Baseline.model_construct(
            policy="easy_backfill", supply_air_degc=24.0, mode_policy="lowest_power"
        ),
        "plan": Plan.model_construct(objective="emissions", step_min=60.0, foresight="perfect"),
        "ledger": LedgerChoice.model_construct(report_date=date(2024, 4, 30)),
        "industry_baseline": None,
        "pathway": None,
    }
    return Scenario.model_construct(**(values | changes))


def trace(
    made: Scenario,
    variant: str,
    *,
    it_kw: np.ndarray | float = 400.0,
    overhead: float = 1.0,
    supply_degc: float = 24.0,
    moved: bool = False,
) -> Trace:
    """A run whose overhead is a tenth of IT for cooling, times ``overhead``, and 5 % losses."""
    index = made.horizon("hall").index
    hours = np.arange(len(index)) * made.step_min / 60
    day = hours % 24
    it = np.broadcast_to(np.asarray(it_kw, np.float64), (len(index),)).copy()
    if moved:
        it += np.where((day >= 18) & (day < 21), -50.0, 0.0) + np.where(day < 3, 50.0, 0.0)
    wet = 22 + 4 * np.sin((day - 9) / 24 * 2 * np.pi) + 0.3 * (hours / 24 % 7)
    cooling = it * 0.1 * overhead * (1 + 0.05 * (wet - 22))
    frame = pd.DataFrame(0.0, index=index, columns=list(FRAME_COLUMNS))
    frame["site"] = "hall"
    frame["it_kw"], frame["server_fan_kw"] = it, 0.02 * it
    frame["cooling_kw"] = cooling
    for share, name in zip((0.1, 0.5, 0.05, 0.2, 0.0, 0.05, 0.0, 0.1), COOLING_PARTS, strict=True):
        frame[name] = share * cooling
    frame["electrical_loss_kw"], frame["other_kw"] = 0.05 * it, 4.0
    frame["pv_kw"] = np.maximum(0, 60 * np.sin((day - 6) / 12 * np.pi))
    load = frame[["it_kw", "cooling_kw", "electrical_loss_kw", "other_kw"]].sum(axis=1)
    net = load - frame["pv_kw"]
    frame["grid_import_kw"], frame["grid_export_kw"] = net.clip(lower=0), (-net).clip(lower=0)
    frame["water_l_per_h"], frame["water_evaporated_l_per_h"] = 0.5 * it, 0.4 * it
    frame["water_blowdown_l_per_h"] = 0.1 * it
    frame["wetbulb_degc"], frame["drybulb_degc"] = wet, wet + 4
    frame["supply_air_degc"] = supply_degc + np.where(day < 6, 1.0, 0.0) * (supply_degc != 24)
    modes = np.select([wet < 20.5, wet < 24], ["dry", "wet"], "wet_dx").astype(object)
    frame["mode"] = modes
    frame["gpus_busy"], frame["gpus_allocatable"] = it, 800.0
    frame["grid_kgco2e_per_kwh"] = 0.57 + 0.1 * np.sin((day - 15) / 24 * 2 * np.pi)
    frame["tariff_cny_per_kwh"] = np.where((day >= 18) & (day < 21), 1.0, 0.5)
    steps = len(index)
    gpus = frame["gpus_busy"].to_numpy()[None, :]
    table = jobs(moved)
    ran = table["start_s"].notna().to_numpy()
    start_s, end_s = (table[name].to_numpy(np.float64) for name in ("start_s", "end_s"))
    run = JobRun(
        start_s,
        end_s,
        Runs(np.flatnonzero(ran), start_s[ran], end_s[ran]),
        np.array([False, False, False]),
        np.maximum(it - 100.0, 0.0)[None, :],
        np.full((1, steps), 100.0),
        gpus,
        np.zeros((1, steps)),
        np.zeros((1, steps)),
        np.zeros(steps),
    )
    points = SetPoints.at_rest(frame["supply_air_degc"].to_numpy())
    return Trace(
        variant=variant,
        scenario=made,
        frame=frame,
        jobs=table,
        job_runs={"hall": run},
        setpoints={"hall": points},
        schedule=None,
        accounts=accounts(table, frame, made.step_min / 60),
        counts={
            "generator_kwh": 0.0,
            "restarts_above_limit": 0,
            "unserved_kwh": 0.0,
            "dark_gpu_h": 0.0,
            "unmet_cooling_kwh": 0.0,
            "unmet_cooling_steps": 0,
            "import_above_limit_kwh": 0.0,
            "import_above_limit_steps": 0,
            "inlet_above_limit_steps": 0,
            "inlet_above_class_steps": 0,
            "jobs_refused": 0,
            "planned_starts_missed": 0,
        },
        incidents=pd.DataFrame(columns=list(INCIDENT_COLUMNS)),
        labels={"jobs": "made up", "weather": "made up"},
        synthetic=("jobs", "weather"),
        notes=("nothing was filled",),
        balance_residual=0.0,
    )


def without_jobs(run: Trace) -> Trace:
    """The same run with nothing to do."""
    none, mine = np.zeros(0), run.job_runs["hall"]
    runs = Runs(np.zeros(0, np.int64), none, none)
    nothing = replace(mine, start_s=none, end_s=none, runs=runs, refused=np.zeros(0, bool))
    return replace(run, jobs=run.jobs.iloc[:0], job_runs={"hall": nothing})


def accounts(table: pd.DataFrame, frame: pd.DataFrame, step_h: float) -> dict[str, float]:
    """What the three jobs did not take is unallocated."""
    flows = flows_of(frame, water_cny_per_m3=5.0)
    found = {}
    for share, what in zip(SHARES, ACCOUNTS, strict=True):
        taken, whole = float(table[share].sum()), float(flows[share].sum()) * step_h
        found |= {
            f"jobs_{what}": taken, f"unallocated_{what}": whole - taken, f"meter_{what}": whole
        }  # fmt: skip
    return found


def jobs(moved: bool) -> pd.DataFrame:
    """Three jobs: one ends, one is late, one still waits."""
    return pd.DataFrame(
        {
            "job_id": ["a", "b", "c"],
            "user": ["u", "u", "v"],
            "vc": ["x", "x", "x"],
            "class": ["train", "debug", "train"],
            "site": ["hall"] * 3,
            "pool": ["pool"] * 3,
            "gpu_count": [8, 8, 16],
            "submit_s": [0.0, 0.0, 7200.0],
            "start_s": [0.0, 3600.0 + 1800.0 * moved, np.nan],
            "end_s": [3600.0, 9000.0 + 1800.0 * moved, np.nan],
            "deadline_s": [np.inf, 10_000.0, np.inf],
            "state": ["completed", "completed", "waiting"],
            "reason": [""] * 3,
            "wait_s": [0.0, 3600.0, 7200.0],
            "deferred_s": [0.0, 1800.0 * moved, 0.0],
            "ran_s": [3600.0, 5400.0, 0.0],
            "useful_s": [3600.0, 5400.0, 0.0],
            "power_cap_frac": [1.0, 1.0, 1.0],
            "slowed_s": [0.0, 0.0, 0.0],
            "stops": [0, 0, 0],
            "late": [False, moved, False],
            "warm": [True, False, False],
            "energy_kwh": [1.0, 2.0, 0.0],
            "cooling_share_kwh": [0.1, 0.2, 0.0],
            "kgco2e": [0.5, 1.0, 0.0],
            "water_l": [0.1, 0.2, 0.0],
            "cost_cny": [0.5, 1.0, 0.0],
        }
    )


def statement(run: Trace, book: str, t_per_mwh: Decimal) -> Statement:
    """A statement over the purchase of a run."""
    wh = round(run.kwh("grid_import_kw") * 1000)
    factor = GridFactor(
        name=f"factor-{book}", id="factor", version="1", value=t_per_mwh, unit_num="t",
        unit_den="MWh", gas="CO2", basis="direct", kind="average", geography="CN-SH",
        data_year=2022, publisher="somebody", document_no="1", status="assumed",
        source="assumed: a test",
    )  # fmt: skip
    made = run.scenario
    cell = Cell("hall", 2023, "grid_average", wh, "Wh", factor, 1, factor.tonnes(wh))
    return Statement(
        book, run.variant, (made.start.astimezone(UTC), made.end.astimezone(UTC)),
        date(2024, 4, 30), None, (cell,), "p" * 64, Decimal(0), True, True,
        ("a factor one year earlier",), "h" * 64, "CO2 only", 7, "b" * 64,
    )  # fmt: skip


def books(run: Trace) -> dict[str, Statement]:
    return {
        "S2-LB": statement(run, "S2-LB", FACTOR_T_PER_MWH),
        "S2-MB-2015": statement(run, "S2-MB-2015", MARKET_T_PER_MWH),
    }


def schedule(run: Trace) -> Schedule:
    """Promises one per cent more than the run delivers."""
    facility = run.facility_kw.resample("60min").mean()
    promised = pd.DataFrame(
        {"facility_kw": facility * 1.01, "it_kw": 0.0, "import_kw": 0.0, "objective": 0.0}
    )
    decisions = pd.DataFrame(
        {
            "job_id": ["a", "b", "c"],
            "status": ["started", "started", "deferred"],
            "start_s": [0.0, 5400.0, np.nan],
            "moved_s": [0.0, 1800.0, 0.0],
            "power_cap_frac": [1.0, 1.0, 1.0],
            "pool": ["pool"] * 3,
            "site": ["hall"] * 3,
            "reason": ["", "moved by the plan", "no boards free inside the horizon"],
            **stop_columns({}, 3),
        }
    )
    proof = WindowProof(
        "hall", "2023-07-03T00:00:00+08:00", "optimal", "kg", 100.0, 99.9, 0.001, (),
        0.0012, 105.0, "0" * 64, 10, 20, 3, 2, 1, "", "", False, 0.1, 0.2, 0.3,
    )  # fmt: skip
    return Schedule(
        decisions, dict(run.setpoints), (proof,), {"hall": promised}, "emissions", "perfect"
    )


def study(**changes: Any) -> Study:
    """Baseline, plan and both halves of a made-up week."""
    made = changes.pop("scenario", None) or scenario()
    runs = {
        "baseline": trace(made, "baseline"),
        "optimized": trace(made, "optimized", overhead=0.9, supply_degc=25.0, moved=True),
        "setpoints_only": trace(made, "setpoints_only", overhead=0.9, supply_degc=25.0),
        "shifting_only": trace(made, "shifting_only", moved=True),
    }
    values: dict[str, Any] = {
        "runs": runs,
        "schedule": schedule(runs["optimized"]),
        "prices": {"hall": Prices(demand_cny_per_kw_month=31.0, water_cny_per_m3=5.0)},
        "statements": {name: books(run) for name, run in runs.items()},
        "assumptions": (
            AssumptionVerdict(
                "deferrable share", "share of GPU time", "0.3", "0.1", "0.5",
                "published nowhere", "assumed: half of it with 6 h slack",
                "saving of scope 2, location-based, over the run", 0.02, 0.018, None, "not run",
            ),
        ),
    }  # fmt: skip
    return Study(**(values | changes))
