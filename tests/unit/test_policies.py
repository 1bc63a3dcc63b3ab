"""Queue policies by example: who goes first, who overtakes, who is stopped, refused or held back."""

import numpy as np
import pytest

import aidc
from aidc.errors import ScenarioError
from aidc.job import JobTable
from aidc.scenario import Policy, QueueRules
from aidc.simulation.policies import following_a_plan
from aidc.simulation.policies.carbon import CheapestWindow
from aidc.simulation.policies.conservative_backfill import ConservativeBackfill
from aidc.simulation.policies.fair_share import FairShare
from aidc.simulation.policies.priority import Priority
from aidc.simulation.policies.waiting import Peers
from tests.jobs import jobs
from tests.queues import PlainEasy, plain_starts, play, queue_of
from tests.w1 import GPUS_PER_NODE, w1_jobs
from tests.windows import SCENARIOS

END_S = 10_000.0


def starts(
    table: JobTable, policy: Policy, capacity: int = 8, rules: QueueRules | None = None
) -> list[float]:
    return play(table, capacity, queue_of(policy, table, capacity, rules), END_S).start_s.tolist()


def of_vc(table: JobTable, *names: str) -> JobTable:
    return table.with_columns(vc=np.array(names, object))


def of_class(table: JobTable, *names: str) -> JobTable:
    return table.with_columns(job_class=np.array(names, object))


def test_the_shortest_by_its_limit_goes_first() -> None:
    table = jobs([0, 1, 2, 3], [8, 8, 8, 8], [100, 5, 50, 20], limit_s=[100, 90, 50, 20])
    assert starts(table, "sjf", rules=QueueRules(ageing=0.0)) == [0.0, 170.0, 120.0, 100.0]


def test_with_ageing_a_long_job_is_overtaken_only_by_jobs_that_come_soon_after_it() -> None:
    # one short job of 10 s comes every 10 s and would keep the job of 100 s waiting for ever
    submit = [0, 1, *range(2, 302, 10)]
    run = [10, 100, *[10] * 30]
    table = jobs(submit, [8] * 32, run, limit_s=run)
    starved = starts(table, "sjf", rules=QueueRules(ageing=0.0))
    assert starved[1] == max(starved)
    aged = starts(table, "sjf", rules=QueueRules(ageing=1.0))
    assert aged[1] == 100.0  # limit and submission: 101; the short jobs of 2 to 91 s have less


def test_a_job_that_fits_the_spare_boards_may_outlast_the_reservation() -> None:
    table = jobs([0, 1, 2], [6, 7, 1], [100, 10, 500], limit_s=[100, 10, 500])
    assert starts(table, "easy_backfill") == [0.0, 100.0, 2.0]


def test_boards_that_come_back_at_the_shadow_time_itself_are_spare_too() -> None:
    table = jobs([0, 0, 1, 2, 3], [3, 4, 4, 1, 4], [50, 50, 10, 300, 300])
    table = table.with_columns(limit_s=table.run_s)
    assert starts(table, "easy_backfill")[:4] == [0.0, 0.0, 50.0, 2.0]


def test_nobody_overtakes_where_the_running_job_has_no_limit() -> None:
    table = jobs([0, 1, 2], [6, 8, 1], [100, 10, 10], limit_s=[np.inf, 10, 10])
    assert starts(table, "easy_backfill") == [0.0, 100.0, 110.0]


def test_easy_on_w1_starts_as_the_plain_program() -> None:
    table = w1_jobs(1).take(np.arange(1_500))
    boards = 40 * GPUS_PER_NODE
    expected = plain_starts(table, boards, PlainEasy())
    pool = play(table, boards, queue_of("easy_backfill", table, boards), 2e6, 1e5).pool
    assert pool.start_s.tolist() == expected
    assert (pool.start_s > table.submit_s).mean() > 0.9


def test_conservative_backfill_lets_nobody_delay_the_second_that_waits() -> None:
    # EASY reserves for the first alone: the last fits its spare boards and holds up the third
    table = jobs([0, 1, 2, 3], [4, 6, 8, 2], [100, 10, 50, 200])
    table = table.with_columns(limit_s=table.run_s)
    assert starts(table, "easy_backfill") == [0.0, 100.0, 203.0, 3.0]
    assert starts(table, "conservative_backfill") == [0.0, 100.0, 110.0, 160.0]


