"""A run by the week against the same run in one piece, and what happens when it is stopped."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.api import jobs as api_jobs
from aidc.api import long_run
from aidc.api.progress import Stages
from aidc.catalog import row
from aidc.equipment import Row
from aidc.errors import InputError
from aidc.reporting.job_figures import job_figures
from aidc.reporting.tenants import SUMS as SHARES_TOLD
from aidc.scenario import Scenario
from aidc.simulation import repairs
from aidc.trace import ACCOUNTS, SHARES
from aidc.workload.traces import write_swf

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
QUIET = Stages(quiet=True)
SUMS = [*SHARES, "ran_s", "useful_s"]


def recorded(folder: Path, policy: str, faults: str = "no-faults") -> Scenario:
    """Sixteen days of generated jobs as a recorded trace, on a site that is too small for them."""
    made = aidc.load(WEEK, sets=["end=2023-07-19T00:00:00+08:00", "pathway=null", *SMALL])
    from aidc.api.drivers import drivers_of

    file = folder / "jobs.swf"
    write_swf(drivers_of(made).jobs, file)
    work = f"{{kind: trace, format: swf, file: {file}, epoch: 2023-07-03T00:00:00+08:00, limit_factor: 2, faults: {faults}}}"
    return aidc.load(
        WEEK,
        sets=[
            "end=2023-07-19T00:00:00+08:00", "pathway=null", *SMALL[1:], f"workload={work}",
            f"baseline.policy={policy}",
        ],
    )  # fmt: skip


def with_many_faults(table: str, model: type[Row], name: str) -> Row:
    """A row of the catalog; gangs fail fifty times as often, and nodes are away for two days."""
    found = row(table, model, name)
    if table == "fault_rules" and name != "no-faults":
        return found.model_copy(update={"mtbf_gpu_h": 1_000.0, "repair_s": 172_800.0})
    return found


SMALL = [
    "workload.jobs_per_day=500",
    "site.overrides={pools: [{name: a100, server: a100-8gpu, server_count: 30}]}",
]


@pytest.mark.parametrize(
    ("policy", "faults"),
    [(policy, "no-faults") for policy in long_run.POLICIES]
    + [(policy, "half-hour-recovery") for policy in ("fifo", "easy_backfill")],
)
def test_weeks_give_the_same_starts_energies_and_columns_as_one_piece(
    tmp_path: Path, policy: str, faults: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if faults != "no-faults":
        for module in (api_jobs, repairs):
            monkeypatch.setattr(module, "row", with_many_faults)
    scenario = recorded(tmp_path, policy, faults)
    whole = aidc.simulate(scenario)
    assert (whole.jobs["wait_s"] > 0).sum() > 100, "the queue carries over the weeks"
    summary = long_run.simulate_long(scenario, tmp_path / "long", QUIET)
    pieces = sorted((tmp_path / "long" / "pieces").iterdir())
    assert len(pieces) == 3
    jobs = pd.concat([pd.read_parquet(one / "jobs.parquet") for one in pieces])
    jobs = jobs.set_index("job_id").loc[whole.jobs["job_id"]].reset_index()
    for name in ("start_s", "end_s", "submit_s", "wait_s"):
        np.testing.assert_allclose(
            jobs[name], whole.jobs[name], rtol=1e-12, atol=1e-6, err_msg=name
        )
    assert (jobs["state"].to_numpy(str) == whole.jobs["state"].to_numpy(str)).all()
    for name in SUMS:
        np.testing.assert_allclose(jobs[name], whole.jobs[name], rtol=1e-9, atol=1e-9, err_msg=name)
    frame = pd.read_parquet(tmp_path / "long" / "trace-baseline.parquet")
    for name in frame.select_dtypes("number"):
        np.testing.assert_allclose(
            frame[name], whole.frame[name], rtol=1e-9, atol=1e-6, err_msg=name
        )
    assert summary["jobs"] == len(whole.jobs)
    assert (whole.counts.get("nodes_repaired", 0) > 20) == (faults != "no-faults")
    for name in ("nodes_repaired", "gpu_h_out_of_service", "gpu_h_without_spare"):
        assert summary["counts"].get(name, 0) == pytest.approx(whole.counts.get(name, 0)), name
    assert summary["submitted"] == summary["jobs"]
    waits, wanted = summary["waits"], job_figures(whole)["waits"]
    assert list(waits) == list(wanted)
    table = whole.jobs[~whole.jobs["warm"]]
    for name, found in waits.items():
        mine = table if name == "all" else table[table["class"] == name]
        for exact in ("jobs", "censored", "mean_s", "max_s"):
            assert found[exact] == pytest.approx(wanted[name][exact], rel=1e-9), (name, exact)
        for percent in (50, 95, 99):
            at_s = np.percentile(mine["wait_s"], percent, method="lower")
            assert 0.99 * at_s - 0.6 <= found[f"p{percent}_s"] <= at_s + 1e-6, (name, percent)
    shares = pd.read_csv(tmp_path / "long" / "tenants.csv", index_col="vc")
    own = whole.jobs.groupby("vc")
    assert len(own) > 3
    for name, share in zip(SHARES_TOLD, SHARES, strict=True):
        taken = own[share].sum()
        np.testing.assert_allclose(shares.loc[taken.index, name], taken, rtol=1e-9, err_msg=name)
        assert shares[name].iloc[:-1].sum() == pytest.approx(shares.loc["(site)", name], rel=1e-9)
        account = f"meter_{ACCOUNTS[SHARES_TOLD.index(name)]}"
        assert shares.loc["(site)", name] == pytest.approx(whole.accounts[account], rel=1e-9)
    assert shares["gpu_h"].iloc[:-1].sum() == pytest.approx(shares.loc["(site)", "gpu_h"])
    assert shares["jobs"].iloc[:-1].sum() == shares.loc["(site)", "jobs"] == len(whole.jobs)
    assert summary["jobs_kwh"] + summary["unallocated_kwh"] == pytest.approx(summary["it_kwh"])


def test_a_run_that_was_stopped_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    scenario = aidc.load(
        WEEK, sets=["end=2023-07-19T00:00:00+08:00", "pathway=null", "workload.jobs_per_day=300"]
    )
    first = long_run.simulate_long(scenario, tmp_path / "a", QUIET)
    second = long_run.simulate_long(scenario, tmp_path / "b", QUIET)
    for week in (1, 2):
        (tmp_path / "b" / "pieces" / f"{week:03d}" / "piece.json").unlink()
    begun = (tmp_path / "b" / "pieces" / "000" / "piece.json").stat().st_mtime_ns
    third = long_run.simulate_long(scenario, tmp_path / "b", QUIET)
    assert (tmp_path / "b" / "pieces" / "000" / "piece.json").stat().st_mtime_ns == begun
    for name in first.keys() - {"cpu_s", "memory_gb"}:
        assert first[name] == second[name] == third[name], name
    assert json.loads((tmp_path / "b" / "summary.json").read_text())["jobs"] == first["jobs"]
    ids = [
        job
        for one in sorted((tmp_path / "b" / "pieces").iterdir())
        for job in pd.read_parquet(one / "jobs.parquet")["job_id"]
    ]
    assert len(ids) == len(set(ids)) == first["jobs"], "every job is told once"


def test_a_chiller_that_starts_with_a_week_is_counted(tmp_path: Path) -> None:
    trip = "start: 2023-07-09T22:00:00+08:00, end: 2023-07-10T00:00:00+08:00, lost: 100 %"
    jobs = tmp_path / "jobs.swf"
    jobs.write_text("1 0 0 86400 8 -1 -1 8 86400 -1 1 1 1 1 1 1 -1 -1\n")
    work = f"{{kind: trace, format: swf, file: {jobs}, epoch: 2023-07-03T00:00:00+08:00, limit_factor: 2}}"
    scenario = aidc.load(
        WEEK,
        sets=[
            "end=2023-07-11T00:00:00+08:00", "pathway=null", "site.model=reference-chilled-water",
            f"workload={work}", f"events=[{{kind: cooling_trip, {trip}}}]",
        ],
    )  # fmt: skip
    whole = aidc.simulate(scenario)
    running = whole.frame["chillers_on"].to_numpy()
    assert running[671] < running[672], "the machines come back with the second week"
    summary = long_run.simulate_long(scenario, tmp_path / "long", QUIET)
    starts = np.maximum(np.diff(running), 0.0).sum()
    assert summary["counts"]["chiller_starts"] == whole.counts["chiller_starts"] == starts


def test_another_scenario_does_not_go_on_in_the_same_folder(tmp_path: Path) -> None:
    sets = ["end=2023-07-04T00:00:00+08:00", "pathway=null", "workload.jobs_per_day=100"]
    long_run.simulate_long(aidc.load(WEEK, sets=sets), tmp_path / "a", QUIET)
    with pytest.raises(InputError, match="another scenario"):
        long_run.simulate_long(aidc.load(WEEK, sets=sets, seed=1), tmp_path / "a", QUIET)


def test_a_queue_with_a_memory_is_refused(tmp_path: Path) -> None:
    scenario = aidc.load(WEEK, sets=["baseline.policy=fair_share"])
    with pytest.raises(InputError, match="fair_share cannot be run by the week"):
        long_run.simulate_long(scenario, tmp_path / "a", QUIET)


def test_jobs_that_may_be_stopped_are_refused(tmp_path: Path) -> None:
    sets = ["baseline.policy=priority", "baseline.queue.preempts=[training]"]
    with pytest.raises(InputError, match="who was stopped is not carried"):
        long_run.simulate_long(aidc.load(WEEK, sets=sets), tmp_path / "a", QUIET)
