"""A year of hourly matching beside the same rule as a plain loop, which is also the tests' oracle.

python -m benchmarks.ledger_matching
"""

import time
from collections.abc import Callable

import numpy as np

from aidc.ledger.market.matching import Offer, Wh, match
from tests.matching_oracle import matched_by_loops

SEED = 2026
HOURS = 8760
SIZES = ((6, 6), (8, 10))  # sites and lots
REPEATS = 20


def instance(sites: int, lots: int) -> tuple[Wh, list[Offer]]:
    """Loads of 1 to 30 MW and lots of 0 to 40 MWh an hour that reach every site."""
    rng = np.random.default_rng(SEED)
    load = rng.integers(1_000_000, 30_000_000, (sites, HOURS))
    every = tuple(range(sites))
    offers = [
        Offer(f"lot {n}", 1 + n % 3, (n,), every, rng.integers(0, 40_000_000, HOURS))
        for n in range(lots)
    ]
    return load, offers


def least(call: Callable[[], object], repeats: int) -> float:
    """Least CPU time of some runs [s]."""
    taken = []
    for _ in range(repeats):
        begin = time.process_time()
        call()
        taken.append(time.process_time() - begin)
    return min(taken)


def row(sites: int, lots: int) -> str:
    load, offers = instance(sites, lots)
    ours = match(load, offers)
    covered, excess, left = matched_by_loops(load.tolist(), offers)
    same = (
        ours.covered_wh.tolist() == covered
        and ours.excess_wh.tolist() == excess
        and ours.uncovered_wh.tolist() == left
    )
    fast = least(lambda: match(load, offers), REPEATS)
    slow = least(lambda: matched_by_loops(load.tolist(), offers), 2)
    size = f"{sites} x {lots}"
    return f"| {size} | {fast * 1e3:.1f} | {slow * 1e3:.0f} | 1/{slow / fast:.0f} | {same} |"


def main() -> None:
    print("| sites x lots | ours, CPU ms | plain loop, CPU ms | of the loop's | same Wh |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        print(row(*size))


if __name__ == "__main__":
    main()
