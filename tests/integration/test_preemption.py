"""Jobs that are stopped for others, through a whole run: they lose no work and no account loses them."""

from pathlib import Path

import pytest

import aidc
from aidc.errors import InputError

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
SMALL = [
    "end=2023-07-05T00:00:00+08:00", "workload.jobs_per_day=900", "pathway=null",
    "site.overrides={pools: [{name: a100, server: a100-8gpu, server_count: 40}]}",
    "baseline.policy=priority",
]  # fmt: skip
PREEMPTS = "baseline.queue.preempts=[training, fine-tune]"


def test_stopped_jobs_go_on_and_urgent_ones_wait_less() -> None:
    patient = aidc.simulate(aidc.load(WEEK, sets=SMALL))
    stopping = aidc.simulate(aidc.load(WEEK, sets=[*SMALL, PREEMPTS]))
    stopped = stopping.jobs[stopping.jobs["stops"] > 0]
    assert len(stopped) > 0
    assert set(stopped["class"]) <= {"training", "fine-tune"}
    ended = stopped[stopped["state"].isin(["completed", "failed", "cancelled"])]
    assert (ended["end_s"] - ended["start_s"] > ended["ran_s"] + 1).all(), (
        "there are gaps in their runs"
    )
    same = patient.jobs.set_index("job_id").loc[ended["job_id"]]
    both = same["state"].isin(["completed", "failed", "cancelled"]).to_numpy()
    assert ended["ran_s"].to_numpy()[both] == pytest.approx(same["ran_s"].to_numpy()[both])
    urgent = {
        name: trace.jobs.loc[trace.jobs["class"] == "inference", "wait_s"].mean()
        for name, trace in (("patient", patient), ("stopping", stopping))
    }
    assert urgent["stopping"] < urgent["patient"]
    for trace in (patient, stopping):
        parts = trace.accounts["jobs_kwh"] + trace.accounts["unallocated_kwh"]
        assert parts == pytest.approx(trace.accounts["meter_kwh"], rel=1e-9)


def test_a_plan_over_runs_that_may_be_broken_is_refused() -> None:
    with pytest.raises(InputError, match="a plan takes runs as unbroken"):
        aidc.plan(aidc.simulate(aidc.load(WEEK, sets=[*SMALL, PREEMPTS])))
