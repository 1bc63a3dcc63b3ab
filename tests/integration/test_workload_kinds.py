"""Workloads as a scenario file gives them: services, mixes, faults, caps and boards."""

from pathlib import Path

import numpy as np
import pytest

import aidc
from aidc import catalog
from aidc.api import drivers_of
from aidc.api.ends import assumptions_of, cut
from aidc.api.long_run import _piece, _weeks
from aidc.api.manifest import inputs
from aidc.errors import ScenarioError
from aidc.job import JobTable
from aidc.scenario import Scenario
from aidc.workload.interruptions import FaultRules, training_run
from aidc.workload_inputs import GeneratedWorkload

SCENARIOS = Path(__file__).parents[2] / "scenarios"
WEEK, TRAINING = SCENARIOS / "lingang-week.yaml", SCENARIOS / "lingang-training-run.yaml"
SERVICE = SCENARIOS / "network-service.yaml"
DAY = "end=2023-07-04T00:00:00+08:00"
TWO = (
    "site.overrides={pools: [{name: old, server: v100-8gpu, server_count: 320}, "
    "{name: new, server: a100-8gpu, server_count: 320}]}"
)


def drawn(*sets: str) -> JobTable:
    return drivers_of(aidc.load(WEEK, sets=[DAY, *sets])).jobs


def test_a_service_never_waits_and_is_labelled_synthetic() -> None:
    scenario = aidc.load(SERVICE, variant="requests-only", sets=[DAY])
    trace = aidc.simulate(scenario)
    assert "jobs" in trace.synthetic
    assert "inference-service" in trace.labels["jobs"]
    jobs = drivers_of(scenario).jobs
    assert set(jobs.job_class) == {"inference"}
    assert not jobs.slack_s.any()
    assert np.isinf(jobs.deadline_s).all()


def test_only_the_sessions_of_a_mix_never_wait() -> None:
    jobs = drivers_of(aidc.load(SERVICE, sets=[DAY])).jobs
    serves = jobs.user == "service"
    assert 0 < serves.sum() < len(jobs)
    assert not jobs.slack_s[serves].any()
    assert jobs.slack_s[~serves].any()


