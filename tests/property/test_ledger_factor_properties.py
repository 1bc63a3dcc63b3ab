"""True for every factor: units and scale (P4), shares of blends, bounds of a spread."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from aidc.ledger.factors.distributions import distribution
from aidc.ledger.factors.gases import gwps, leaked, refrigerants, total_tco2e
from aidc.ledger.factors.rows import ActivityFactor
from aidc.ledger.scopes.scope3 import lost_wh
from aidc.ledger.statements.uncertainty import Input, Term, spread_of

amounts = st.integers(0, 10**12)
decimals = st.decimals(Decimal("0.0001"), Decimal(1000), places=4, allow_nan=False)
names = st.sampled_from(sorted({p.refrigerant for p in refrigerants().values()} - {"R-1234ze(E)"}))


def factor(value: Decimal, unit_num: str, unit_den: str) -> ActivityFactor:
    return ActivityFactor(
        name="x", id="x", version="1", activity="x", value=value, unit_num=unit_num,
        unit_den=unit_den, gas="CH4", basis="direct", geography="world", data_year=2020,
        publisher="test", document_no="none", status="assumed", source="assumed: for the test",
    )  # fmt: skip


@given(decimals, amounts)
def test_the_same_factor_in_other_units_gives_the_same_tonnes(value: Decimal, wh: int) -> None:
    """kg/TJ, g/GJ and g per 10^12/3600 Wh are one factor; money and travel alike."""
    per_tj = factor(value, "kg", "TJ").tonnes(wh)
    assert factor(value, "g", "GJ").tonnes(wh) == per_tj
    assert factor(value * Decimal("3.6"), "g", "MWh").tonnes(wh) == per_tj
    assert factor(value, "kg", "CNY").tonnes(wh) == factor(value / 100, "kg", "fen").tonnes(wh)
    assert factor(value, "g", "pkm").tonnes(wh) == factor(value / 1000, "g", "pm").tonnes(wh)


@given(decimals, amounts, st.integers(1, 1000))
def test_k_times_the_activity_is_k_times_the_tonnes(value: Decimal, wh: int, k: int) -> None:
    held = factor(value, "kg", "MWh")
    assert held.tonnes(k * wh) == k * held.tonnes(wh)


@given(names, amounts, st.integers(1, 100))
def test_a_leak_lies_between_its_gases_and_grows_in_step(name: str, grams: int, k: int) -> None:
    rows = gwps().values()
    made = leaked(name, grams, "AR6", refrigerants().values(), rows)
    assert sum(mass.tonnes for mass in made) == Decimal(grams).scaleb(-6)
    potentials = [mass.gwp.value if mass.gwp else Decimal(1) for mass in made]
    total = total_tco2e(made)
    assert min(potentials) * grams <= total * 10**6 <= max(potentials) * grams
    more = leaked(name, k * grams, "AR6", refrigerants().values(), rows)
    assert total_tco2e(more) == k * total


@given(amounts, st.decimals(Decimal("0.001"), Decimal("0.5"), places=3))
def test_grossed_up_losses_are_the_rate_of_what_enters(wh: int, rate: Decimal) -> None:
    lost = lost_wh(wh, rate, "grossed_up")
    assert abs(rate * (wh + lost) - lost) <= Decimal("1e-15")
    assert lost >= lost_wh(wh, rate, "consumption")


@given(
    st.lists(st.tuples(st.floats(1, 1e6), st.floats(0.001, 0.3)), min_size=1, max_size=5),
    st.integers(0, 100),
)
def test_variance_shares_sum_to_one_and_k_scales_the_interval(
    parts: list[tuple[float, float]], seed: int
) -> None:
    inputs = [
        Input(f"i{n}", value, distribution(f"normal {sd!r}"), None, "test")
        for n, (value, sd) in enumerate(parts)
    ]
    one = spread_of(inputs, [Term("t", 1, (i.name,)) for i in inputs], draws=1000, seed=seed)["t"]
    ten = spread_of(inputs, [Term("t", 10, (i.name,)) for i in inputs], draws=1000, seed=seed)["t"]
    assert abs(sum(one.variance_frac.values()) - 1) < 1e-9
    assert one.low <= one.mean <= one.high
    assert abs(ten.high - 10 * one.high) <= 1e-6 * abs(ten.high)
