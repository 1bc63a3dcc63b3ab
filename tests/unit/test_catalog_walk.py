"""Every row and file of models/: it loads, it says where its numbers come from, and they can be."""

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidc import catalog, config, equipment
from aidc.api.ends import Assumption
from aidc.config import Config
from aidc.errors import CatalogError
from aidc.ledger.factors import policies, registry
from aidc.ledger.inventory import CompanyFact
from aidc.ledger.journal.heat import HeatRow
from aidc.ledger.lots.lot import CcerTechnology, LotRule, LotTechnology
from aidc.ledger.reports.disclosure import DisclosureRow
from aidc.ledger.reports.grade import GradeLimit
from aidc.ledger.reports.kpi import EnergyWeight, KpiRow
from aidc.ledger.reports.meter_sheets import RenewableTechnology
from aidc.ledger.reports.report import CheckTerms
from aidc.lot_inputs import LotRow
from aidc.reporting.comparison import PublishedPue
from aidc.site import Site
from aidc.supply.grid import IntensityShape
from aidc.supply.tariff import read_tariff
from aidc.supply.typical import ClimateHour, ClimateMethod, ClimateMonth
from aidc.workload.arrivals import ArrivalFactor
from aidc.workload.boards import GpuSpeed
from aidc.workload.interruptions import FaultRules
from aidc.workload.power import JobClass
from aidc.workload.power_cap import PowerCap
from aidc.workload.profile import Profile
from aidc.workload.scaling import GangScaling
from aidc.workload.traces.alibaba import TraceBoard

ROWS: dict[str, type[Config]] = {
    **equipment.TABLES,
    **registry.TABLES,
    "arrival_shapes": ArrivalFactor,
    "assumed": Assumption,
    "ccer_technologies": CcerTechnology,
    "lot_technologies": LotTechnology,
    "check_terms": CheckTerms,
    "climate_hours": ClimateHour,
    "climate_method": ClimateMethod,
    "climates": ClimateMonth,
    "company_facts": CompanyFact,
    "disclosure": DisclosureRow,
    "energy_weights": EnergyWeight,
    "heat_contents": HeatRow,
    "fault_rules": FaultRules,
    "gang_scaling": GangScaling,
    "gpu_speeds": GpuSpeed,
    "intensity_shapes": IntensityShape,
    "job_classes": JobClass,
    "kpis": KpiRow,
    "lot_types": LotRule,
    "lots": LotRow,
    "power_caps": PowerCap,
    "published_pue": PublishedPue,
    "pue_grades": GradeLimit,
    "renewable_technologies": RenewableTechnology,
    "trace_boards": TraceBoard,
    "workload_profiles": Profile,
}
KEYS = {"intensity_shapes": "row"}
UNREAD = {"prices"}  # for readers of the catalog; no figure is computed from it
TABLES = sorted(catalog.root().glob("*.csv"))
DOCUMENTS = sorted(catalog.root().rglob("*.yaml"))

SIGNED = {  # temperatures in degC, differences from a mean, slopes and correlations
    "climates": {"drybulb_mean_degc", "dewpoint_mean_degc", "corr_drybulb_dewpoint"},
    "climate_hours": {"drybulb_k_per_k", "dewpoint_k"},
    "intensity_shapes": {f"h{hour:02d}" for hour in range(24)},
    "pv_modules": {"gamma_per_k"},
    "pv_mounts": {"sapm_a", "sapm_b"},
}
MAY_BE_ZERO = {
    "arrival_shapes": {"position"},
    "climate_hours": {"hour"},
    "iec_curves": {"x", "y"},
    "company_facts": {"decimals"},
    "ups": {"quadratic_frac"},
    "workload_profiles": {"debug_frac", "inference_frac"},
}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:work|tmp|home|root|usr|var|mnt|opt|Users)/|[A-Z]:\\")