def test_a_gap_left_by_an_early_end_is_used_at_once_and_promises_are_beaten() -> None:
    table = jobs([0, 1, 2], [8, 8, 4], [50, 40, 10], limit_s=[100, 100, 100])
    queue = ConservativeBackfill(table, 8)
    pool = play(table, 8, queue, END_S).pool
    assert queue.promised_s == [0.0, 100.0, 200.0]
    assert pool.start_s.tolist() == [0.0, 50.0, 90.0]


def test_the_first_class_goes_first_and_within_a_class_the_first_that_came() -> None:
    table = jobs([0, 1, 2, 3, 4], [8] * 5, [10] * 5)
    table = of_class(table, "debug", "training", "debug", "inference", "debug")
    assert starts(table, "priority") == [0.0, 40.0, 20.0, 10.0, 30.0]
    only = QueueRules(class_order=("training",))  # the others come after it, as one class
    assert starts(table, "priority", rules=only) == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_who_is_stopped_goes_on_where_it_was_and_no_more_are_stopped_than_needed() -> None:
    table = jobs([0, 1, 2, 30], [2, 2, 4, 4], [100, 100, 100, 50])
    table = of_class(table, "training", "training", "training", "inference")
    queue = Priority(table, ["inference", "training"], {"training"})
    pool = play(table, 8, queue, END_S).pool
    assert pool.stopped == [(2, 2.0, 30.0)]  # the last that began has 4 boards, which is enough
    assert pool.start_s.tolist() == [0.0, 1.0, 2.0, 30.0]
    assert pool.end_s.tolist() == [100.0, 101.0, 152.0, 80.0]


def test_a_job_whose_class_writes_no_checkpoints_is_never_stopped() -> None:
    table = of_class(jobs([0, 1], [8, 8], [100, 10]), "training", "inference")
    pool = play(table, 8, Priority(table, ["inference", "training"], {"debug"}), END_S).pool
    assert pool.stopped == []
    assert pool.start_s.tolist() == [0.0, 100.0]


def test_a_cluster_within_its_quota_goes_before_one_that_borrows() -> None:
    table = of_vc(jobs([0, 1, 2, 3], [8, 4, 4, 4], [100, 50, 50, 50]), "a", "a", "a", "b")
    assert starts(table, "fair_share") == [0.0, 100.0, 150.0, 100.0]


