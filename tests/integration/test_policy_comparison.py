"""Every queue policy on the same real jobs, and the page that compares them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.trace import Trace

DOCS = Path(__file__).parents[2] / "docs"
FIRST_WEEKS = {"start": "2022-09-05T00:00:00+08:00", "end": "2022-10-05T00:00:00+08:00"}
H_S = 3_600
POLICIES = (
    "fifo", "sjf", "easy_backfill", "conservative_backfill", "priority", "fair_share", "deadline",
    "carbon", "price",
)  # fmt: skip


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_policies", DOCS / "compare_policies.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare_policies"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "policies.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def runs(compare: ModuleType, real_data: Path) -> dict[str, Trace]:
    """The first busy week, after which many jobs still run or wait."""
    short = compare.scenario().replace_all(FIRST_WEEKS)
    return {policy: aidc.simulate(short.replace("baseline.policy", policy)) for policy in POLICIES}


@pytest.mark.real_data
@pytest.mark.parametrize("policy", ["fifo", "sjf", "carbon"])
def test_a_row_of_the_page_is_what_its_policy_does(
    compare: ModuleType, page: str, real_data: Path, policy: str
) -> None:
    """Three of the rows, so that the test stays short; in their last digit but one."""
    assert compare.row(compare.run(policy)) == pytest.approx(
        compare.rows_of(page)[policy], rel=2e-3, abs=0.1
    )


@pytest.mark.real_data
def test_the_page_is_what_the_script_writes_of_its_rows(
    compare: ModuleType, page: str, real_data: Path
) -> None:
    assert compare.page(compare.rows_of(page), compare.facts()) == page


def test_the_page_has_a_row_for_every_policy_and_shows_its_chart(
    compare: ModuleType, page: str
) -> None:
    assert compare.POLICIES == POLICIES
    assert tuple(compare.rows_of(page)) == tuple(compare.CASES)
    assert "(policies.png)" in page
    assert (DOCS / "policies.png").read_bytes().startswith(b"\x89PNG")


def test_what_the_page_says_in_words_holds_in_its_table(compare: ModuleType, page: str) -> None:
    every = compare.rows_of(page)
    rows = {policy: every[policy] for policy in POLICIES}
    assert min(rows, key=lambda policy: rows[policy]["mean wait h"]) == "sjf"
    assert max(rows, key=lambda policy: rows[policy]["max h"]) == "sjf"
    assert [policy for policy in rows if rows[policy]["late"] == 0] == ["deadline"]
    assert [policy for policy in rows if rows[policy]["refused"] > 0] == ["deadline"]
    alike = [every[f"{name}, exact limits"]["mean wait h"] for name in compare.BACKFILLS]
    assert alike[0] == pytest.approx(alike[1], rel=0.02)
    above = compare.above_fifo(rows, "g CO2e a GPU-h")
    blind = [above[policy] for policy in POLICIES if policy not in ("carbon", "price")]
    assert abs(above["carbon"]) <= max(blind) - min(blind)


@pytest.mark.real_data
def test_every_policy_has_all_jobs_of_the_file_up_to_the_same_midnight(
    runs: dict[str, Trace], real_data: Path
) -> None:
    submitted = pd.read_csv(real_data / "jobs/philly_jobs_2017.csv.gz")["timestamp"]
    given = ["job_id", "user", "vc", "class", "pool", "gpu_count", "submit_s"]
    for trace in runs.values():
        assert trace.jobs[given].equals(runs["fifo"].jobs[given])
        assert len(trace.jobs) == (submitted < "2017-10-04").sum()


@pytest.mark.real_data
def test_gpu_hours_delivered_and_left_undone_are_those_submitted_under_every_policy(
    compare: ModuleType, runs: dict[str, Trace]
) -> None:
    """Delivered is the plant's count by the step; left undone is the rest of each job's recorded run."""
    left_gpu_h = {}
    for policy, trace in runs.items():
        jobs, table = trace.jobs, compare.drivers_of(trace.scenario).jobs
        end_s = trace.scenario.horizon("hall").length_s
        start_s, state = jobs["start_s"].to_numpy(), jobs["state"].to_numpy()
        done_s = np.nan_to_num(np.minimum(end_s - start_s, table.run_s))
        left_gpu_h[policy] = float((table.gpu_count * (table.run_s - done_s)).sum() / H_S)
        delivered_gpu_h = trace.frame["gpus_busy"].sum() * trace.step_h
        assert delivered_gpu_h + left_gpu_h[policy] == pytest.approx(
            table.gpu_s.sum() / H_S, rel=1e-9
        )
        assert set(state[done_s < table.run_s - 1e-6]) <= {"running", "waiting", "refused"}
        assert (done_s[np.isin(state, ["waiting", "refused"])] == 0).all()
        refused = state == "refused"
        assert refused.any() == (policy == "deadline")
        assert trace.frame["gpus_busy"].max() <= 704 + 1e-9
    assert len({round(left, 3) for left in left_gpu_h.values()}) > 5  # they are no one policy
