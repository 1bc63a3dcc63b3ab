"""Ledgers for tests: sites with hourly meters, posted as entries."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import numpy as np

from aidc.ledger import Ledger
from aidc.ledger.journal.activity import block_entry
from aidc.ledger.journal.fields import Stream, base_unit_of
from aidc.ledger.journal.periods import period_of
from aidc.ledger.reports.meter_totals import MeterTotals, meter_totals

ZONE = "Asia/Shanghai"
AT = datetime(2024, 4, 1, tzinfo=UTC)
ALWAYS = {"valid_from": "2015-12-31T16:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
# Wh of an hour: the sources equal the uses
HOUR = {"grid_import": 1250, "pv": 50, "it_in": 1000, "cooling": 200, "loss": 60, "other": 40}


def site_entry(
    name: str, *, entity: str = "group", region: str = "CN-SH", use: str = "AIDC"
) -> dict[str, Any]:
    """A site."""
    payload = {
        "entity": entity,
        "name": name,
        "region": region,
        "zone": ZONE,
        "use": use,
        "approach": "operational_control",
        "share": "1",
    }
    return {"id": f"site:{name}", "kind": "site", **ALWAYS, "payload": payload}


def meter_entry(
    site: str, stream: str, *, fuel: str | None = None, kept: bool = True
) -> dict[str, Any]:
    """A meter."""
    payload: dict[str, Any] = {
        "site": f"site:{site}",
        "stream": stream,
        "unit": base_unit_of(stream),
    }
    if fuel is not None:
        payload["fuel"] = fuel
    if stream == "pv":
        payload["attribute_kept"] = kept
    return {"id": f"meter:{site}:{stream}", "kind": "meter", **ALWAYS, "payload": payload}


def month(
    site: str, stream: str, text: str, wh_per_hour: int, *, quality: str = "metered", name: str = ""
) -> dict[str, Any]:
    """A month of hours, ``2023-07``."""
    start, end = period_of(text, ZONE)
    hours = round((end - start) / timedelta(hours=1))
    return block_entry(
        f"activity:{site}:{stream}:{text}{name}",
        f"meter:{site}:{stream}",
        base_unit_of(stream),
        start,
        timedelta(hours=1),
        np.full(hours, wh_per_hour).tolist(),
        quality,
        "last year's" if quality == "estimated" else None,
    )


def months(year: int, count: int = 12) -> list[str]:
    """The first months of a year."""
    return [f"{year}-{number:02d}" for number in range(1, count + 1)]


def site_year(
    site: str,
    year: int,
    wh_per_hour: Mapping[str, int] = HOUR,
    *,
    count: int = 12,
    quality: str = "metered",
    region: str = "CN-SH",
    use: str = "AIDC",
    fuel: str = "diesel",
) -> Iterator[dict[str, Any]]:
    """A site, its meters, and a year of hours."""
    yield site_entry(site, region=region, use=use)
    for stream, amount in wh_per_hour.items():
        yield meter_entry(site, stream, fuel=fuel if stream == "fuel" else None)
        for text in months(year, count):
            yield month(site, stream, text, amount, quality=quality)


def ledger_of(*entries: Iterable[Mapping[str, Any]]) -> Ledger:
    """A ledger in memory with entries."""
    made = Ledger.init(":memory:", ledger_id="test", zone=ZONE, recorded_at=AT)
    made.post([one for group in entries for one in group], recorded_at=AT, role="accountant")
    return made


def site_totals(ledger: Ledger, site: str, period: tuple[datetime, datetime]) -> MeterTotals:
    """Meter totals of a site."""
    readings = ledger.store.readings()
    register, key = readings.register, f"site:{site}"
    meters = register.meters_of(key, *get_args(Stream))
    return meter_totals(register.sites[key], meters, readings.counts, period, ZONE)
