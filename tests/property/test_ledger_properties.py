"""True for every ledger: coverage, units and scale, aggregation, the peak verdict."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.ledger import Ledger
from aidc.ledger.journal.activity import wh_from_kw
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.entries import content_of
from aidc.ledger.journal.units import to_base
from aidc.ledger.pathway.targets import peak

AT = datetime(2026, 1, 31, tzinfo=UTC)
NOW = date(2026, 1, 31)
START = datetime(2023, 6, 30, 10, tzinfo=UTC)  # the month ends inside in Shanghai
ALWAYS = {"valid_from": "2020-01-01T00:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
BOOKS = ("S2-LB", "S2-MB-2015", "NDRC")
counts = st.integers(0, 10**12)
intervals = st.lists(st.tuples(counts, counts, counts), min_size=1, max_size=5)


def posted(sites: dict[str, list[tuple[int, int, int]]], *, kept: bool) -> Ledger:
    """Sites with import, PV and export hour by hour."""
    ledger = Ledger.init(":memory:", ledger_id="p", zone="Asia/Shanghai", recorded_at=AT)
    regions = {"a": "CN-SH", "b": "CN-GD", "c": "overseas"}
    nouns, facts = [], []
    for name, rows in sites.items():
        payload = {
            "entity": "e", "name": name, "region": regions[name], "zone": "Asia/Shanghai",
            "use": "AIDC", "approach": "operational_control", "share": "1",
        }  # fmt: skip
        nouns.append({"id": f"site:{name}", "kind": "site", **ALWAYS, "payload": payload})
        for column, stream in enumerate(("grid_import", "pv", "grid_export")):
            key = f"meter:{name}:{stream}"
            of_meter = {"site": f"site:{name}", "stream": stream, "unit": "Wh"}
            if stream == "pv":
                of_meter["attribute_kept"] = kept
            nouns.append({"id": key, "kind": "meter", **ALWAYS, "payload": of_meter})
            for number, row in enumerate(rows):
                start = START + timedelta(hours=number)
                counted = {
                    "meter": key, "unit": "Wh", "interval_s": 3600,
                    "quantities": [row[column]], "quality": "metered",
                }  # fmt: skip
                facts.append(
                    {
                        "id": f"activity:{key}:{number}",
                        "kind": "activity",
                        "valid_from": utc_text(start),
                        "valid_to": utc_text(start + timedelta(hours=1)),
                        "payload": counted,
                    }
                )
    ledger.post([*nouns, *facts], recorded_at=AT, role="accountant")
    ledger.adopt_factors(BOOKS, entity="e", report_date=NOW, recorded_at=AT)
    return ledger


def total(ledger: Ledger, book: str, first: int, last: int) -> Decimal:
    period = (START + timedelta(hours=first), START + timedelta(hours=last))
    return ledger.statement(book, entity="e", period=period, report_date=NOW).total_tco2e


@settings(max_examples=25, deadline=None)
@given(rows=intervals, kept=st.booleans())
def test_the_tiers_of_every_book_add_up_to_gross_consumption(
    rows: list[tuple[int, int, int]], kept: bool
) -> None:
    """P1."""
    gross = sum(bought + max(0, pv - out) for bought, pv, out in rows)
    with posted({"a": rows}, kept=kept) as ledger:
        for book in BOOKS:
            period = (START, START + timedelta(hours=len(rows)))
            made = ledger.statement(book, entity="e", period=period, report_date=NOW)
            assert sum(made.tiers.values()) == gross


@settings(max_examples=15, deadline=None)
@given(rows=intervals, others=intervals, seed=st.integers(0, 2**32))
def test_the_order_of_posting_does_not_matter(
    rows: list[tuple[int, int, int]], others: list[tuple[int, int, int]], seed: int
) -> None:
    """P2: any order that respects references: sites, then meters, then counts, each shuffled."""
    both = {"a": rows, "c": (others * 5)[: len(rows)]}
    with posted(both, kept=True) as one:
        entries = [one.store.journal.body(place) for place in range(one.head[0])]
        with Ledger.init(":memory:", ledger_id="p", zone="Asia/Shanghai", recorded_at=AT) as other:
            random = np.random.default_rng(seed)
            for kinds in (("site", "factor_version"), ("meter",), ("activity",)):
                group = [content_of(body) for body in entries if body["kind"] in kinds]
                order = random.permutation(len(group))
                other.post([group[n] for n in order], recorded_at=AT, role="accountant")
            assert other.head[0] == one.head[0]
            period = (START, START + timedelta(hours=len(rows)))
            for book in BOOKS:
                made, again = (
                    ledger.statement(book, entity="e", period=period, report_date=NOW)
                    for ledger in (one, other)
                )
                assert made.canonical() == again.canonical()


@given(wh=st.integers(0, 10**12))
def test_the_same_energy_in_any_unit_is_the_same_count(wh: int) -> None:
    """P4: units."""
    exact = Decimal(wh)
    assert to_base(exact.scaleb(-3), "kWh") == to_base(exact.scaleb(-6), "MWh") == wh
    assert to_base(exact * Decimal("0.0000036"), "GJ") == wh


@settings(max_examples=15, deadline=None)
@given(rows=intervals, factor=st.integers(2, 50))
def test_all_quantities_times_k_give_totals_times_k(
    rows: list[tuple[int, int, int]], factor: int
) -> None:
    """P4: scale."""
    larger = [tuple(value * factor for value in row) for row in rows]
    with posted({"a": rows}, kept=True) as one, posted({"a": larger}, kept=True) as other:  # type: ignore[dict-item]
        for book in BOOKS:
            assert total(one, book, 0, len(rows)) * factor == total(other, book, 0, len(rows))


@settings(max_examples=15, deadline=None)
@given(first=intervals, second=intervals)
def test_hours_add_up_to_the_period_and_sites_to_the_company(
    first: list[tuple[int, int, int]], second: list[tuple[int, int, int]]
) -> None:
    """P5, exact."""
    length = min(len(first), len(second))
    sites = {"a": first[:length], "b": second[:length], "c": first[:length]}
    with posted(sites, kept=True) as ledger:
        for book in BOOKS:
            period = (START, START + timedelta(hours=length))
            made = ledger.statement(book, entity="e", period=period, report_date=NOW)
            assert sum(made.by_site.values()) == made.total_tco2e
            hours = (total(ledger, book, hour, hour + 1) for hour in range(length))
            assert sum(hours) == made.total_tco2e


@settings(max_examples=15, deadline=None)
@given(rows=intervals)
def test_the_market_based_total_is_within_zero_and_the_largest_factor(
    rows: list[tuple[int, int, int]],
) -> None:
    """P7."""
    gross = sum(bought + max(0, pv - out) for bought, pv, out in rows)
    with posted({"a": rows}, kept=False) as ledger:
        tonnes = total(ledger, "S2-MB-2015", 0, len(rows))
        assert 0 <= tonnes <= Decimal(gross).scaleb(-6) * Decimal("0.6096")


@given(
    values=st.lists(st.integers(1, 10**6), min_size=6, max_size=12),
    factor=st.fractions(min_value=Fraction(1, 1000), max_value=1000),
    tau=st.sampled_from(["0", "0.01", "0.02"]),
)
def test_the_peak_verdict_does_not_change_when_the_series_is_scaled(
    values: list[int], factor: Fraction, tau: str
) -> None:
    """P9."""
    series = dict(enumerate(values, 2021))
    scaled = {year: value * factor for year, value in series.items()}
    one, other = peak(series, 2025, Decimal(tau)), peak(scaled, 2025, Decimal(tau))
    assert (one.verdict, one.first_year, one.fail_year) == (
        other.verdict,
        other.first_year,
        other.fail_year,
    )


@given(
    power=st.lists(st.floats(0, 50_000), min_size=1, max_size=500),
    step_h=st.sampled_from([1 / 12, 0.25, 1.0]),
)
def test_any_run_of_steps_agrees_with_the_float_total_to_one_watt_hour(
    power: list[float], step_h: float
) -> None:
    counted = wh_from_kw(power, step_h)
    exact = np.cumsum(np.asarray(power) * step_h * 1000)
    assert (counted >= 0).all()
    assert np.abs(np.cumsum(counted) - exact).max() <= 1
