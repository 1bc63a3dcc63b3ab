import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.stats import norm

from aidc.errors import CatalogError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.workload.arrivals import arrival_rate, week_shape
from aidc.workload.generator import generate
from aidc.workload.profile import Fit, Profile, fit, load_profile, offered_gpus
from tests.w1 import bare_site, w1_pool

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2023, 7, 3, tzinfo=SHANGHAI)
SITE = bare_site("one", w1_pool())
HELIOS = ("research-cluster", "helios-venus", "helios-earth", "helios-saturn", "helios-uranus")


def days(count: float, *, step_min: int = 60) -> Horizon:
    return Horizon(MONDAY, MONDAY + timedelta(days=count), step_min, "Asia/Shanghai")


def cold(profile: str, jobs_per_day: float, count: float, seed: int = 7) -> JobTable:
    return generate(
        load_profile(profile), jobs_per_day, days(count), (SITE,), seed,
        ramp=(1.0, 1.0), warm_start="empty",
    )  # fmt: skip


def within(sample: np.ndarray, mean: float, sigmas: float = 4.0) -> bool:
    """Whether the mean of a sample is the given one within its sampling error."""
    return abs(sample.mean() - mean) < sigmas * sample.std() / math.sqrt(len(sample))


def gpu_s_per_job(fitted: Fit, correlation: float) -> float:
    """GPU time per job by the closed form of a cut lognormal, given the score of the size."""
    spread = fitted.sigma * math.sqrt(1 - correlation**2)
    edges = [-8.0, *fitted.size_cuts, 8.0]
    points, weights = np.polynomial.legendre.leggauss(60)
    total = 0.0
    for gpus, low, high in zip(fitted.gpu_counts, edges[:-1], edges[1:], strict=True):
        z = low + (high - low) * (points + 1) / 2
        mu = math.log(fitted.run_median_s) + fitted.sigma * correlation * z
        cut = (math.log(fitted.run_max_s) - mu) / spread
        mean_s = np.exp(mu + spread**2 / 2) * norm.cdf(cut - spread) + fitted.run_max_s * norm.sf(
            cut
        )
        total += gpus * float(weights @ (norm.pdf(z) * mean_s)) * (high - low) / 2
    return total


@pytest.mark.parametrize("name", [*HELIOS, "foundation-training"])
def test_a_fit_has_the_published_moments(name: str) -> None:
    profile = load_profile(name)
    fitted = fit(profile)
    share = np.diff(norm.cdf(fitted.size_cuts), prepend=0.0, append=1.0)
    assert fitted.gpu_counts @ share == pytest.approx(profile.gpu_count_mean, rel=1e-9)
    assert share[0] >= 0.5 - 1e-12  # so the median is the least size
    assert gpu_s_per_job(fitted, fitted.size_correlation) == pytest.approx(
        profile.gpu_s_per_job, rel=2e-4
    )
    independent = profile.gpu_count_mean * profile.run_mean_s
    assert gpu_s_per_job(fitted, 0.0) == pytest.approx(independent, rel=2e-4)


def test_sigma_and_factor_are_those_of_the_published_tables() -> None:
    # lognormal sigma of uncut runs, sqrt(2 ln(mean / median)), is 2.64 for all of Helios; cutting
    # at 30 days with the mean kept needs a little more
    assert 2.64 < fit(load_profile("research-cluster")).sigma < 2.75
    factors = [load_profile(name).size_run_factor for name in HELIOS]
    assert factors == pytest.approx([2.00, 1.12, 2.48, 1.88, 2.18], abs=0.005)


def test_generated_jobs_have_the_published_moments_within_sampling_error() -> None:
    profile = load_profile("research-cluster")
    jobs = cold("research-cluster", 40_000, 7).check()
    assert len(jobs) == pytest.approx(280_000, abs=4 * math.sqrt(280_000))
    assert within(jobs.run_s, profile.run_mean_s)
    assert np.median(jobs.run_s) == pytest.approx(206, rel=0.03)
    assert within(jobs.gpu_count, profile.gpu_count_mean)
    assert np.median(jobs.gpu_count) == 1
    assert within(jobs.gpu_s, profile.gpu_s_per_job)
    for state, share in (("completed", 0.624), ("cancelled", 0.221), ("failed", 0.155)):
        assert within(jobs.end_state == state, share)
    for name, share in profile.class_shares.items():
        assert within(jobs.job_class == name, share)
    assert jobs.run_s.max() <= 30 * 86_400
    assert (np.log2(jobs.gpu_count) % 1 == 0).all()


