import math
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.workload.flexibility import with_slack
from aidc.workload.inference import (
    Service,
    generate_service,
    load_service,
    never_waiting,
    offered_gpus,
    replicas,
    requests,
    sessions,
)
from aidc.workload.mix import Mix, generate_mix, load_mix
from tests.w1 import bare_site, w1_pool

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2023, 7, 3, tzinfo=SHANGHAI)
SITE = bare_site("one", w1_pool())
SERVICE = load_service("inference-service")
FLAT = (1.0, 1.0)
PER_DAY = 20e6


def days(count: float) -> Horizon:
    return Horizon(MONDAY, MONDAY + timedelta(days=count), 60, "Asia/Shanghai")


def served(count: float = 7, per_day: float = PER_DAY) -> JobTable:
    return generate_service(
        SERVICE, per_day, days(count), (SITE,), ramp=FLAT, warm_start="stationary"
    ).check()


def running(jobs: JobTable, at_s: float) -> int:
    return int(((jobs.submit_s <= at_s) & (at_s < jobs.submit_s + jobs.run_s)).sum())


def test_a_request_takes_the_time_of_its_context_and_of_its_answer() -> None:
    # 1,154.7 tokens at 10,375 a second and 211.1 at 1,223 a second
    assert SERVICE.busy_s_per_request == pytest.approx(0.11130 + 0.17261, rel=1e-4)


def test_replica_rates_are_those_of_the_published_throughput_table() -> None:
    # TensorRT-LLM 0.6.1, LLaMA 70B, H100 FP8, tensor parallel 2; generated tokens a second and GPU
    context = (2048 - 128) / (128 / 306 - 128 / 2657)
    generated = 2048 / (2048 / 547 - 2048 / context)
    assert SERVICE.replica.gpu_count == 2
    assert SERVICE.replica.context_tokens_per_s == pytest.approx(2 * context, rel=1e-3)
    assert SERVICE.replica.generated_tokens_per_s == pytest.approx(2 * generated, rel=1e-3)


@pytest.mark.real_data
def test_tokens_are_those_of_the_public_trace(real_data: Path) -> None:
    rows = pd.read_csv(real_data / "jobs/azure_llm_2023_conv.csv.gz")
    assert SERVICE.context_tokens_mean == pytest.approx(rows["ContextTokens"].mean(), abs=0.05)
    assert SERVICE.generated_tokens_mean == pytest.approx(rows["GeneratedTokens"].mean(), abs=0.05)


def test_requests_add_up_to_the_week_and_peak_in_working_hours() -> None:
    expected = requests(SERVICE, PER_DAY, FLAT, days(7))
    assert expected.expected.sum() == pytest.approx(7 * PER_DAY, rel=1e-12)
    by_hour = expected.expected[:-1].reshape(7, 24).sum(axis=0)
    assert by_hour.argmax() == 15
    assert by_hour.argmin() == 4


def test_no_replica_is_busier_than_the_target_and_one_less_would_be() -> None:
    expected = requests(SERVICE, PER_DAY, FLAT, days(7))
    kept = replicas(SERVICE, expected)[:-1]
    busy = expected.expected[:-1] * SERVICE.busy_s_per_request / 3_600
    assert (busy / kept <= SERVICE.busy_target_frac + 1e-12).all()
    assert (busy / (kept - 1) > SERVICE.busy_target_frac).all()
    assert SERVICE.busy_target_frac - (busy.sum() / kept.sum()) < 0.01  # of over 50 replicas


def test_few_requests_leave_the_least_number_of_replicas() -> None:
    jobs = served(2, per_day=10.0)
    assert len(jobs) == SERVICE.replicas_min
    assert (jobs.run_s == 2 * 86_400).all()


def test_sessions_add_up_to_the_replicas_of_every_hour() -> None:
    jobs, horizon = served(), days(7)
    kept = replicas(SERVICE, requests(SERVICE, PER_DAY, FLAT, horizon))
    for hour in range(7 * 24):
        assert running(jobs, 3_600 * hour) == kept[hour]
        assert running(jobs, 3_600 * hour + 3_599) == kept[hour]
    gpu_h = (jobs.gpu_s / 3_600).sum()
    assert gpu_h == pytest.approx(kept[:-1].sum() * SERVICE.replica.gpu_count, rel=1e-12)


def test_gpus_are_those_offered_but_for_whole_replicas() -> None:
    mean = float(served().gpu_s.sum()) / (7 * 86_400)
    offered = offered_gpus(SERVICE, PER_DAY)
    assert offered < mean < offered + SERVICE.replica.gpu_count
    assert offered == pytest.approx(PER_DAY / 86_400 * SERVICE.busy_s_per_request / 0.6 * 2)


@given(st.lists(st.integers(0, 12), max_size=40))
@settings(max_examples=200)
def test_sessions_cover_each_cell_as_often_as_it_is_kept(levels: list[int]) -> None:
    kept = np.array(levels, np.int64)
    replica, begin, end = sessions(kept)
    assert (end > begin).all()
    cover = [int(((begin <= cell) & (cell < end)).sum()) for cell in range(len(levels))]
    assert cover == levels
    for cell, level in enumerate(levels):  # no replica runs twice at once, and none is skipped
        on = replica[(begin <= cell) & (cell < end)]
        assert sorted(on.tolist()) == list(range(level))


