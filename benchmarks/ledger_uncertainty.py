"""Monte Carlo of the ledger: a statement of six sites, and thirty years of six sites.

Run: python -m benchmarks.ledger_uncertainty
"""

import random
import time

from aidc.ledger.factors.distributions import distribution
from aidc.ledger.statements.uncertainty import Input, Term, spread_of

DRAWS, SITES, YEARS = 10_000, 6, 30
NORMAL, LOGNORMAL = distribution("normal 0.02"), distribution("lognormal 1.1")


def model(years: int) -> tuple[list[Input], list[Term]]:
    """Electricity of six sites at three factors, three fuels and refrigerant each, by year."""
    inputs = [Input(f"gwp:{n}", 1.0, LOGNORMAL, None, "benchmark") for n in range(3)]
    terms = []
    for year in range(years):
        inputs.extend(
            Input(f"f:{year}:{factor}", 0.55, LOGNORMAL, None, "benchmark") for factor in range(3)
        )
        for site in range(SITES):
            for stream in range(5):
                name = f"m:{year}:{site}:{stream}"
                inputs.append(Input(name, 1000.0, NORMAL, f"meter:{site}:{stream}", "benchmark"))
                by = f"gwp:{stream % 3}" if stream else f"f:{year}:{site % 3}"
                terms.append(Term(str(2024 + year), 1.0, (name, by)))
    return inputs, terms


def loop_s(draws: int) -> float:
    """The same statement in plain Python, one draw at a time: seconds."""
    rng, start = random.Random(1), time.process_time()
    for _ in range(draws):
        total = 0.0
        factors = [0.55 * rng.lognormvariate(0, 0.0953) for _ in range(6)]
        for site in range(SITES):
            for stream in range(5):
                total += (
                    1000.0 * rng.gauss(1, 0.02) * factors[stream % 3 if stream else 3 + site % 3]
                )
    return time.process_time() - start


def main() -> None:
    """Prints one line a case."""
    spread_of(*model(1), draws=1000, seed=0)  # imports and warms up
    for years in (1, YEARS):
        inputs, terms = model(years)
        wall, cpu = time.perf_counter(), time.process_time()
        made = spread_of(inputs, terms, draws=DRAWS, seed=1)
        print(
            f"{DRAWS} draws, {years} years, {len(inputs)} inputs, {len(terms)} terms: "
            f"{time.perf_counter() - wall:.3f} s, CPU {time.process_time() - cpu:.3f} s, "
            f"{len(made)} totals"
        )
    print(f"{DRAWS} draws, 1 year, plain Python: CPU {loop_s(DRAWS):.3f} s")


if __name__ == "__main__":
    main()