def test_independent_size_and_run_would_make_half_the_load() -> None:
    jobs = cold("research-cluster", 40_000, 7)
    factor = jobs.gpu_s.mean() / (jobs.gpu_count.mean() * jobs.run_s.mean())
    assert factor == pytest.approx(2.0, rel=0.35)  # few large jobs carry it
    assert np.corrcoef(np.log(jobs.gpu_count), np.log(jobs.run_s))[0, 1] > 0.1


def test_cancelled_jobs_take_more_than_their_share_of_gpu_time() -> None:
    jobs = cold("research-cluster", 40_000, 7)

    def share(state: str) -> float:
        return float(jobs.gpu_s[jobs.end_state == state].sum() / jobs.gpu_s.sum())

    # published: 39 % of the GPU time of Helios with 22 % of the jobs, and 9 % with 15.5 %
    assert share("cancelled") == pytest.approx(0.394, abs=0.12)
    assert share("failed") < 0.155


def test_the_median_takes_one_gpu_even_where_geometric_weights_would_not() -> None:
    jobs = cold("helios-venus", 20_000, 7)  # mean 6.74, median 1
    assert within(jobs.gpu_count, 6.736)
    assert within(jobs.gpu_count == 1, 0.5)


def test_offered_load_is_the_published_gpu_time_times_the_rate() -> None:
    assert offered_gpus(load_profile("research-cluster"), 6_500) == pytest.approx(3_713, abs=1)
    # 20 million tasks a year of Helios' GPU time keep 31,300 GPUs busy
    assert offered_gpus(load_profile("research-cluster"), 20e6 / 365) == pytest.approx(
        31_300, rel=1e-3
    )


def test_foundation_models_are_few_large_and_long() -> None:
    profile = load_profile("foundation-training")
    fitted = fit(profile)
    assert profile.source.startswith("assumed")
    assert fitted.gpu_counts.tolist() == [256, 512, 1024, 2048, 4096, 8192]
    assert offered_gpus(profile, 3.4) == pytest.approx(0.85 * 30_720, rel=1e-3)


def test_a_profile_that_cannot_be_met_is_refused_with_the_range() -> None:
    profile = load_profile("research-cluster")
    greedy = Profile(**(profile.model_dump() | {"gpu_s_per_job": 1e8}))
    with pytest.raises(CatalogError, match=r"gpu_s_per_job: 1e\+08 cannot be reached: .* leave"):
        fit(greedy)


def test_a_profile_whose_shares_do_not_add_up_is_refused() -> None:
    profile = load_profile("research-cluster")
    with pytest.raises(ValueError, match=r"end states add up to 1\.176, not to 1"):
        Profile(**(profile.model_dump() | {"completed_frac": 0.8}))


def test_the_week_has_the_mean_rate_and_the_published_shape() -> None:
    shape = week_shape("research")
    assert shape.mean() == pytest.approx(1.0, abs=1e-12)
    rate = arrival_rate(shape, 6_500, (1.0, 1.0), days(7), 0, 7 * 86_400)
    assert rate.expected.sum() == pytest.approx(7 * 6_500, rel=1e-12)
    weekday = rate.expected[:-1].reshape(7, 24).sum(axis=1) / 6_500
    assert weekday == pytest.approx([0.86, 1.07, 1.14, 1.29, 1.44, 0.61, 0.59], abs=1e-9)
    hour = shape.mean(axis=0)
    assert hour[6:9].mean() < 0.6 < 1.0 < hour[9:24].mean()  # low in the small hours
    assert hour[13:15].mean() < min(hour[12], hour[17])  # and after noon


def test_arrivals_follow_the_local_hour_and_weekday() -> None:
    jobs = cold("research-cluster", 20_000, 14)
    rate = arrival_rate(week_shape("research"), 20_000, (1.0, 1.0), days(14), 0, 14 * 86_400)
    counts, _ = np.histogram(jobs.submit_s, rate.edges_s[:-1])
    chi2 = ((counts - rate.expected[:-1]) ** 2 / rate.expected[:-1]).sum()
    cells = len(counts)
    assert abs(chi2 - cells) < 5 * math.sqrt(2 * cells)
    assert (np.diff(jobs.submit_s) >= 0).all()


