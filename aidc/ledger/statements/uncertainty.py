"""How well a total is known: Monte Carlo beside the first-order (Taylor) result.

A total is a sum of terms, each a constant times inputs: ``tonnes = sum(amount x factor x ...)``.
Inputs of one correlation group, such as one factor version in all its cells, are drawn once.
This is the one place of the ledger that computes in floats: it says how far the exact figure may be off.

References:
    JCGM 100:2008 (GUM), 5.1.2 and 5.2.2: first-order propagation, correlated inputs.
    JCGM 101:2008, propagation of distributions by Monte Carlo.
    M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21 (1979): Latin hypercube.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.config import nearest
from aidc.errors import Fault, InputError
from aidc.ledger.factors.distributions import Distribution

APART_FRAC: Final = 0.02  # Taylor and Monte Carlo further apart than this is printed as a warning
_NORMAL_95: Final = 1.959963984540054  # 97.5 % quantile of the standard normal


@dataclass(frozen=True, slots=True)
class Input:
    """A number of a total and how it is spread.

    Attributes:
        name: such as the name of a factor version, or of a meter.
        value: as the statement uses it.
        spread: multiples of the value; ``None`` is not assessed: the value is held, not "certain".
        group: inputs of one group are drawn once; ``None`` is a group of its own.
        source: of the spread.
    """

    name: str
    value: float
    spread: Distribution | None
    group: str | None
    source: str

    @property
    def mean(self) -> float:
        """Mean in the input's unit."""
        return self.value * (self.spread.mean if self.spread else 1.0)

    @property
    def sd(self) -> float:
        """Standard deviation in the input's unit."""
        return abs(self.value) * (self.spread.sd if self.spread else 0.0)


@dataclass(frozen=True, slots=True)
class Term:
    """A constant times inputs: one cell of a statement.

    Attributes:
        total: which total it belongs to, such as a year.
        constant: what is known exactly; sign included.
        inputs: names; one named twice counts squared.
    """

    total: str
    constant: float
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """What is known of one total.

    Attributes:
        total: its name.
        point: at the values that the statement uses.
        mean: of the draws.
        sd: standard deviation of the draws.
        low: 2.5 % quantile of the draws.
        high: 97.5 % quantile of the draws.
        taylor_mean: at the means of the inputs.
        taylor_sd: first order.
        variance_frac: share of the first-order variance by group; sums to one.
        assessed_frac: share of the absolute terms whose inputs all have a distribution.
        draws: number of draws.
        seed: of the draws.
        warnings: what a statement prints.
    """

    total: str
    point: float
    mean: float
    sd: float
    low: float
    high: float
    taylor_mean: float
    taylor_sd: float
    variance_frac: Mapping[str, float]
    assessed_frac: float
    draws: int
    seed: int
    warnings: tuple[str, ...]

    @property
    def taylor_interval(self) -> tuple[float, float]:
        """95 % interval of the first-order result."""
        half = _NORMAL_95 * self.taylor_sd
        return self.taylor_mean - half, self.taylor_mean + half

    def text(self, unit: str) -> str:
        """One line for a statement, and its warnings."""
        shares = ", ".join(
            f"{group} {share:.0%}"
            for group, share in sorted(self.variance_frac.items(), key=lambda item: -item[1])[:5]
        )
        if not self.assessed_frac:
            return (
                f"{self.total}: {self.point:,.1f} {unit}; uncertainty not assessed: no term has a "
                "distribution for each of its inputs"
            )
        first = (
            f"{self.total}: {self.point:,.1f} {unit}, 95 % of draws {self.low:,.1f} to {self.high:,.1f}; "
            f"first order +-{_NORMAL_95 * self.taylor_sd:,.1f}; assessed {self.assessed_frac:.1%}; "
            f"variance: {shares or 'not assessed'}; {self.draws} draws, seed {self.seed}"
        )
        return "\n".join([first, *(f"warning: {warning}" for warning in self.warnings)])


def spread_of(
    inputs: Sequence[Input], terms: Iterable[Term], *, draws: int, seed: int
) -> dict[str, Spread]:
    """What is known of each total, in order of appearance.

    Args:
        inputs: each name once.
        terms: at least one a total.
        draws: Latin hypercube, one stratum a draw and group.
        seed: of the draws; equal seeds give equal results.

    Raises:
        InputError: too few draws, names given twice, unknown inputs; all at once.
    """
    held = list(terms)
    by_name = _checked(inputs, held, draws)
    samples = _samples(by_name, draws, seed)
    by_total: dict[str, list[Term]] = {}
    for term in held:
        by_total.setdefault(term.total, []).append(term)
    return {
        total: _one(total, of_total, by_name, samples, draws, seed)
        for total, of_total in by_total.items()
    }


