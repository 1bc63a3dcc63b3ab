"""A plan on disk, its bounds recomputed by somebody who has only the certificate."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import aidc
from aidc.api.plan_folder import plan_into
from aidc.api.progress import Stages
from aidc.api.verify_plan import verify_plan
from aidc.cli import app
from aidc.errors import InputError
from aidc.verifier import __file__ as verifier_file
from aidc.verifier import findings
from tests.integration.test_plan_replay import END_OF_TWO, room

Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two windows of one room, with a battery, PV and a demand charge."""
    made = tmp_path_factory.mktemp("plan") / "plan"
    changes = {"end": END_OF_TWO, "plan.objective": "cost", "site.battery_kwh": "200 kWh"}
    plan_into(room().replace_all(changes), made, Stages(quiet=True))
    return made


@pytest.fixture
def tampered(folder: Path, tmp_path: Path) -> Callable[..., Path]:
    def change(**changed: Callable[[Any], Any]) -> Path:
        made = shutil.copytree(folder, tmp_path / "plan")
        with np.load(made / "certificate.npz") as stored:
            arrays: Arrays = {name: stored[name] for name in stored.files}
        for name, how in changed.items():
            arrays[f"0001/{name}"] = np.asarray(how(arrays[f"0001/{name}"]))
        np.savez_compressed(made / "certificate.npz", **arrays)
        return made

    return change


def faults(place: Path) -> list[str]:
    return [fault for window in verify_plan(place) for fault in window.faults]


def test_the_bounds_of_a_real_plan_hold_within_a_second(folder: Path) -> None:
    began = time.process_time()
    found = verify_plan(folder)
    assert time.process_time() - began < 1.0
    assert len(found) == 2
    for window in found:
        assert window.faults == ()
        assert window.found == pytest.approx(window.bound, rel=1e-9)
        assert 0 <= window.objective - window.bound < 0.05 * window.objective


def test_a_raised_bound_does_not_hold(tampered: Callable[..., Path]) -> None:
    place = tampered(bound=lambda bound: bound * 1.001) / "certificate.npz"
    (said,) = faults(place)
    assert said.startswith("lingang, window from 2023-07-04T00:00:00+08:00: a bound of ")
    assert "does not hold" in said


def test_another_price_proves_less_and_so_not_the_claim(
    folder: Path, tampered: Callable[..., Path]
) -> None:
    whole = verify_plan(folder)[1].found
    place = tampered(it_price=lambda price: price * 1.2) / "certificate.npz"
    other = verify_plan(place)[1]
    assert other.found < whole
    assert len(other.faults) == 1
    assert "does not hold" in other.faults[0]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("job_kw", lambda kw: np.append(kw[:-1] * 1.0, kw[-1] * 1.01)),
        ("latest_s", lambda latest: latest - 3600.0),
        ("facility_kw", lambda kw: kw + 1.0),
        ("month_floor_kw", lambda kw: kw + 1.0),
    ],
)
def test_other_data_than_were_planned_with_are_noticed(
    tampered: Callable[..., Path], name: str, how: Callable[[Any], Any]
) -> None:
    said = faults(tampered(**{name: how}) / "certificate.npz")
    assert any("not those that were hashed" in one for one in said)


def test_a_certificate_made_anew_differs_from_the_table_of_its_folder(
    tampered: Callable[..., Path],
) -> None:
    place = tampered(objective=lambda cost: cost * 0.999, sha256=lambda _: "0" * 64)
    said = faults(place)
    assert any("windows.csv and the certificate differ in objective" in one for one in said)


def test_the_command_says_it_and_exits_with_1(folder: Path, tampered: Callable[..., Path]) -> None:
    good = CliRunner().invoke(app, ["plan", "--verify", str(folder)])
    assert good.exit_code == 0
    assert good.stdout.endswith("2 bounds hold, recomputed without the optimiser\n")
    bad = tampered(bound=lambda bound: bound * 1.001)
    found = CliRunner().invoke(app, ["plan", "--verify", str(bad), "--json"])
    assert found.exit_code == 1
    assert json.loads(found.stdout)["holds"] is False
    assert "does not hold" in found.stderr


def test_what_is_no_certificate_is_the_users_fault(tmp_path: Path) -> None:
    (tmp_path / "certificate.npz").write_text("nothing")
    for place in (tmp_path, tmp_path / "certificate.npz", tmp_path / "absent.npz"):
        with pytest.raises(InputError, match="no certificate of a plan"):
            verify_plan(place)


def test_the_verifier_is_short_and_runs_without_the_package(folder: Path, tmp_path: Path) -> None:
    """A copy of the one file, in a process of its own: neither `aidc` nor a solver is imported."""
    text = Path(verifier_file).read_text("utf-8")
    assert len(text.splitlines()) < 100
    shutil.copy(verifier_file, tmp_path / "lone_verifier.py")
    program = (
        "import sys, pathlib, lone_verifier\n"
        "said = [s for *_, more in lone_verifier.findings(pathlib.Path(sys.argv[1])) for s in more]\n"
        "known = ('aidc', 'pyomo', 'highspy', 'scipy', 'pandas')\n"
        "print(said, sorted(m for m in sys.modules if m.split('.')[0] in known))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder / "certificate.npz")],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[] []\n"


def test_a_certificate_has_the_same_bytes_each_time(folder: Path, tmp_path: Path) -> None:
    scenario = aidc.load(folder / "scenario.yaml")
    plan_into(scenario, tmp_path / "again", Stages(quiet=True))
    again = [
        hashlib.sha256((at / "certificate.npz").read_bytes()).hexdigest()
        for at in (folder, tmp_path / "again")
    ]
    assert again[0] == again[1]
    assert len(list(findings(folder / "certificate.npz"))) == 2