def test_every_kind_has_its_own_load_among_the_ends_of_the_assumptions() -> None:
    def loads(scenario: Scenario) -> set[str]:
        keys = {row.key for row in assumptions_of(scenario) if row.key.startswith("workload.")}
        return keys - {"workload.class_power"}

    assert loads(aidc.load(WEEK)) == {"workload.jobs_per_day"}
    assert loads(aidc.load(SERVICE)) == {"workload.gpus"}
    alone = aidc.load(SERVICE, variant="requests-only")
    assert loads(alone) == {"workload.requests_per_day"}
    month = alone.replace_all({"end": "2023-08-07T00:00:00+08:00", "workload.ramp": [0.5, 1.5]})
    assert cut(month).raw["workload"]["ramp"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("workload.faults", "half-hour", r"fault_rules.csv has no 'half-hour'"),
        ("workload.mix", "mixd", r"models/mixes has no 'mixd' - did you mean 'mixed'"),
        ("workload.accepts", ["a100"], r"workload.accepts: gpus.csv has no 'a100'"),
        ("workload.accepts", {"training": ["a100"]}, r"workload.accepts.training: gpus.csv has no 'a100'"),
        ("workload.accepts", {"trainin": ["a100-sxm"]},
         r"workload.accepts.trainin: job_classes.csv has no 'trainin' - did you mean 'training'"),
        ("workload.accepts", {"training": "a100-sxm"}, r"workload.accepts.training: a list belongs here, not 'a100-sxm'"),
        ("workload.reference_gpu", "a100", r"workload.reference_gpu: gpu_speeds.csv has no 'a100'"),
        ("site.pools.0.power_cap", 0.3, r"0.3 is below 0.5, the lowest known of a100-sxm"),
        ("workload.runs", [{"name": "x", "gpu_count": 8, "work": "1 h", "job_class": "train"}],
         r"workload.runs.0.job_class: job_classes.csv has no 'train'"),
        ("workload.runs", [{"name": "x", "gpu_count": 8, "work": "1 h", "scaling": "sense"}],
         r"workload.runs.0.scaling: gang_scaling.csv has no 'sense'"),
        ("workload.runs", [{"name": "x", "gpu_count": 10001, "work": "1 h", "scaling": "sensetime"}],
         r"workload.runs.0.gpu_count: 10001 is beyond the 10000 that scaling sensetime is known to"),
    ],
)  # fmt: skip
def test_names_and_caps_are_checked_when_the_file_is_read(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        aidc.load(SERVICE).replace(key, value)
    if key == "workload.mix":
        with pytest.raises(ScenarioError, match="models/services has no 'x'"):
            aidc.load(SERVICE, variant="requests-only").replace("workload.service", "x")


def test_the_training_run_has_the_goodput_of_the_closed_form() -> None:
    scenario = aidc.load(TRAINING)
    run = scenario.workload.runs[0]
    assert (run.gpu_count, run.work_h) == (4096, 720.0)
    rules = catalog.row("fault_rules", FaultRules, scenario.workload.faults)
    expected = training_run(run.work_h * 3600, run.gpu_count, rules)
    copies = [{"name": f"copy-{i}", "gpu_count": 4096, "work": "30 d"} for i in range(300)]
    jobs = drivers_of(
        scenario.replace_all({"workload.jobs_per_day": 1.0, "workload.runs": copies})
    ).jobs
    mine = np.char.startswith(jobs.job_id.astype(str), "copy-")
    wall_s = jobs.run_s[mine]
    sem_s = wall_s.std() / np.sqrt(mine.sum())
    assert wall_s.mean() == pytest.approx(expected.wall_s, abs=4 * sem_s)
    goodput = jobs.useful_s[mine].sum() / wall_s.sum()
    assert goodput == pytest.approx(expected.goodput_frac, abs=0.002)


def test_the_training_run_ends_inside_its_month_and_its_interruptions_are_told() -> None:
    scenario = aidc.load(TRAINING)
    trace = aidc.simulate(scenario)
    jobs = drivers_of(scenario).jobs
    row = int(np.flatnonzero(jobs.job_id == "large-model")[0])
    ended = trace.jobs.set_index("job_id").loc["large-model"]
    assert ended["state"] == "completed"
    assert ended["wait_s"] == 0.0
    assert ended["end_s"] == pytest.approx(jobs.run_s[row])
    assert jobs.useful_s[row] == 30 * 86_400.0
    # 5 to 95 % of such runs, docs/jobs.md
    assert 32.0 < jobs.run_s[row] / 86_400 < 32.8
    assert any("interruptions are drawn" in note for note in trace.notes)
    untouched = drivers_of(aidc.load(TRAINING, variant="no-faults")).jobs
    assert (untouched.useful_s == untouched.run_s).all()
    assert not untouched.interruptions.any()


def test_a_run_at_perfect_scaling_takes_longer_by_the_published_efficiency() -> None:
    # 91.5 % on 1,024 GPUs: SenseTime prospectus 2021; 90 % on up to 10,000: results of 2023
    def hours(gpus: int, scaling: str) -> tuple[float, tuple[str, ...]]:
        runs = f"workload.runs=[{{name: r, gpu_count: {gpus}, work: 100 h, scaling: {scaling}}}]"
        drivers = drivers_of(aidc.load(WEEK, sets=[DAY, runs]))
        return float(drivers.jobs.run_s[drivers.jobs.job_id == "r"][0]) / 3600, drivers.notes

    taken_h, notes = hours(1024, "sensetime")
    assert 100 / taken_h == pytest.approx(0.915, abs=5e-4)
    assert (
        "r: 1024 GPUs keep 91.5% of their speed (scaling sensetime), so 100 h of work take 109.3 h "
        "on a100-sxm"
    ) in notes
    assert 100 / hours(10_000, "sensetime")[0] == pytest.approx(0.90, abs=0.012)
    taken_h, notes = hours(1024, "null")
    assert taken_h == 100.0
    assert not any("scaling" in note for note in notes)


def test_faults_leave_submissions_and_sizes_alone() -> None:
    plain, faulty = drawn(), drawn("workload.faults=half-hour-recovery")
    assert plain.submit_s.tolist() == faulty.submit_s.tolist()
    assert plain.gpu_count.tolist() == faulty.gpu_count.tolist()
    assert faulty.useful_s == pytest.approx(plain.run_s)
    assert faulty.interruptions.any()


def test_a_capped_pool_runs_longer_on_less_power() -> None:
    plain, capped = drawn(), drawn("site.pools.0.power_cap=70 %")
    training = plain.job_class == "training"
    assert (capped.run_s[training] > plain.run_s[training]).all()
    assert (capped.added_kw[training] < plain.added_kw[training]).all()
    debug = plain.job_class == "debug"  # draws less than the cap
    assert capped.run_s[debug] == pytest.approx(plain.run_s[debug])
    energy = [jobs.added_kw @ jobs.run_s for jobs in (plain, capped)]
    assert energy[1] < energy[0]


def test_jobs_run_longer_on_slower_boards_and_only_on_those_they_accept() -> None:
    both, one = drawn(TWO), drawn(TWO, "workload.accepts=[a100-sxm]")
    assert set(both.pool) == {"old", "new"}
    assert set(one.pool) == {"new"}
    old = both.pool == "old"
    assert both.useful_s[old] == pytest.approx(one.run_s[old] / 0.4)  # 125 of 312 TFLOPS
    assert both.run_s[~old] == pytest.approx(one.run_s[~old])


def test_classes_run_on_their_own_boards_and_named_runs_on_those_of_theirs() -> None:
    runs = "workload.runs=[{name: r, gpu_count: 8, work: 1 h, job_class: debug}]"
    by_class = drawn(TWO, "workload.accepts={debug: [v100-sxm2], inference: [v100-sxm2]}", runs)
    cheap = np.isin(by_class.job_class, ["debug", "inference"])
    assert set(by_class.pool[cheap]) == {"old"}
    assert set(by_class.pool[~cheap]) == {"old", "new"}
    assert by_class.pool[by_class.job_id == "r"].tolist() == ["old"]
    refused = drawn(TWO, "workload.accepts={debug: [h100-sxm]}", runs)
    assert ((refused.job_class == "debug") == ~refused.accepted).all()


def test_jobs_that_no_pool_accepts_are_refused_and_counted() -> None:
    scenario = aidc.load(WEEK, sets=[DAY, "workload.accepts=[h100-sxm]"])
    trace = aidc.simulate(scenario)
    assert set(trace.jobs["state"]) == {"refused"}
    assert trace.counts["jobs_refused"] == len(trace.jobs)
    assert set(trace.jobs["reason"]) == {"no pool has boards that it accepts"}
    assert any("no pool has boards that they accept" in note for note in trace.notes)
    _, schedule = trace, aidc.plan(trace)
    assert set(schedule.decisions["reason"]) == {"no pool has boards that it accepts"}


def test_a_long_run_submits_each_named_run_once() -> None:
    runs = [
        {"name": "first", "gpu_count": 8, "work": "20 d"},
        {"name": "second", "gpu_count": 8, "work": "1 d", "after": "8 d"},
    ]
    scenario = aidc.load(TRAINING).replace("workload.runs", runs)
    found = []
    for index, week in enumerate(_weeks(scenario)):
        work = _piece(scenario, week, index).workload
        assert isinstance(work, GeneratedWorkload)
        found += [(index, run.name, run.after_h, run.work_h) for run in work.runs]
    assert found == [(0, "first", 0.0, 480.0), (1, "second", 24.0, 24.0)]


def test_the_manifest_hashes_both_tables_of_a_pai_trace(tmp_path: Path) -> None:
    (tmp_path / "pai_job_table.csv").write_text(
        "job_name,inst_id,user,status,start_time,end_time\n"
    )
    (tmp_path / "pai_task_table.csv").write_text("job_name\n")
    work = (
        f"{{kind: trace, format: alibaba-2020, file: {tmp_path}/pai_job_table.csv, "
        "epoch: 2023-07-03T00:00:00+08:00, limit_factor: 2}"
    )
    before = inputs(scenario := aidc.load(WEEK, sets=[f"workload={work}"]))
    (tmp_path / "pai_task_table.csv").write_text("job_name,task_name\n")
    after = inputs(scenario)
    assert [name for name in before if before[name] != after[name]] == [
        (tmp_path / "pai_task_table.csv").as_posix()
    ]
