"""Re-checks the bound of a network of sites: each site as `aidc.verifier` has it, jobs free to choose their pool.

Names of a site's own data begin with its number, ``000/it_kw``. Beside them stand the movable jobs, the pools
that each may use, the boards that other work leaves, and their price.
"""

from typing import Any

import numpy as np

from aidc.verifier import Window, lower_bound


def bound_of(w: Window) -> Any:
    """What no schedule of a window can cost less than, of one site or of a network."""
    return network_bound(w) if "sites" in w else lower_bound(w)


def network_bound(w: Window) -> Any:
    """Every site at its cheapest, every job at its cheapest start on any pool, unused boards paid back."""
    parts = [{k[4:]: w[k] for k in w if k.startswith(f"{i:03}/")} for i in range(int(w["sites"]))]
    least = np.full(len(w["run_s"]), np.inf)
    for pool, site in enumerate(w["site_of_pool"]):
        away = w["home"] != pool
        early = w["earliest_s"] + w["moving_s"] * away
        may = w["allowed"][:, pool] & (~away | (early <= w["latest_s"]))
        _improve(w, least, np.where(may, early, np.inf), parts[site]["it_price"], pool)
    unused = w["slot_h"] * (w["board_price"] * w["free_boards"]).sum()
    return sum(lower_bound(part) for part in parts) + least.sum() - _tails(w) - unused


def _improve(w: Window, least: Any, early: Any, it_price: Any, pool: int) -> None:
    """Lets each job start in one pool where that is cheaper than what is known."""
    slots, run, kw, gpus = len(it_price), w["run_s"], w["job_kw"], w["gpus"]
    edges = _edges(w, slots)
    past = len(edges) - 1 - slots
    later = np.resize(w["tail_price"][w["site_of_pool"][pool]], past)
    energy = np.append(0.0, np.cumsum(np.append(it_price, later)) * w["slot_h"])
    boards = np.append(
        0.0, np.cumsum(np.append(w["board_price"][pool], np.zeros(past))) * w["slot_h"]
    )

    def take(begin: Any, rows: Any) -> None:
        end = begin + run[rows]
        kwh, held = (
            np.interp(end, edges, x) - np.interp(begin, edges, x) for x in (energy, boards)
        )
        least[rows] = np.minimum(least[rows], kw[rows] * kwh + gpus[rows] * held)

    late = np.maximum(early, np.minimum(w["latest_s"], edges[slots]))
    first = np.flatnonzero(early < edges[slots])
    take(early[first], first)
    take(late[first], first)
    for edge in edges:  # a price that is even in slots is least where a run begins or ends with one
        for begin in (np.full(len(run), edge), edge - run):
            rows = np.flatnonzero((early < begin) & (begin < late))
            take(begin[rows], rows)


def _tails(w: Window) -> Any:
    """What all jobs cost after the window when each starts at home at its earliest: costs are told beside it."""
    slots, early, total = w["board_price"].shape[1], w["earliest_s"], 0.0
    edges = _edges(w, slots)
    for pool, site in enumerate(w["site_of_pool"]):
        rows = w["home"] == pool
        later = np.resize(w["tail_price"][site], len(edges) - 1 - slots)
        tail = np.append(0.0, np.cumsum(np.append(np.zeros(slots), later)) * w["slot_h"])
        end, begin = early[rows] + w["run_s"][rows], early[rows]
        total += w["job_kw"][rows] @ (np.interp(end, edges, tail) - np.interp(begin, edges, tail))
    return total


def _edges(w: Window, slots: int) -> Any:
    """Edges of slots as far as any run reaches."""
    slot_s = w["slot_h"] * 3600.0
    last = np.max(w["latest_s"] + w["moving_s"] + w["run_s"] - w["start_s"], initial=slots * slot_s)
    return w["start_s"] + slot_s * np.arange(int(np.ceil(last / slot_s)) + 1)
