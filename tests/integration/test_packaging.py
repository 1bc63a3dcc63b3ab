"""The built packages: what they hold, and that an installed one works far from the repository."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CATALOG = [
    p.relative_to(REPOSITORY).as_posix() for p in (REPOSITORY / "models").rglob("*") if p.is_file()
]


def run(*command: str | Path, folder: Path, packages: Path | None = None) -> str:
    """What a command writes to stdout, run in a folder, with an installed package in front."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if packages is not None:
        env["PYTHONPATH"] = str(packages)
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, cwd=folder, env=env, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sdist and the wheel that was made from it; needs no network."""
    pytest.importorskip("build", reason="the build front end is not installed")
    pytest.importorskip("hatchling", reason="the build back end is not installed")
    folder = tmp_path_factory.mktemp("built")
    run(
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        folder,
        REPOSITORY,
        folder=folder,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel alone, installed by pip; what it needs comes from this environment."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    run(*pip, "--target", target, wheel, folder=target)
    return target


def test_the_wheel_holds_the_package_and_the_catalog_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names} == {"aidc", "aidc-0.1.0.dist-info"}
    assert {f"aidc/{name}" for name in CATALOG} <= names
    assert {"aidc/py.typed", "aidc/reporting/templates/report.html.j2"} <= names
    assert "aidc-0.1.0.dist-info/licenses/LICENSE" in names
    assert not [name for name in names if name.endswith((".pyc", ".db", ".parquet"))]


def test_the_wheel_names_its_command_its_python_and_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entry = archive.read("aidc-0.1.0.dist-info/entry_points.txt").decode()
        about = Parser().parsestr(archive.read("aidc-0.1.0.dist-info/METADATA").decode())
    assert "aidc = aidc.cli:main" in entry
    assert about["Requires-Python"] == ">=3.11"
    needed = {
        text.partition(">")[0] for text in about.get_all("Requires-Dist", []) if "extra" not in text
    }
    assert {"numpy", "pandas", "pydantic", "pyomo", "highspy", "pvlib", "tzdata"} <= needed


def test_the_sdist_holds_what_a_checkout_holds(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    scenarios = [
        p.relative_to(REPOSITORY).as_posix() for p in (REPOSITORY / "scenarios").glob("*.yaml")
    ]
    assert set(CATALOG) | set(scenarios) <= names
    assert {
        "schema/scenario.schema.json", "README.md", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md",
        "constraints.txt", "pyproject.toml", "tests/conftest.py", "docs/design.md",
    } <= names  # fmt: skip
    assert not [name for name in names if name.startswith("reports/out")]


def test_the_catalog_of_an_installed_package_lies_inside_it(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "import json, aidc, importlib.metadata as m; from aidc import catalog, equipment;"
        "print(json.dumps([aidc.__file__, str(catalog.root()), aidc.__version__, m.version('aidc'),"
        "catalog.names('gpus'), catalog.file_names('sites'),"
        "len(catalog.table('servers', equipment.Server))]))"
    )
    read = json.loads(run(sys.executable, "-c", code, folder=tmp_path, packages=installed))
    file, root, own_version, version, gpus, sites, server_count = read
    assert Path(file) == installed / "aidc" / "__init__.py"
    assert Path(root) == installed / "aidc" / "models"
    assert own_version == version == "0.1.0"
    assert "a100-sxm" in gpus
    assert "lingang-rampup" in sites
    assert server_count > 0


def test_an_installed_command_lists_the_catalog_and_checks_a_scenario(
    installed: Path, tmp_path: Path
) -> None:
    script = installed / "bin" / "aidc"
    listed = run(
        sys.executable, script, "catalog", "list", "--json", folder=tmp_path, packages=installed
    )
    assert json.loads(listed)["gpus"] > 0
    for file in (REPOSITORY / "scenarios").glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    told = run(
        sys.executable, script, "check", "lingang-week.yaml", folder=tmp_path, packages=installed
    )
    assert told == "lingang-week.yaml: good\n"