def drawn(
    inputs: Sequence[Input], terms: Iterable[Term], *, draws: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """The draws of each total themselves, shape (draws,): for bands of a series of years.

    Raises:
        InputError: as `spread_of`.
    """
    held = list(terms)
    by_name = _checked(inputs, held, draws)
    samples = _samples(by_name, draws, seed)
    made: dict[str, NDArray[np.float64]] = {}
    for term in held:
        if term.total not in made:
            made[term.total] = np.zeros(draws)
        made[term.total] += _product(term, by_name, samples)
    return made


def _one(
    total: str,
    terms: Sequence[Term],
    inputs: Mapping[str, Input],
    samples: Mapping[str, NDArray[np.float64]],
    draws: int,
    seed: int,
) -> Spread:
    made = np.zeros(len(next(iter(samples.values()))) if samples else draws)
    for term in terms:
        made += _product(term, inputs, samples)
    points = [term.constant * math.prod(inputs[n].value for n in term.inputs) for term in terms]
    assessed = [all(inputs[n].spread for n in term.inputs) for term in terms]
    whole = math.fsum(map(abs, points))
    taylor_mean = math.fsum(t.constant * math.prod(inputs[n].mean for n in t.inputs) for t in terms)
    deviations = _deviations(terms, inputs)
    variance = math.fsum(value**2 for value in deviations.values())
    mean, sd = float(made.mean()), float(made.std(ddof=1))
    low, high = (float(value) for value in np.quantile(made, (0.025, 0.975)))
    share = math.fsum(abs(p) for p, known in zip(points, assessed, strict=True) if known)
    taylor_sd = math.sqrt(variance)
    assessed_frac = share / whole if whole else 0.0
    return Spread(
        total,
        math.fsum(points),
        mean,
        sd,
        low,
        high,
        taylor_mean,
        taylor_sd,
        {group: value**2 / variance for group, value in deviations.items() if variance and value},
        assessed_frac,
        draws,
        seed,
        tuple(_warnings(mean, sd, taylor_mean, taylor_sd, assessed_frac)),
    )


def _warnings(
    mean: float, sd: float, taylor_mean: float, taylor_sd: float, assessed_frac: float
) -> list[str]:
    if not assessed_frac:
        return ["uncertainty is not assessed"]
    made = []
    pairs = (("mean", mean, taylor_mean), ("standard deviation", sd, taylor_sd))
    for what, draws, taylor in pairs:
        if abs(draws - taylor) > APART_FRAC * abs(taylor):
            made.append(
                f"{what}: first order {taylor:.6g} and draws {draws:.6g} are more than "
                f"{APART_FRAC:.0%} apart; trust the draws"
            )
    if assessed_frac < 1:
        made.append(f"uncertainty is not assessed for {1 - assessed_frac:.1%} of the total")
    return made


def _product(
    term: Term, inputs: Mapping[str, Input], samples: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64] | float:
    constant = term.constant
    made: NDArray[np.float64] | None = None
    for name in term.inputs:
        if name not in samples:
            constant *= inputs[name].value
        else:
            made = samples[name] if made is None else made * samples[name]
    return constant if made is None else constant * made


def _deviations(terms: Iterable[Term], inputs: Mapping[str, Input]) -> dict[str, float]:
    """First-order standard deviation of each group: within it all inputs move together."""
    made: dict[str, float] = {}
    for term in terms:
        for at, name in enumerate(term.inputs):
            one = inputs[name]
            if one.spread is None:
                continue
            rest = math.prod(inputs[n].mean for n in (*term.inputs[:at], *term.inputs[at + 1 :]))
            signed = math.copysign(one.sd, one.value) * term.constant * rest
            made[_group(one)] = made.get(_group(one), 0.0) + signed
    return made


def _samples(inputs: Mapping[str, Input], draws: int, seed: int) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    quantiles: dict[str, NDArray[np.float64]] = {}
    spread = [one for one in inputs.values() if one.spread is not None]
    for group in sorted({_group(one) for one in spread}):  # not in order of the inputs
        quantiles[group] = (rng.permutation(draws) + rng.random(draws)) / draws
    return {
        one.name: one.value * one.spread.at(quantiles[_group(one)])
        for one in spread
        if one.spread is not None
    }


def _group(one: Input) -> str:
    return one.group or one.name


def _checked(inputs: Sequence[Input], terms: Sequence[Term], draws: int) -> dict[str, Input]:
    faults: list[str] = []
    if draws < 1000:
        faults.append(f"{draws} draws are too few for a 95 % interval; take 10000")
    if not terms:
        faults.append("there is no term")
    by_name = {one.name: one for one in inputs}
    if len(by_name) != len(inputs):
        names = [one.name for one in inputs]
        twice = sorted({name for name in names if names.count(name) > 1})
        faults.append(f"given twice: {', '.join(twice)}")
    unknown = sorted({name for term in terms for name in term.inputs} - set(by_name))
    faults.extend(f"no input '{name}'{nearest(name, by_name)}" for name in unknown)
    if faults:
        raise InputError([Fault("", 0, 0, "uncertainty", fault) for fault in faults])
    return by_name