def test_a_horizon_that_starts_inside_an_hour_has_the_same_rate() -> None:
    late = Horizon(MONDAY + timedelta(minutes=30), MONDAY + timedelta(hours=5), 30, "Asia/Shanghai")
    whole = arrival_rate(week_shape("research"), 6_500, (1.0, 1.0), days(1), 0, 86_400)
    part = arrival_rate(week_shape("research"), 6_500, (1.0, 1.0), late, 0, late.length_s)
    wanted = whole.expected[:5].sum() - whole.expected[0] / 2
    assert part.expected.sum() == pytest.approx(wanted, rel=1e-12)


def test_a_ramp_grows_linearly_from_its_first_to_its_last_factor() -> None:
    rate = arrival_rate(week_shape("research"), 1_000, (0.5, 1.5), days(364), 0, 364 * 86_400)
    weeks = rate.expected[:-1].reshape(52, -1).sum(axis=1) / 7_000
    assert weeks[0] == pytest.approx(0.5 + 0.5 / 52, abs=2e-3)
    assert weeks[-1] == pytest.approx(1.5 - 0.5 / 52, abs=2e-3)
    assert weeks.mean() == pytest.approx(1.0, abs=2e-3)
    before = arrival_rate(week_shape("research"), 1_000, (0.5, 1.5), days(364), -7 * 86_400, 0)
    assert before.expected.sum() == pytest.approx(3_500, rel=1e-9)


def test_the_same_seed_gives_the_same_jobs_whatever_the_step() -> None:
    profile = load_profile("research-cluster")
    one, same, other = (
        generate(profile, 500, days(3, step_min=step), (SITE,), seed, ramp=(1.0, 1.0), warm_start="stationary")
        for step, seed in ((60, 1), (15, 1), (60, 2))
    )  # fmt: skip
    for name in ("job_id", "user", "job_class", "gpu_count", "submit_s", "run_s", "end_state"):
        assert (getattr(one, name) == getattr(same, name)).all(), name
    assert len(one) != len(other) or (one.run_s != other.run_s).any()


def test_a_warm_start_only_adds_jobs_and_leaves_the_others_alone() -> None:
    profile = load_profile("research-cluster")
    warm, empty = (
        generate(profile, 2_000, days(2), (SITE,), 3, ramp=(1.0, 1.0), warm_start=start)
        for start in ("stationary", "empty")
    )  # fmt: skip
    assert not empty.warm.any()
    fresh = warm.take(np.flatnonzero(~warm.warm))
    assert (fresh.job_id == empty.job_id).all()
    assert (fresh.run_s == empty.run_s).all()
    first = warm.check().take(np.flatnonzero(warm.warm))
    assert (first.submit_s == 0).all()
    assert (first.run_s > 0).all()
    assert (first.limit_s >= first.run_s).all()
    assert all(name.startswith("warm-") for name in first.job_id)


def test_warm_jobs_hold_the_stationary_load() -> None:
    # Little's law: jobs running at a random instant = arrival rate x mean run = 20,000 x 6,652 / 86,400;
    # by day of the week and hour the rate differs, so a Monday morning is allowed a wide band
    profile = load_profile("research-cluster")
    jobs = generate(profile, 20_000, days(1), (SITE,), 5, ramp=(1.0, 1.0), warm_start="stationary")
    running = 20_000 * profile.run_mean_s / 86_400
    assert int(jobs.warm.sum()) == pytest.approx(running, rel=0.25)


def test_jobs_are_cut_to_their_pool_and_the_table_says_how_many() -> None:
    small = bare_site("one", w1_pool().model_copy(update={"server_count": 3}))
    jobs = generate(
        load_profile("research-cluster"), 20_000, days(1), (small,), 5, ramp=(1.0, 1.0), warm_start="empty"
    )  # fmt: skip
    assert jobs.gpu_count.max() == 16  # of 24
    assert "jobs cut to their pool" in jobs.rows_of


def test_jobs_go_to_pools_in_proportion_to_their_gpus() -> None:
    two = bare_site("two", w1_pool().model_copy(update={"server_count": 1_125}))
    jobs = generate(
        load_profile("research-cluster"), 20_000, days(2), (SITE, two), 5, ramp=(1.0, 1.0), warm_start="empty"
    )  # fmt: skip
    assert within(jobs.site == "one", 0.75)
    power_per_gpu = jobs.added_kw / jobs.gpu_count
    assert len(np.unique(power_per_gpu.round(9))) == 4  # one a class