def test_a_session_is_whole_and_never_longer_than_needed() -> None:
    replica, begin, end = sessions(np.array([1, 3, 3, 1, 2], np.int64))
    assert replica.tolist() == [0, 1, 2, 1]
    assert begin.tolist() == [0, 1, 1, 4]
    assert end.tolist() == [5, 3, 3, 5]


def test_replicas_that_ran_before_are_warm_and_others_are_not() -> None:
    jobs = served()
    assert (jobs.warm == (jobs.submit_s == 0)).all()
    cold = generate_service(SERVICE, PER_DAY, days(7), (SITE,), ramp=FLAT, warm_start="empty")
    assert not cold.warm.any()
    assert (cold.job_id == jobs.job_id).all()


def test_a_horizon_that_starts_and_ends_inside_an_hour_has_sessions_to_its_ends() -> None:
    start = MONDAY + timedelta(minutes=30)
    horizon = Horizon(start, start + timedelta(hours=5), 30, "Asia/Shanghai")
    jobs = generate_service(SERVICE, PER_DAY, horizon, (SITE,), ramp=FLAT, warm_start="stationary")
    assert (jobs.run_s > 0).all()
    assert (jobs.submit_s + jobs.run_s).max() == 5 * 3_600
    changes = np.unique(jobs.submit_s[jobs.submit_s > 0])
    assert (changes % 3_600 == 1_800).all()


def test_sessions_never_wait_even_where_slack_was_given_to_all() -> None:
    jobs = with_slack(served(), 1.0, (6.0,), ("inference",))
    assert (jobs.slack_s > 0).any()
    kept = never_waiting(jobs)
    assert (kept.slack_s == 0).all()
    assert np.isinf(kept.deadline_s).all()


def test_a_longer_answer_takes_more_replicas() -> None:
    longer = Service(**(SERVICE.model_dump() | {"generated_tokens_mean": 422.2}))
    assert offered_gpus(longer, PER_DAY) > 1.5 * offered_gpus(SERVICE, PER_DAY)


def mixed(seed: int = 7, mix: str = "mixed") -> JobTable:
    return generate_mix(
        load_mix(mix), 8_000.0, days(7), (SITE,), seed, ramp=FLAT, warm_start="stationary"
    ).check()


def of_part(jobs: JobTable, name: str) -> JobTable:
    return jobs.take(np.flatnonzero([i.startswith(f"{name}/") for i in jobs.job_id]))


def test_every_part_of_a_mix_is_there_and_the_service_has_its_share() -> None:
    jobs = mixed()
    parts = {part.name: of_part(jobs, part.name) for part in load_mix("mixed").parts}
    assert sum(map(len, parts.values())) == len(jobs)
    serving = float(parts["inference-service"].gpu_s.sum()) / (7 * 86_400)
    assert serving == pytest.approx(0.25 * 8_000, rel=1e-3)
    # 0.4 x 8,000 GPUs over 49,351 GPU-s a job
    fresh = ~parts["research-cluster"].warm
    wanted = 7 * 86_400 * 0.4 * 8_000 / 49_351.2
    assert fresh.sum() == pytest.approx(wanted, abs=4 * math.sqrt(wanted))


def test_parts_of_a_mix_arrive_apart_from_each_other() -> None:
    jobs = mixed()
    one = of_part(jobs, "research-cluster").submit_s
    two = of_part(jobs, "training-heavy").submit_s
    edges = np.arange(0, 7 * 86_400 + 1, 3_600)
    first, second = np.histogram(one, edges)[0], np.histogram(two, edges)[0]
    ours = first / first.mean() - second / second.mean()
    # two Poisson processes of one shape differ by their own noise; one stream for both would not
    assert np.var(ours) > 0.5 * (1 / first.mean() + 1 / second.mean())


def test_a_mix_draws_the_same_whatever_stands_first_and_runs_start_first() -> None:
    jobs = mixed()
    mix = load_mix("mixed")
    turned = mix.model_copy(update={"parts": mix.parts[::-1]})
    other = generate_mix(
        turned, 8_000.0, days(7), (SITE,), 7, ramp=FLAT, warm_start="stationary"
    )  # fmt: skip
    assert (other.job_id == jobs.job_id).all()
    assert (other.run_s == jobs.run_s).all()
    warm = int(jobs.warm.sum())
    assert jobs.warm[:warm].all()
    assert (np.diff(jobs.submit_s) >= 0).all()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"profile": "philly", "gpu_time_frac": 0.9}], "add up to 0.9, not to 1"),
        ([{"profile": "philly", "service": "x", "gpu_time_frac": 1.0}], "either a profile or a service"),
        ([{"gpu_time_frac": 1.0}], "either a profile or a service"),
        ([{"profile": "philly", "gpu_time_frac": 0.5}] * 2, "a part stands twice"),
    ],
)  # fmt: skip
def test_a_mix_that_makes_no_sense_is_refused(parts: list[object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Mix.model_validate({"name": "bad", "parts": parts, "source": "a test"})
