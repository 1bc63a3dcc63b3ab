import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.errors import SeriesError
from aidc.job import JobTable
from aidc.workload.flexibility import deferrable_classes, deferrable_gpu_time_frac, with_slack
from aidc.workload.homes import classes
from aidc.workload.lots import fnv1a, lots
from tests.w1 import w1_jobs

JOBS = w1_jobs(1).take(np.arange(5_000))
ALL = ("w1",)  # the class of every W1 job
IDS = st.lists(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12),
    min_size=1,
    max_size=20,
)


def test_fnv1a_gives_the_published_test_vectors() -> None:
    # RFC 9923, 64-bit FNV-1a
    texts = np.array(["", "a", "b", "foobar"], object)
    wanted = [0xCBF29CE484222325, 0xAF63DC4C8601EC8C, 0xAF63DF4C8601F1A5, 0x85944171F73967E8]
    assert fnv1a(texts).tolist() == wanted


@given(IDS)
def test_a_lot_hangs_on_the_id_alone_and_not_on_its_neighbours(ids: list[str]) -> None:
    together = lots(np.array(ids, object), "deferrable")
    alone = [float(lots(np.array([name], object), "deferrable")[0]) for name in ids]
    assert together.tolist() == alone
    assert ((together >= 0) & (together < 1)).all()


def test_lots_are_uniform_and_purposes_are_independent() -> None:
    ids = np.array([f"job-{i:07d}" for i in range(200_000)], object)
    one, other = lots(ids, "deferrable"), lots(ids, "slack")
    counts, _ = np.histogram(one, 100, (0, 1))
    assert ((counts - 2_000) ** 2 / 2_000).sum() == pytest.approx(99, abs=5 * np.sqrt(2 * 99))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(len(ids))
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 4 / np.sqrt(len(ids))


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_greater_deferrable_share_only_adds_jobs(a: float, b: float) -> None:
    less, more = (with_slack(JOBS, frac, (6.0, 24.0), ALL) for frac in sorted((a, b)))
    waits = less.slack_s > 0
    assert (more.slack_s[waits] == less.slack_s[waits]).all()
    assert deferrable_gpu_time_frac(more) >= deferrable_gpu_time_frac(less)


@given(st.floats(0, 1), st.lists(st.floats(0.1, 48), min_size=1, max_size=4))
def test_deadlines_leave_room_for_the_slack_and_the_run(frac: float, slack_h: list[float]) -> None:
    jobs = with_slack(JOBS, frac, tuple(slack_h), ALL).check()
    waits = jobs.slack_s > 0
    assert np.isinf(jobs.deadline_s[~waits]).all()
    room_s = jobs.deadline_s[waits] - jobs.submit_s[waits] - jobs.run_s[waits]
    assert room_s == pytest.approx(jobs.slack_s[waits], abs=1e-6)


def test_the_share_and_its_halves_are_as_asked() -> None:
    jobs = with_slack(w1_jobs(1), 0.3, (6.0, 24.0), ALL)
    spread = 4 * np.sqrt(0.3 * 0.7 / len(jobs))
    assert (jobs.slack_s > 0).mean() == pytest.approx(0.3, abs=spread)
    assert (jobs.slack_s == 6 * 3_600).mean() == pytest.approx(0.15, abs=spread)
    assert (jobs.slack_s == 24 * 3_600).mean() == pytest.approx(0.15, abs=spread)
    assert deferrable_gpu_time_frac(jobs) == pytest.approx(0.3, abs=0.02)


def of_classes(shares: dict[str, float]) -> JobTable:
    return JOBS.with_columns(job_class=classes(JOBS.job_id, shares))


@given(st.floats(0.05, 1), st.floats(0, 1))
@settings(max_examples=20)
def test_the_share_is_of_all_jobs_as_far_as_classes_that_may_wait_allow(
    may_frac: float, asked_frac: float
) -> None:
    shares = {"training": may_frac, "debug": 1 - may_frac}
    table = of_classes(shares)
    jobs = with_slack(table, asked_frac, (6.0, 24.0), ("training",))
    waits = jobs.slack_s > 0
    assert set(jobs.job_class[waits]) <= {"training"}
    may = (table.job_class == "training").mean()
    spread = 5 * np.sqrt(0.25 / len(jobs))
    assert waits.mean() == pytest.approx(min(asked_frac, may), abs=spread)
    if asked_frac > may:
        assert waits.mean() == may  # all that there are


def test_no_class_that_may_wait_is_no_job_that_waits() -> None:
    assert not with_slack(JOBS, 1.0, (6.0,), ()).slack_s.any()


def test_nobody_puts_off_what_somebody_waits_for() -> None:
    assert deferrable_classes() == ("training", "fine-tune")


def test_running_jobs_never_wait() -> None:
    warm = JOBS.with_columns(warm=np.arange(len(JOBS)) % 2 == 0)
    jobs = with_slack(warm, 1.0, (6.0,), ALL)
    assert ((jobs.slack_s > 0) == ~warm.warm).all()


def test_nonsense_is_refused() -> None:
    with pytest.raises(SeriesError, match="outside 0 to 1"):
        with_slack(JOBS, 1.5, (6.0,), ALL)
    with pytest.raises(SeriesError, match="at least one delay"):
        with_slack(JOBS, 0.5, (), ALL)


def test_an_empty_table_has_no_deferrable_time() -> None:
    empty = with_slack(JOBS.take(np.arange(0)), 0.3, (6.0, 24.0), ALL)
    assert deferrable_gpu_time_frac(empty) == 0.0