@pytest.mark.parametrize(
    ("name", "factor"), [("llm-development", 4.03), ("training-heavy", 7.94), ("philly", 1.76)]
)
def test_profiles_of_the_acme_summary_have_its_moments(name: str, factor: float) -> None:
    profile = load_profile(name)
    fitted = fit(profile)
    assert profile.size_run_factor == pytest.approx(factor, abs=0.005)
    # a run of the highest published length is far out in the tail, so the cut moves sigma little
    uncut = math.sqrt(2 * math.log(profile.run_mean_s / profile.run_median_s))
    assert uncut < fitted.sigma < 1.05 * uncut
    jobs = cold(name, 20_000, 7)
    assert within(jobs.gpu_count, profile.gpu_count_mean)
    assert within(jobs.run_s, profile.run_mean_s)
    assert within(jobs.end_state == "cancelled", profile.cancelled_frac)
    assert jobs.gpu_count.max() <= profile.gpu_count_max
    assert jobs.run_s.max() <= profile.run_max_s


def test_bursts_keep_the_mean_rate_and_every_other_moment() -> None:
    profile = load_profile("research-cluster-bursts")
    tables = [cold("research-cluster-bursts", 5_000, 14, seed) for seed in range(8)]
    expected = 14 * 5_000
    # the count of a burst process varies by E[m^2] / E[m] = 2 m - 1 times as much as Poisson
    spread = math.sqrt((2 * 5.8 - 1) * expected / len(tables))
    assert np.mean([len(t) for t in tables]) == pytest.approx(expected, abs=4 * spread)
    run_s, gpus = (np.concatenate([getattr(t, c) for t in tables]) for c in ("run_s", "gpu_count"))
    assert within(run_s, profile.run_mean_s)
    assert within(gpus, profile.gpu_count_mean)


def test_bursts_have_the_length_and_the_gaps_of_the_profile() -> None:
    # at a burst every other day two of them hardly ever overlap
    jobs = cold("research-cluster-bursts", 5.8 / 2, 4_999)
    gap_s = np.diff(jobs.submit_s)
    inside = gap_s < 12 * 81.2
    per_burst = len(jobs) / (len(jobs) - inside.sum())
    assert per_burst == pytest.approx(5.8, rel=0.08)
    assert gap_s[inside].mean() == pytest.approx(81.2, rel=0.08)
    same_user = (jobs.user[1:] == jobs.user[:-1])[inside]
    assert same_user.mean() > 0.95


def test_bursts_are_rougher_than_poisson() -> None:
    def cv(jobs: JobTable) -> float:
        gaps = np.diff(jobs.submit_s)
        return float(gaps.std() / gaps.mean())

    assert cv(cold("research-cluster", 200, 60)) < 1.5
    assert cv(cold("research-cluster-bursts", 200, 60)) > 2.0


def test_jobs_of_a_burst_fill_the_horizon_from_its_first_to_its_last_second() -> None:
    tables = [cold("research-cluster-bursts", 20_000, 0.125, seed) for seed in range(40)]
    submits = np.concatenate([t.submit_s for t in tables])
    assert submits.min() >= 0
    assert submits.max() < 0.125 * 86_400
    rate = arrival_rate(week_shape("research"), 20_000, (1.0, 1.0), days(0.125), 0, 10_800)
    first = (submits < 600).sum()  # bursts that began before the horizon are there
    assert first == pytest.approx(40 * rate.expected[0] / 6, rel=0.2)


def test_bursts_need_both_of_their_columns() -> None:
    profile = load_profile("research-cluster")
    with pytest.raises(ValueError, match="bursts need both"):
        Profile(**(profile.model_dump() | {"burst_jobs_mean": 3.0}))


def test_profiles_without_bursts_draw_what_they_always_drew() -> None:
    # literals of the generator before bursts were there
    for name, gpu_s in (("research-cluster", 51_837_537), ("helios-venus", 98_813_050)):
        jobs = generate(
            load_profile(name), 500, days(3), (SITE,), 7, ramp=(1.0, 1.2), warm_start="empty"
        )
        assert len(jobs) == 1_679
        assert jobs.submit_s.sum() == 248_579_262
        assert jobs.gpu_s.sum() == gpu_s
    assert jobs.user[:3].tolist() == ["user-0063", "user-0225", "user-0234"]
