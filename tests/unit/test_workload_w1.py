import numpy as np
import pytest

from aidc.workload.power import idle_kw
from tests.w1 import DAY_S, NODES, w1_closed_form_mwh, w1_draw, w1_finished, w1_jobs, w1_pool


def test_the_draw_has_the_published_means() -> None:
    draw = w1_draw(1)
    assert draw.nodes.mean() == pytest.approx(1.6416, abs=5e-5)
    assert draw.run_s.mean() == pytest.approx(2_414.3, abs=0.05)
    assert draw.nodes.sum() == 89_951
    assert draw.nodes @ draw.run_s / (NODES * DAY_S) == pytest.approx(0.7446, abs=5e-5)
    inside_s = np.minimum(draw.run_s, DAY_S - draw.submit_s)
    assert draw.nodes @ inside_s / (NODES * DAY_S) == pytest.approx(0.7238, abs=5e-5)
    assert w1_draw(7).nodes.sum() == 628_482


def test_finished_jobs_and_energy_are_the_published_oracles() -> None:
    assert w1_finished(1) == 53_316
    assert w1_closed_form_mwh(1) == pytest.approx(193.0212, abs=5e-5)


def test_the_job_table_carries_the_energy_of_the_closed_form() -> None:
    jobs = w1_jobs(1).check()
    inside_s = np.minimum(jobs.run_s, DAY_S - jobs.submit_s)
    mwh = (idle_kw(w1_pool()) * DAY_S + float(jobs.added_kw @ inside_s)) / 3.6e6
    assert mwh == pytest.approx(w1_closed_form_mwh(1), rel=1e-12)
    assert idle_kw(w1_pool()) == pytest.approx(NODES * 1.010)


def test_at_most_2789_nodes_are_busy_so_nobody_waits() -> None:
    draw = w1_draw(1)
    at_s = np.concatenate((draw.submit_s, draw.submit_s + draw.run_s))
    change = np.concatenate((draw.nodes, -draw.nodes))
    busy = np.cumsum(change[np.lexsort((change, at_s))])  # ends before starts
    assert busy.max() == 2_789


def test_the_week_on_simple_hosts_has_the_published_energy() -> None:
    # hosts of 1,050 W idle and 4,300 W at most, linear in GPU utilisation, until the last job ends
    draw = w1_draw(7)
    end_s = int((draw.submit_s + draw.run_s).max())
    assert end_s == 629_281
    joules = NODES * 1_050.0 * end_s + float(draw.nodes * draw.run_s @ (3_250.0 * draw.gpu_util))
    assert joules / 3.6e9 == pytest.approx(1_515.7779, abs=5e-5)
