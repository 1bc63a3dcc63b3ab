"""A year of quarter hours of six sites through the journal, beside rows in a bare SQLite table.

python -m benchmarks.ledger
"""

import hashlib
import json
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aidc.ledger import Ledger, verify_file
from aidc.ledger.journal.activity import block_entry
from aidc.ledger.journal.file import lines_of
from aidc.ledger.journal.periods import period_of

ZONE = "Asia/Shanghai"
AT = datetime(2024, 1, 31, tzinfo=UTC)
REPORT = date(2026, 1, 31)
ALWAYS = {"valid_from": "2020-01-01T00:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
SITES = 6
QUARTER = timedelta(minutes=15)
START = period_of("2023", ZONE)[0]
INTERVALS = 35_040
T = TypeVar("T")


def nouns() -> Iterator[dict[str, Any]]:
    """Sites and their import meters."""
    for number in range(SITES):
        site = {
            "entity": "e", "name": str(number), "region": "CN-SH", "zone": ZONE,
            "use": "AIDC", "approach": "operational_control", "share": "1",
        }  # fmt: skip
        yield {"id": f"site:{number}", "kind": "site", **ALWAYS, "payload": site}
        meter = {"site": f"site:{number}", "stream": "grid_import", "unit": "Wh"}
        yield {"id": f"meter:{number}", "kind": "meter", **ALWAYS, "payload": meter}


def wh(interval: int) -> int:
    """Some Wh."""
    return 700_000 + interval % 4_000


def singles() -> list[dict[str, Any]]:
    """An entry an interval, as a BMS posts them."""
    return [
        block_entry(
            f"a:{site}:{interval}", f"meter:{site}", "Wh", START + interval * QUARTER, QUARTER,
            [wh(interval)], "metered",
        )
        for site in range(SITES)
        for interval in range(INTERVALS)
    ]  # fmt: skip


def blocks() -> list[dict[str, Any]]:
    """An entry a month."""
    made = []
    for month in range(1, 13):
        begin, end = period_of(f"2023-{month:02d}", ZONE)
        first, count = (begin - START) // QUARTER, (end - begin) // QUARTER
        counted = [wh(interval) for interval in range(first, first + count)]
        made += [
            block_entry(
                f"b:{site}:{month}", f"meter:{site}", "Wh", begin, QUARTER, counted, "metered"
            )
            for site in range(SITES)
        ]
    return made


def timed(what: str, call: Callable[[], T], count: int = 0) -> T:
    """Runs and prints CPU and wall time, and the rate."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rate = f"{count / cpu:>12,.0f} per CPU s" if count else ""
    print(f"{what:<46}{cpu:>9.3f} CPU s{wall:>9.3f} s{rate}")
    return made


def bare(folder: Path, rows: list[dict[str, Any]]) -> None:
    """What the same rows cost without chain, checks and index."""
    database = sqlite3.connect(folder / "bare.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE entry(seq INTEGER PRIMARY KEY, body BLOB)")
    stored = ((n, json.dumps(row, sort_keys=True).encode()) for n, row in enumerate(rows))
    database.executemany("INSERT INTO entry VALUES (?, ?)", stored)
    database.commit()
    database.close()


def hashes(path: Path) -> None:
    """The hashes alone, without reading what the bytes say."""
    for line in lines_of(path):
        hashlib.sha256(b"\x00" + line.body).hexdigest()


def main() -> None:
    """Prints the table of `benchmarks/README.md`."""
    rows = singles()
    year = period_of("2023", ZONE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timed("bare SQLite, one row an interval", lambda: bare(folder, rows), len(rows))
        for form, entries in (("an entry an interval", rows), ("an entry a month", blocks())):
            place = folder / form.replace(" ", "-")
            with Ledger.init(place, ledger_id="b", zone=ZONE, recorded_at=AT) as ledger:
                ledger.post(nouns(), recorded_at=AT, role="accountant")
                intervals = SITES * INTERVALS
                timed(
                    f"post, {form}",
                    lambda entries=entries, ledger=ledger: ledger.post(
                        entries, recorded_at=AT, role="bms"
                    ),
                    intervals,
                )
                ledger.adopt_factors(["S2-LB"], entity="e", report_date=REPORT, recorded_at=AT)
            file = place / "ledger.db"
            found = timed("  hashes alone", lambda file=file: hashes(file), len(entries))
            found = timed("  verify", lambda file=file: verify_file(file), len(entries))
            assert found is not None
            assert found.ok
            opened = timed("  open", lambda place=place: Ledger.open(place))
            made = timed(
                "  statement of the year",
                lambda opened=opened: opened.statement(
                    "S2-LB", entity="e", period=year, report_date=REPORT
                ),
            )
            assert sum(made.tiers.values()) == SITES * sum(map(wh, range(INTERVALS)))
            timed("  reindex", opened.reindex, len(entries))
            opened.close()
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
