from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from aidc.api.drivers import drivers_of
from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.scenario_file import load
from aidc.workload.traces import FORMATS, read_trace
from aidc.workload_inputs import TraceWorkload
from tests.w1 import bare_site, w1_pool

EPOCH = datetime(2020, 7, 2, tzinfo=UTC)
HORIZON = Horizon(EPOCH, EPOCH + timedelta(days=1), 60, "UTC")
SCENARIOS = Path(__file__).parents[2] / "scenarios"


def read(format_: str, path: Path = Path("absent.csv"), **clock: Any) -> None:
    sites, shares = (bare_site("lingang", w1_pool()),), {"training": 1.0}
    read_trace(format_, path, HORIZON, sites, limit_factor=1.5, class_shares=shares, **clock)


def test_a_scenario_knows_every_format_that_is_read() -> None:
    assert get_args(TraceWorkload.model_fields["format"].annotation) == FORMATS


@pytest.mark.parametrize("format_", ["philly", "philly-json"])
def test_a_wall_clock_without_its_zone_is_refused(format_: str) -> None:
    with pytest.raises(SeriesError, match=r"absent.csv: zone: .* its times have none: name it"):
        read(format_)
    with pytest.raises(SeriesError, match="'Mars/Olympus' is no IANA zone"):
        read(format_, zone="Mars/Olympus")
    with pytest.raises(SeriesError, match=r"epoch: .* its times are dates"):
        read(format_, zone="UTC", epoch=EPOCH)


@pytest.mark.parametrize("format_", ["alibaba-2020", "alibaba-2023"])
def test_seconds_without_an_epoch_are_refused(format_: str) -> None:
    with pytest.raises(SeriesError, match=r"absent.csv: epoch: .* its times are seconds"):
        read(format_)
    with pytest.raises(SeriesError, match=r"2020-07-02T00:00:00 has no offset"):
        read(format_, epoch=EPOCH.replace(tzinfo=None))
    with pytest.raises(SeriesError, match=r"zone: .* its times need no zone"):
        read(format_, zone="UTC", epoch=EPOCH)


@pytest.mark.parametrize("format_", ["helios", "acme"])
def test_a_zone_or_an_epoch_that_would_be_ignored_is_refused(format_: str) -> None:
    with pytest.raises(SeriesError, match="its times need no zone"):
        read(format_, zone="UTC")
    with pytest.raises(SeriesError, match="its times are dates"):
        read(format_, epoch=EPOCH)


def test_an_unknown_format_and_an_archive_are_refused_with_what_to_do() -> None:
    with pytest.raises(
        SeriesError, match=r"no trace format is called 'phily' - did you mean 'philly'\?"
    ):
        read("phily")
    with pytest.raises(SeriesError, match="it is an archive; unpack it"):
        read("philly-json", Path("trace-data.tar.gz"), zone="UTC")


@pytest.mark.real_data
def test_the_shipped_helios_scenario_reads_its_jobs(real_data: Path) -> None:
    drivers = drivers_of(load(SCENARIOS / "lingang-helios.yaml"))
    label = "Helios trace helios_venus_2vc_2020-09.csv.gz, 1867 of 1867 rows"
    assert (drivers.job_label, len(drivers.jobs)) == (label, 1_867)
    assert drivers.jobs.gpu_s.sum() / 3_600 == pytest.approx(118_318, abs=0.5)
    assert "the trace's times are moved by 728 days" in drivers.notes