def records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells of each row."""
    lines = [
        (number, line)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line and not line.startswith("#")
    ]
    cells = csv.DictReader((line for _, line in lines), restkey="")
    yield from zip((number for number, _ in lines[1:]), cells, strict=True)


def sources(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each ``source`` below a value of a YAML file, with its dotted key."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for name, below in parts:
        if name == "source" or str(name).endswith("_source"):
            yield f"{key}{name}", below
        elif isinstance(below, dict | list):
            yield from sources(below, f"{key}{name}.")


def test_the_walk_knows_every_table() -> None:
    assert {path.stem for path in TABLES} == set(ROWS) | UNREAD
    assert {path.suffix for path in catalog.root().rglob("*") if path.is_file()} == {
        ".csv", ".json", ".yaml", ".md",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_row_of_a_table_loads(name: str) -> None:
    rows = catalog.table(name, ROWS[name], key=KEYS.get(name, "name"))
    assert len(rows) == len(list(records(catalog.root() / f"{name}.csv")))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_says_where_it_comes_from(path: Path) -> None:
    for line, cells in records(path):
        source = cells["source"].strip()
        assert len(source) >= 5, f"{path.name}:{line}"
        if source.lower().startswith("assumed"):
            assert len(source.partition(":")[2].strip()) >= 10, (
                f"{path.name}:{line}: assumed, but why?"
            )


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_numbers_are_positive_unless_they_may_be_less(path: Path) -> None:
    signed, zero = SIGNED.get(path.stem, set()), MAY_BE_ZERO.get(path.stem, set())
    for line, cells in records(path):
        for column, text in cells.items():
            place = f"{path.name}:{line}: {column} is {text}"
            for part in text.split() if column in ("x", "y") else [text]:
                try:
                    number = float(part)
                except ValueError:
                    continue
                assert math.isfinite(number), place
                assert number > 0 or column in signed or (number == 0 and column in zero), place
                if column.endswith("_frac"):
                    assert number <= 1, place


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_rows_have_as_many_cells_as_the_header_and_names_that_are_unique(path: Path) -> None:
    key, names = KEYS.get(path.stem, "name"), []
    for line, cells in records(path):
        assert None not in cells.values(), f"{path.name}:{line} has too few cells"
        assert "" not in cells, f"{path.name}:{line} has too many cells"
        names.append(cells[key])
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_file_and_its_parts_say_where_they_come_from(path: Path) -> None:
    data = config.read_yaml(path).data
    found = dict(sources(data))
    needed = {
        "sites": {"source", "hall.source", "electrical.source", "cooling.source", "pv.source"}
    }
    needed["tariffs"] = {"source", "water_source"}
    assert set(found) >= needed.get(path.parent.name, set())
    assert found
    for key, source in found.items():
        assert isinstance(source, str), key
        assert len(source.strip()) >= 5, key
        if source.lower().startswith("assumed"):
            assert len(source.partition(":")[2].strip()) >= 10, key


def test_every_policy_says_where_it_comes_from() -> None:
    data = config.read_yaml(catalog.root() / "policies.yaml").data
    assert all(policy["source"] for policy in data["policies"].values())
    assert policies.shipped().policies.keys() == data["policies"].keys()


@pytest.mark.parametrize("name", catalog.file_names("sites"))
def test_every_site_loads_with_its_equipment(name: str) -> None:
    site = Site.model_validate(catalog.document("sites", name).data, context=catalog.TABLES)
    assert site.name == name
    full_kw = sum(
        pool.server_count
        * (pool.server.base_w + pool.server.gpu_power_ratio * pool.server.gpu_count * pool.server.gpu.max_w)
        / 1000
        for pool in site.pools
    )  # fmt: skip
    assert 0.5 * site.rated_it_kw < full_kw < 2 * site.rated_it_kw


@pytest.mark.parametrize("name", catalog.file_names("tariffs"))
def test_every_tariff_loads_and_covers_each_month_once(name: str) -> None:
    tariff = read_tariff(name)
    months = [month for period in tariff.periods for month in period.months]
    assert sorted(months) == list(range(1, 13))
    assert 0.1 < tariff.flat_cny_per_kwh < 2.0


def test_a_gpu_draws_more_the_more_it_does() -> None:
    for gpu in catalog.table("gpus", equipment.Gpu).values():
        assert 0 < gpu.idle_w <= gpu.context_w < gpu.max_w


def test_the_low_end_of_an_assumption_is_below_its_value_and_the_high_end_above() -> None:
    for line, cells in records(catalog.root() / "assumed.csv"):
        try:
            low, high = float(cells["low"]), float(cells["high"])
            value = 1.0 if cells["relative"] == "true" else float(cells["value"])
        except ValueError:
            continue
        assert low <= value <= high, f"assumed.csv:{line}"
        assert low < high, f"assumed.csv:{line}"


@pytest.mark.parametrize(
    "path", [*TABLES, *DOCUMENTS, catalog.root() / "README.md"], ids=lambda path: path.name
)
def test_no_path_of_a_machine_is_named(path: Path) -> None:
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert not MACHINE_PATH.search(text), f"{path.name}:{line}: {text}"


def test_a_row_without_a_source_and_a_row_twice_are_refused_with_line_and_column(
    tmp_path: Path,
) -> None:
    path = tmp_path / "gpus.csv"
    head = "# boards\nname,idle_w,context_w,max_w,source\n"
    path.write_text(head + "a,50,60,400,data sheet\nb,50,60,-400,data sheet\nc,50,60,400,\n")
    with pytest.raises(CatalogError) as caught:
        catalog.read_table(path, equipment.Gpu)
    negative, unsourced = map(str, caught.value.faults)
    assert negative.startswith(f"{path}:4:4: max_w: ")
    assert unsourced == f"{path}:5:5: source: required, but not given"
    path.write_text(head + "a,50,60,400,data sheet\na,50,60,300,data sheet\n")
    with pytest.raises(CatalogError, match=r"gpus\.csv:4:1: name: 'a' stands twice"):
        catalog.read_table(path, equipment.Gpu)
