"""A workbook as a page: what stands in it, and that nothing of the ledger can break out of it."""

from dataclasses import replace

from aidc.reporting.statement_page import statement_page
from tests.unit.test_ledger_sheets import book


def test_the_page_shows_figures_rounded_and_what_is_missing_in_words() -> None:
    page = statement_page(book(), [])
    assert '<td class="n">169.6</td>' in page
    assert "169.61021616" not in page
    assert 'class="n none">not assessed<sup>' in page
    assert '<li id="inventory-1">no meter</li>' in page
    assert "2022-01-01 to 2022-12-31 (365 days)" in page
    assert "mind the gap" in page
    assert "src=" not in page  # self-contained
    assert "http" not in page


def test_simulated_data_and_tripped_checks_are_badges() -> None:
    page = statement_page(book(simulated=True), ["D17: the bill differs", "D13: twice"])
    assert "simulated: no meter counted this" in page
    assert "2 checks tripped" in page
    assert "D17: the bill differs" in page


def test_names_are_escaped() -> None:
    assert "<script>" not in statement_page(replace(book(), entity="<script>x"), ["<b>"])
