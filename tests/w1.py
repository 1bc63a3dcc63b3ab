"""The reference workload W1: 20 million jobs a year on 27,000 GPUs, drawn in a published order.

It is so sparse that nobody waits, so energy and occupancy have a closed form.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc import catalog
from aidc.equipment import AshraeClass, Gpu, Server
from aidc.job import JobTable, no_failures
from aidc.site import Pool, Site

NODES = 3_375
GPUS_PER_NODE = 8
JOBS_PER_DAY = 54_795
SEED = 2026
DAY_S = 86_400
GPU_IDLE_W, GPU_MAX_W = 55.0, 400.0
CPU_IDLE_W, CPU_MAX_W = 90.0, 280.0
IDLE_NODE_W = 1_010.0  # 8 x 55 + 2 x 90 + 200 memory + 8 x 20 NIC + 30 NVMe
SOURCE = "W1, a published reference workload"


@dataclass(frozen=True)
class W1:
    """The draw: whole seconds, nodes and utilisations, in order of submission."""

    submit_s: NDArray[np.int64]
    nodes: NDArray[np.int64]
    run_s: NDArray[np.int64]
    gpu_util: NDArray[np.float64]
    cpu_util: NDArray[np.float64]

    @property
    def node_added_w(self) -> NDArray[np.float64]:
        gpus = GPUS_PER_NODE * (GPU_MAX_W - GPU_IDLE_W) * self.gpu_util
        return gpus + 2 * (CPU_MAX_W - CPU_IDLE_W) * self.cpu_util


def w1_draw(days: int) -> W1:
    rng = np.random.Generator(np.random.PCG64(SEED))
    n = JOBS_PER_DAY * days
    submit_s = np.sort(rng.uniform(0, DAY_S * days, n)).astype(np.int64)
    nodes = rng.choice([1, 2, 4, 8, 16], size=n, p=[0.80, 0.10, 0.06, 0.03, 0.01])
    run_s = np.clip(rng.exponential(2_434.0, n), 60, 43_200).astype(np.int64)
    return W1(submit_s, nodes, run_s, rng.uniform(0.3, 1.0, n), rng.uniform(0.1, 0.5, n))


def w1_pool() -> Pool:
    gpu = Gpu(name="w1", idle_w=GPU_IDLE_W, context_w=GPU_IDLE_W, max_w=GPU_MAX_W, source=SOURCE)
    server = Server(
        name="w1", gpu=gpu, gpu_count=GPUS_PER_NODE, base_w=IDLE_NODE_W - GPUS_PER_NODE * GPU_IDLE_W,
        gpu_power_ratio=1.0, fan_frac=0.0, fan_gain_per_k=0.0, fan_speed_min_frac=0.5,
        reference_inlet_degc=27.0,
        ashrae_class=catalog.row("ashrae_classes", AshraeClass, "A2"), off_w=0.0, boot_s=0.0, source=SOURCE,
    )  # fmt: skip
    return Pool(name="w1", server=server, server_count=NODES)


def bare_site(name: str, *pools: Pool) -> Site:
    """A site of which only name and pools matter."""
    return Site.model_construct(name=name, pools=pools)


def w1_jobs(days: int) -> JobTable:
    draw = w1_draw(days)
    n = len(draw.submit_s)

    def text(word: str) -> NDArray[np.object_]:
        return np.full(n, word, object)

    return JobTable(
        job_id=np.array([f"{i:08d}" for i in range(n)], object),
        user=text("w1"),
        vc=text("w1"),
        job_class=text("w1"),
        site=text("w1"),
        pool=text("w1"),
        gpu_count=GPUS_PER_NODE * draw.nodes,
        submit_s=draw.submit_s.astype(np.float64),
        run_s=draw.run_s.astype(np.float64),
        limit_s=np.ceil(1.5 * draw.run_s),
        slack_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        added_kw=draw.nodes * draw.node_added_w / 1e3,
        end_state=text("completed"),
        warm=np.zeros(n, np.bool_),
        useful_s=draw.run_s.astype(np.float64),
        interruptions=np.zeros(n, np.int64),
        node_fails_s=no_failures(n),
        accepted=np.ones(n, np.bool_),
        rows_of="W1",
    )


def w1_finished(days: int) -> int:
    """Jobs that end by the horizon, since nobody waits."""
    draw = w1_draw(days)
    return int((draw.submit_s + draw.run_s <= DAY_S * days).sum())


def w1_closed_form_mwh(days: int) -> float:
    """Node energy of the horizon without losses: idle nodes, and jobs as far as they run in it."""
    draw, horizon_s = w1_draw(days), DAY_S * days
    inside_s = np.minimum(draw.run_s, horizon_s - draw.submit_s)
    joules = NODES * IDLE_NODE_W * horizon_s + float(draw.nodes * inside_s @ draw.node_added_w)
    return joules / 3.6e9
