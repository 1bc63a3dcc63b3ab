import csv
from pathlib import Path

import numpy as np
import pytest

from aidc import catalog
from aidc.catalog import table
from aidc.equipment import AshraeClass, Gpu, Server
from aidc.errors import SeriesError
from aidc.site import Pool
from aidc.workload.power import JobClass, added_kw, idle_kw, with_power
from tests.w1 import bare_site, w1_jobs

A100 = Gpu(
    name="a100", idle_w=63.0, context_w=95.0, max_w=400.0, source="AcmeTrace, Seren, August 2023"
)
SERVER = Server(
    name="a100-8", gpu=A100, gpu_count=8, base_w=1348.0, gpu_power_ratio=1.19, fan_frac=0.017,
    fan_gain_per_k=0.1, fan_speed_min_frac=0.5, reference_inlet_degc=27.0,
    ashrae_class=catalog.row("ashrae_classes", AshraeClass, "A2"),
    off_w=10.0,
    boot_s=240.0,
    source="fit to AcmeTrace, Seren, IPMI, August 2023",
)  # fmt: skip
POOL = Pool(name="a100", server=SERVER, server_count=10)


def test_an_idle_pool_draws_base_and_idle_boards_of_every_server() -> None:
    assert idle_kw(POOL) == pytest.approx(10 * (1.348 + 1.19 * 8 * 0.063))


def test_a_job_adds_its_share_of_the_dynamic_board_power_with_losses() -> None:
    assert added_kw(SERVER, 16, 0.5) == pytest.approx(16 * 0.5 * 0.337 * 1.19)
    assert added_kw(SERVER, 16, 0.0) == 0.0
    many = added_kw(SERVER, np.array([1, 8]), np.array([1.0, 0.5]))
    assert many == pytest.approx([0.337 * 1.19, 8 * 0.5 * 0.337 * 1.19])


def test_server_power_stays_inside_the_metered_range_of_seren() -> None:
    # 8-GPU nodes of Seren by IPMI: p10 1,512, p95 5,040, max 6,554 W (spec of the trace, 2023-08)
    idle_w = idle_kw(POOL) / POOL.server_count * 1e3
    full_w = idle_w + added_kw(SERVER, 8, 1.0) * 1e3
    assert 1_512 < idle_w < 2_523  # the metered median
    assert 5_040 < full_w < 6_554


@pytest.mark.real_data
def test_metered_board_power_gives_the_metered_node_power_of_seren(real_data: Path) -> None:
    curves: dict[str, list[tuple[float, float]]] = {}
    with (real_data / "equipment" / "acme_power_cdf.csv").open() as file:
        for cells in csv.DictReader(file):
            point = (float(cells["cdf_pct"]) / 100, float(cells["value"]))
            curves.setdefault(cells["metric"], []).append(point)

    def mean_w(name_part: str) -> float:
        (points,) = [np.array(v) for k, v in curves.items() if name_part in k]
        return float(np.trapezoid(points[:, 1], points[:, 0]))

    names = sorted(curves)
    node = next(n for n in names if "A100" not in n and "cpu" not in n.lower())
    board_w, node_w = mean_w("A100"), mean_w(node)
    assert board_w == pytest.approx(169, rel=0.03)
    phi = (board_w - A100.idle_w) / (A100.max_w - A100.idle_w)
    modelled_w = idle_kw(POOL) / POOL.server_count * 1e3 + added_kw(SERVER, 8, phi) * 1e3
    assert modelled_w == pytest.approx(node_w, rel=0.10)  # stated uncertainty of the node mean


def test_every_class_has_its_value_inside_its_range() -> None:
    rows = table("job_classes", JobClass)
    assert {"training", "fine-tune", "inference", "debug"} == set(rows)
    for row in rows.values():
        assert row.phi("low") <= row.phi("value") <= row.phi("high")
        assert "assumed" in row.source


def test_power_follows_the_class_and_its_bound() -> None:
    jobs = w1_jobs(1).take(np.arange(3))
    jobs = jobs.with_columns(
        job_class=np.array(["training", "debug", "inference"], object),
        pool=np.full(3, "a100", object),
        gpu_count=np.array([8, 8, 16]),
    )
    site = (bare_site("w1", POOL),)
    low, value, high = (with_power(jobs, site, b).added_kw for b in ("low", "value", "high"))
    assert value[0] == pytest.approx(8 * 0.85 * 0.337 * 1.19)
    assert (low <= value).all()
    assert (value <= high).all()


def test_an_unknown_class_and_an_unknown_pool_are_named() -> None:
    jobs = w1_jobs(1).take(np.arange(3))
    with pytest.raises(SeriesError, match=r"class w1: no row of models/job_classes\.csv"):
        with_power(jobs, (bare_site("w1", POOL),), "value")
    jobs = jobs.with_columns(job_class=np.full(3, "training", object))
    with pytest.raises(SeriesError, match="pool w1 of site w1"):
        with_power(jobs, (bare_site("w1", POOL),), "value")