def test_idle_quota_is_lent() -> None:
    table = of_vc(jobs([0, 0, 200], [4, 4, 4], [100, 100, 10]), "a", "a", "b")
    assert starts(table, "fair_share") == [0.0, 0.0, 200.0]


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_clusters_that_always_wait_get_gpu_time_by_their_shares(weight: float) -> None:
    count = 600
    table = jobs([0.0] * count, [1] * count, [10.0] * count)
    table = of_vc(table, *["a", "b"] * (count // 2))
    queue = FairShare(table, 8, {"a": weight}, half_life_s=1e6)
    pool = play(table, 8, queue, 250.0).pool  # both have jobs left
    begun = [int((np.isfinite(pool.start_s) & (table.vc == name)).sum()) for name in ("a", "b")]
    assert begun[0] / begun[1] == pytest.approx(weight, rel=0.05)


def test_use_counts_half_after_a_half_life() -> None:
    # a used 800 GPU-s that ended long before b's 480: with a short memory a comes first
    table = jobs([0, 1_000, 1_050, 1_051], [8, 8, 8, 8], [100, 60, 10, 10])
    table = of_vc(table, "a", "b", "b", "a")
    for half_life_s, expected in ((50.0, [1_070.0, 1_060.0]), (1e6, [1_060.0, 1_070.0])):
        queue = FairShare(table, 8, {}, half_life_s)
        assert play(table, 8, queue, END_S).start_s.tolist()[2:] == expected


def test_least_slack_first_and_jobs_without_a_deadline_last() -> None:
    table = jobs([0, 1, 2, 3], [8] * 4, [100, 10, 10, 10], slack_s=[0, 0, 500, 200])
    assert starts(table, "deadline") == [0.0, 120.0, 110.0, 100.0]


def test_a_job_is_refused_that_would_be_late_or_make_another_late() -> None:
    table = jobs([0, 1, 2, 3, 4], [8] * 5, [100] * 5, slack_s=[0, 99, 250, 150, 0])
    table = table.with_columns(
        limit_s=table.run_s, deadline_s=np.array([np.inf, 200, 352, 253, np.inf])
    )
    pool = play(table, 8, queue_of("deadline", table, 8), END_S).pool
    # the fourth could still start at 100 s, but then the second would come too late
    assert pool.refused.tolist() == [False, False, False, True, False]
    assert pool.start_s.tolist()[1:3] == [100.0, 200.0]
    assert pool.start_s[4] == 300.0


def test_a_deferrable_job_waits_for_the_cheapest_window_and_others_start_at_once() -> None:
    price = np.array([3.0, 2.0, 1.0, 2.0, 3.0])
    table = jobs([10, 10], [1, 1], [250, 250], limit_s=[250, 250], slack_s=[0, 700])
    pool = play(table, 8, queue_of("carbon", table, 8, price=price), END_S).pool
    assert pool.start_s.tolist() == [10.0, 500.0]


def test_nobody_waits_for_a_price_that_is_always_the_same() -> None:
    table = jobs([10, 20], [1, 1], [100, 100], slack_s=[700, 700])
    pool = play(table, 8, queue_of("price", table, 8, price=np.full(9, 0.1)), END_S).pool
    assert pool.start_s.tolist() == [10.0, 20.0]


def test_a_window_never_ends_after_the_series() -> None:
    window = CheapestWindow(np.array([5.0, 5.0, 5.0, 1.0]), 10.0)
    always = np.zeros(1), np.full(1, np.inf)
    assert window.start_s(0.0, 100.0, 10.0, *always) == 30.0
    assert window.start_s(0.0, 100.0, 15.0, *always) == 25.0
    assert window.start_s(35.0, 100.0, 10.0, *always) is None


def test_a_cheap_window_without_boards_is_not_waited_for() -> None:
    # 250 s steps; the first job holds all boards from 450 to 750 s, the second would like 500 s
    price = np.array([3.0, 2.0, 1.0, 2.0, 3.0, 9.0])
    table = jobs([0, 10], [8, 8], [300, 100], limit_s=[300, 100], slack_s=[600, 500])
    pool = play(table, 8, queue_of("carbon", table, 8, price=price), END_S).pool
    assert pool.start_s[0] == 450.0  # all of the least and 50 s of its neighbour
    assert pool.start_s[1] == 250.0  # after 450 s there are no boards within its slack


def test_a_job_starts_in_its_cheap_window_as_soon_as_boards_come_free_there() -> None:
    # by its limit the first job holds all boards until 900 s, but it ends at 550 s
    price = np.array([3.0, 3.0, 1.0, 2.0, 9.0, 9.0])
    table = jobs([0, 10], [8, 8], [550, 50], limit_s=[900, 50], slack_s=[0, 1_000])
    pool = play(table, 8, queue_of("carbon", table, 8, price=price), END_S).pool
    assert pool.start_s.tolist() == [0.0, 550.0]


def test_behind_a_plan_nothing_is_put_off_or_refused_again() -> None:
    assert following_a_plan("carbon") == following_a_plan("deadline") == "easy_backfill"
    assert following_a_plan("sjf") == "sjf"


def test_the_index_finds_the_first_that_is_short_enough_through_all_its_growth() -> None:
    rng, peers, waiting = np.random.default_rng(1), Peers(), {}
    for ticket in range(3_000):
        limit = float(rng.integers(1, 1_000))
        peers.append(ticket, ticket, limit)
        waiting[ticket] = limit
        asked = float(rng.integers(1, 1_000))
        found = next((row for row, limit in waiting.items() if limit <= asked), None)
        assert peers.first_within(asked) == (None if found is None else (found, found))
        assert peers.first()[1] == next(iter(waiting))
        if rng.random() < 0.9:
            gone = int(rng.choice(list(waiting)))
            del waiting[gone]
            assert peers.remove(gone) == len(waiting)
            if not waiting:
                peers, waiting = Peers(), {}


def test_a_class_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"job_classes.csv has no 'trainin' - did you mean 'tr"):
        aidc.load(
            SCENARIOS / "lingang-week.yaml", sets=["baseline.queue.class_order=[debug, trainin]"]
        )


def test_rules_of_the_queue_are_read_from_the_scenario() -> None:
    scenario = aidc.load(
        SCENARIOS / "lingang-week.yaml",
        sets=["baseline.policy=fair_share", "baseline.queue={vc_shares: {vc-001: 2}, half_life: 24 h}"],
    )  # fmt: skip
    assert scenario.baseline.queue.vc_shares == {"vc-001": 2.0}
    assert scenario.baseline.queue.half_life_h == 24.0
