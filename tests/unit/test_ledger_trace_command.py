"""What `aidc ledger trace` shows of corrections, lots and moves, and how it finds a site."""

import json
from pathlib import Path

import pytest

from aidc.errors import InputError
from aidc.ledger import Ledger
from aidc.ledger.examples import ZONE, examples, posted_examples
from tests.ledger_cases import AT
from tests.unit.test_ledger_factor_commands import typed

ASKED = ("--entity", "acme", "--period", "2024", "--report-date", "2025-04-30")


@pytest.fixture
def book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The small book with the rest of its year as one bill."""
    rest = examples("activity")[0]
    rest |= {"id": "rest", "valid_from": "2024-02-01T00:00:00+08:00", "valid_to": "2025-01-01T00:00:00+08:00"}  # fmt: skip
    rest["payload"] |= {"interval_s": 335 * 86_400, "quantities": [10**10]}
    given = tmp_path / "entries.json"
    given.write_text(json.dumps([*posted_examples(), rest]), "utf-8")
    folder = tmp_path / "book"
    typed(capsys, "init", folder, "--id", "t", "--by", "lin")
    assert typed(capsys, "post", folder, given, "--by", "lin", "--role", "accountant")[2] == 0
    for name in ("S2-LB", "S2-MB-2015"):
        assert typed(capsys, "statement", folder, "--book", name, *ASKED, "--adopt")[2] == 0
    return folder


def test_a_correction_shows_its_reason_its_code_and_what_it_took_back(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = typed(capsys, "trace", book, "--book", "S2-LB", *ASKED)[0]
    after = told[told.index("adjustment correction:shanghai:2024-01") :]
    assert "code: error" in after
    assert "reason: two digits of the bill were swapped" in after
    assert "sum: 1120000000" in after
    before = after[after.index("activity bill:shanghai:2024-01") :]
    assert "sum: 1210000000" in before
    assert "evidence State Grid Shanghai, bill of January 2024" in before


def test_a_lot_shows_its_criteria_and_a_move_its_serials(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--site", "site:shanghai", "--tier", "certificate")
    told = typed(capsys, "trace", book, "--book", "S2-MB-2015", *ASKED, *words)[0]
    assert "QC1: yes, registry record and contract GT-2024-017" in told
    assert "QC6: not_applicable, no supplier rate" in told
    assert "serials: 1001 to 1500" in told[told.index("lot_move move:GT-2024-017:retire") :]


def test_a_site_is_found_by_id_and_by_name_and_an_unknown_one_lists_both(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by = [
        typed(capsys, "trace", book, "--book", "S2-LB", *ASKED, "--site", name)[0]
        for name in ("site:shanghai", "Shanghai AI centre")
    ]
    assert by[0] == by[1] != ""
    _, told, status = typed(capsys, "trace", book, "--book", "S2-LB", *ASKED, "--site", "x")
    assert (status, "site:shanghai 'Shanghai AI centre' grid_average" in told) == (2, True)


def test_a_later_version_of_a_meter_stands_under_the_first(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = examples("meter")[0]
    later = first | {"id": "grid-2", "supersedes": first["id"], "reason": "accuracy class known"}
    later["payload"] = first["payload"] | {"uncertainty": "normal 0.01"}
    with Ledger.open(book) as opened:
        now = opened.store.journal.body(opened.head[0] - 1)["recorded_at"]
        opened.post(later, recorded_at=AT.fromisoformat(now), role="accountant", recorded_by="lin")
    told = typed(capsys, "trace", book, "--book", "S2-LB", *ASKED)[0]
    assert "meter grid-2" in told
    assert "reason: accuracy class known" in told


def test_two_sites_of_an_entity_do_not_share_a_name() -> None:
    site = examples("site")[0]
    with Ledger.init(":memory:", ledger_id="t", zone=ZONE, recorded_at=AT) as book:
        book.post(site, recorded_at=AT, role="accountant")
        twin = site | {"id": "site:shanghai-2"}
        with pytest.raises(InputError, match="site:shanghai is called 'Shanghai AI centre'"):
            book.post(twin, recorded_at=AT, role="accountant")
        renewed = twin | {"supersedes": "site:shanghai", "reason": "a new permit"}
        assert book.post(renewed, recorded_at=AT, role="accountant") == 1
        others = twin | {"payload": site["payload"] | {"entity": "other"}}
        assert book.post(others | {"id": "o"}, recorded_at=AT, role="accountant") == 1
