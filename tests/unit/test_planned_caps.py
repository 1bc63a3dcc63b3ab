"""Jobs under caps of their own: as their pool's cap would have them, and the same work."""

import numpy as np
import pytest

import aidc
from aidc import catalog
from aidc.equipment import Server
from aidc.errors import CatalogError, ScenarioError, SeriesError
from aidc.site import Pool, Site
from aidc.workload.boards import Conditions, on_boards
from aidc.workload.interruptions import FaultRules
from aidc.workload.planned_caps import under_caps, with_caps
from tests.jobs import jobs
from tests.w1 import bare_site
from tests.windows import SCENARIOS

A100 = catalog.row("servers", Server, "a100-8gpu")
GIVEN = Conditions(
    bound="value",
    reference_gpu=None,
    faults=catalog.row("fault_rules", FaultRules, "no-faults"),
    seed=7,
)


def sites(cap: float | None = None) -> tuple[Site, ...]:
    return (bare_site("hall", Pool(name="pool", server=A100, server_count=64, power_cap=cap)),)


def test_a_job_under_its_own_cap_is_what_the_same_cap_of_its_pool_makes_of_it() -> None:
    table = jobs([0.0] * 3, [1, 8, 16], [3600.0, 5000.0, 86_400.0])
    nobody = np.zeros(3, bool)
    plain = on_boards(table, sites(), GIVEN, nobody)
    of_pool = on_boards(table, sites(0.6), GIVEN, nobody)
    of_plan = with_caps(plain, sites(), np.array([0.6, 0.6, 1.0]))
    for name in ("run_s", "limit_s", "added_kw"):
        ours, theirs = getattr(of_plan, name), getattr(of_pool, name)
        assert ours[:2] == pytest.approx(theirs[:2], rel=1e-12)
        assert ours[2] == getattr(plain, name)[2]
    assert of_plan.run_s[0] > plain.run_s[0]
    assert (of_plan.useful_s == plain.useful_s).all(), "the work is that without a cap"


def test_boards_at_their_maximum_draw_three_fifths_for_one_over_throughput_as_long() -> None:
    gpu, full_kw = A100.gpu, 8 * (A100.gpu.max_w - A100.gpu.idle_w) * A100.gpu_power_ratio / 1000
    table = jobs([0.0], [8], [3600.0], added_kw=[full_kw])
    speed, kw = under_caps(table, sites(), np.array([0.6]))
    assert speed[0] == pytest.approx(0.845)  # ml-energy/zeus, mean of 21 configurations, cap 0.6
    board_w = kw[0] / (8 * A100.gpu_power_ratio) * 1000 + gpu.idle_w
    assert board_w == pytest.approx(0.6 * gpu.max_w)


def test_a_job_that_draws_less_than_the_cap_is_left_as_it_is() -> None:
    table = jobs([0.0], [8], [3600.0], added_kw=[0.1])
    made = with_caps(table, sites(), np.array([0.6]))
    assert made.run_s[0] == table.run_s[0]
    assert made.added_kw[0] == table.added_kw[0]


def test_a_table_without_caps_is_not_even_copied() -> None:
    table = jobs([0.0], [8], [3600.0])
    assert with_caps(table, sites(), np.ones(1)) is table


def test_nothing_is_extrapolated_below_the_known_caps() -> None:
    with pytest.raises(SeriesError, match=r"cap_frac of 'a100-sxm': must be from 0\.5"):
        under_caps(jobs([0.0], [8], [3600.0]), sites(), np.array([0.4]))


def test_a_board_without_a_row_has_no_caps() -> None:
    unknown = A100.model_copy(update={"gpu": A100.gpu.model_copy(update={"name": "other"})})
    site = bare_site("hall", Pool.model_construct(name="pool", server=unknown, server_count=64,
        power_cap_frac=None, sleep_after_min=None, liquid_cooled=False))  # fmt: skip
    with pytest.raises(CatalogError, match="other"):
        under_caps(jobs([0.0], [8], [3600.0]), (site,), np.array([0.6]))


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ("plan.foresight=persistence", "caps are chosen under plan.foresight: perfect alone"),
        ("workload.faults=half-hour-recovery", "set workload.faults: no-faults, not half-hour"),
        ("site.pools.0.power_cap=0.7", "has a fixed power_cap of 0.7"),
        ("site.pools.0.sleep_after_min=30", "sleep, and a plan that caps jobs does not follow"),
        ("plan.power_caps=[0.3]", "0.3 is below 0.5, the lowest known of a100-sxm"),
        ("plan.power_caps=[1.2]", "1.2"),
        ("plan.power_caps=[0]", "0"),
    ],
)
def test_what_a_plan_with_caps_does_not_know_is_refused(sets: str, told: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        aidc.load(SCENARIOS / "lingang-week.yaml", sets=["plan.power_caps=[0.6, 1]", sets])
    assert told in str(refused.value)


def test_caps_of_several_sites_are_refused() -> None:
    with pytest.raises(ScenarioError, match="a plan caps the jobs of one site alone"):
        aidc.load(SCENARIOS / "network-six-cities.yaml", sets=["plan.power_caps=[0.6]"])


def test_caps_are_told_from_the_highest_and_no_cap_is_always_open() -> None:
    sets = ["plan.power_caps=[0.6, 80 %, 1, 0.6]"]
    assert aidc.load(SCENARIOS / "lingang-week.yaml", sets=sets).plan.caps_frac == (0.8, 0.6)
    assert aidc.load(SCENARIOS / "lingang-week.yaml").plan.caps_frac == ()
