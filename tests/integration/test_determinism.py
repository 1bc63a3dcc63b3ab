"""The same scenario gives the same bytes; another seed gives another day."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import aidc
from aidc.api import drivers_of
from aidc.errors import ScenarioError

REPOSITORY = Path(__file__).parents[2]
WEEK = REPOSITORY / "scenarios" / "lingang-week.yaml"
DAY = ["name=day", "end=2023-07-04T00:00:00+08:00"]
RUN = """
import sys
from pathlib import Path
import aidc
from aidc.api import run
run(aidc.load(sys.argv[1], sets=sys.argv[3:]), Path(sys.argv[2]), ends=False)
"""


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of one day run in two processes that hash texts differently and work elsewhere."""
    folders = [tmp_path_factory.mktemp(f"run-{number}") / "day" for number in (1, 2)]
    for seed, folder in enumerate(folders):
        env = os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-c", RUN, str(WEEK), str(folder), *DAY]
        done = subprocess.run(
            command, cwd=folder.parent, env=env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    return folders


def test_two_runs_give_the_same_bytes_in_every_file_but_the_manifest(twice: list[Path]) -> None:
    first, second = map(hashes, twice)
    assert {"summary.json", "report.html", "ledger.db", "schedule.parquet"} <= set(first)
    assert [name for name in first if name.startswith("charts/")]
    assert first.keys() == second.keys()
    differ = {name for name in first if first[name] != second[name]}
    assert differ <= {"manifest.json"}


def test_the_manifests_differ_in_wall_times_alone(twice: list[Path]) -> None:
    manifests = [json.loads((folder / "manifest.json").read_text("utf-8")) for folder in twice]
    for manifest in manifests:
        assert manifest.pop("wall_s")
        manifest["windows"] = [
            {key: value for key, value in window.items() if not key.endswith("_s")}
            for window in manifest["windows"]
        ]
    assert manifests[0] == manifests[1]
    assert manifests[0]["reproducible"] is True


def test_no_place_of_the_machine_is_in_what_a_run_writes(twice: list[Path]) -> None:
    folder = twice[0]
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            content = path.read_bytes()
            for place in (str(folder.parent), str(REPOSITORY), str(Path.home()) + os.sep):
                assert place.encode() not in content, f"{path.name} names {place}"


def test_another_seed_gives_other_jobs_and_other_weather() -> None:
    first, again, other = (
        drivers_of(aidc.load(WEEK, sets=DAY, seed=seed)) for seed in (2026, 2026, 2027)
    )
    assert first.jobs.submit_s.tolist() == again.jobs.submit_s.tolist()
    assert first.jobs.gpu_count.tolist() == again.jobs.gpu_count.tolist()
    assert first.jobs.submit_s.tolist() != other.jobs.submit_s.tolist()
    drybulb = [d.sites["lingang"].frame["drybulb_degc"].to_numpy() for d in (first, other)]
    assert (drybulb[0] != drybulb[1]).any()


def test_what_jobs_do_not_hang_on_leaves_them_alone() -> None:
    plain = drivers_of(aidc.load(WEEK, sets=DAY))
    more = drivers_of(aidc.load(WEEK, sets=[*DAY, "site.pv_kwp=2 MW", "plan.objective=cost"]))
    assert plain.jobs.submit_s.tolist() == more.jobs.submit_s.tolist()
    assert plain.jobs.run_s.tolist() == more.jobs.run_s.tolist()
    air, more_air = (d.sites["lingang"].frame for d in (plain, more))
    assert air["drybulb_degc"].equals(more_air["drybulb_degc"])
    assert more_air["pv_kw"].sum() > air["pv_kw"].sum()


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ScenarioError, match="seed: input should be greater than or equal to 0"):
        aidc.load(WEEK, seed=-1)
