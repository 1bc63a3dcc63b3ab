import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from aidc.reporting import Study, build
from tests import reporting_study as made


@pytest.fixture(scope="module")
def report():
    return build(made.study())


def _manifest() -> dict[str, object]:
    return {"wall_s": 1.5}


def test_a_folder_holds_what_the_design_names(report, tmp_path):
    with_books = replace(
        report, books=lambda place: (place / "ledger.db").write_bytes(b"x") and None
    )
    folder = with_books.save(tmp_path / "run", manifest=_manifest)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "summary.json",
        "report.html",
        "trace-baseline.parquet",
        "trace-optimized.parquet",
        "jobs-baseline.parquet",
        "jobs-optimized.parquet",
        "schedule.parquet",
        "statements.csv",
        "pathway.csv",
        "monthly.csv",
        "attribution.csv",
        "windows.csv",
        "manifest.json",
        "ledger.db",
        "charts/pue.svg",
        "charts/pue.png",
        "charts/pue.csv",
    } <= names
    assert json.loads((folder / "summary.json").read_text()) == report.summary
    assert (tmp_path / "latest").resolve() == folder.resolve()
    assert not list(tmp_path.glob("*.tmp-*")) + list(tmp_path.glob("*.old-*"))


def test_a_trace_comes_back_from_parquet_with_its_zone(report, tmp_path):
    folder = report.save(tmp_path / "run")
    back = pd.read_parquet(folder / "trace-baseline.parquet")
    assert str(back.index.tz) == made.ZONE
    assert back["it_kw"].sum() == report.study.baseline.frame["it_kw"].sum()


def test_a_second_run_writes_the_same_bytes(report, tmp_path):
    one = report.save(tmp_path / "one", manifest=_manifest)
    two = build(made.study()).save(tmp_path / "two", manifest=_manifest)
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    for file in files:
        assert (one / file).read_bytes() == (two / file).read_bytes(), file


def test_an_older_folder_is_replaced_whole_and_stays_where_the_new_one_fails(report, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "stale.txt").write_text("old")

    def fails(_: Path) -> None:
        raise RuntimeError("no space left")

    with pytest.raises(RuntimeError):
        replace(report, books=fails).save(folder)
    assert (folder / "stale.txt").read_text() == "old"
    assert not list(tmp_path.glob("*.tmp-*"))
    report.save(folder)
    assert not (folder / "stale.txt").exists()
    assert (folder / "report.html").exists()


def test_a_folder_named_latest_of_somebody_else_is_left_alone(report, tmp_path):
    (tmp_path / "latest").mkdir()
    report.save(tmp_path / "run")
    assert not (tmp_path / "latest").is_symlink()


def test_the_page_has_no_script_and_no_address_that_leaves_it(report):
    assert "<script" not in report.html
    for address in re.findall(r'(?:src|href)\s*=\s*"([^"]*)"', report.html):
        assert address.startswith("#"), address
    assert not re.search(r"url\(\s*['\"]?(?!#)", report.html)
    assert "@import" not in report.html


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.lang = ""

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(tag)
        if tag == "html":
            self.lang = values.get("lang", "")


def test_ids_are_unique_headings_in_order_and_the_language_is_named(report):
    reader = _Reader()
    reader.feed(report.html)
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.lang == "en"
    assert reader.headings[0] == "h1"
    levels = [int(heading[1]) for heading in reader.headings]
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))


def test_the_page_begins_with_the_verdict_and_what_it_hangs_on(report):
    places = [
        report.html.index(text)
        for text in ("With the same work done", "Over what is assumed", 'class="tile"', "<svg")
    ]
    assert places == sorted(places)
    assert "simulated" in report.html[: places[1]]
    assert "synthetic inputs: jobs, weather" in report.html[: places[1]]
    assert "foresight of the plan: perfect" in report.html[: places[1]]
    assert "flat annual factor" in report.html[: places[1]]


def test_a_run_without_a_plan_still_makes_a_page_with_a_banner():
    before = made.trace(made.scenario(), "baseline")
    study = made.study(
        runs={"baseline": before},
        schedule=None,
        statements={},
        assumptions=(),
        fault="no plan within 60 s in the window of 2023-07-03",
    )
    report = build(study)
    assert 'role="alert">There is no plan: no plan within 60 s' in report.html
    assert report.summary["optimized"] is None
    assert report.summary["savings"] is None
    assert "not available" in report.html  # emissions without a statement
    assert any(line.startswith("no plan") for line in report.lines())


def test_an_empty_and_an_all_zero_run_make_a_page_that_says_so():
    scenario = made.scenario()
    run = made.trace(scenario, "baseline", it_kw=0.0)
    run.frame[[name for name in run.frame if name.endswith("_kw")]] = 0.0
    run.frame["gpus_busy"] = 0.0
    run = made.without_jobs(run)
    report = build(Study(runs={"baseline": run}, schedule=None, prices=made.study().prices))
    assert report.summary["baseline"]["pue"] is None
    assert "no IT energy" in report.html
    assert report.summary["baseline"]["jobs_submitted"] == 0


def test_a_label_with_markup_is_shown_and_not_obeyed():
    scenario = made.scenario(label="<b onclick='x'>a & b</b>")
    report = build(made.study(scenario=scenario))
    assert "<b onclick" not in report.html
    assert "&lt;b onclick" in report.html


def test_the_page_of_a_week_is_small_enough_to_mail(report):
    assert len(report.html.encode()) < 2_000_000
