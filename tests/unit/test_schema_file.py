"""The JSON Schema that editors read is the one the code makes, and the shipped scenarios follow it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import aidc
from aidc import config
from aidc.cli import app
from aidc.scenario_file import load_pathway

REPOSITORY = Path(__file__).parents[2]
FILE = REPOSITORY / "schema" / "scenario.schema.json"
PATHWAYS = sorted((REPOSITORY / "scenarios").glob("pathway-*.yaml"))
SCENARIOS = sorted(set((REPOSITORY / "scenarios").glob("*.yaml")) - set(PATHWAYS))
SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "integer": int, "number": (int, float),
}  # fmt: skip
FIRST_LINE = "# yaml-language-server: $schema=../schema/scenario.schema.json"


def faults(value: Any, node: Any, root: dict[str, Any], key: str = "") -> list[str]:
    """Dotted keys where a value breaks its node of the schema: types, keys, choices and constants."""
    if "$ref" in node:
        return faults(value, root["$defs"][node["$ref"].rpartition("/")[2]], root, key)
    if "anyOf" in node:
        tried = [faults(value, branch, root, key) for branch in node["anyOf"]]
        return [] if [] in tried else max(tried, key=lambda found: max(map(len, found)))
    if "type" in node and not isinstance(value, TYPES[node["type"]]):
        return [key]
    if value not in node.get("enum", [value]) or value != node.get("const", value):
        return [key]
    found = []
    if isinstance(value, list) and "items" in node:
        for index, item in enumerate(value):
            found += faults(item, node["items"], root, f"{key}[{index}]")
    if isinstance(value, dict):
        known, free = node.get("properties", {}), node.get("additionalProperties", True)
        for name, item in value.items():
            below = known.get(name, {} if free is True else free)
            path = f"{key}.{name}".lstrip(".")
            found += [path] if below is False else faults(item, below, root, path)
        needed = node.get("required", [])
        if "if" in node and "extends" not in value:
            needed = node["then"]["required"]
        found += [f"{key}.{name}".lstrip(".") for name in needed if name not in value]
    return found


def test_the_shipped_schema_is_what_the_command_writes(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schema"])
    assert done.exit_code == 0
    assert done.stdout == FILE.read_text(encoding="utf-8"), (
        "run: aidc schema --to schema/scenario.schema.json"
    )
    to = tmp_path / "schema.json"
    assert CliRunner().invoke(app, ["schema", "--to", str(to)]).exit_code == 0
    assert to.read_bytes() == FILE.read_bytes()


def test_the_schema_knows_the_required_keys_and_the_units() -> None:
    made = json.loads(FILE.read_text(encoding="utf-8"))
    assert set(made["then"]["required"]) == {
        "schema_version", "name", "start", "end", "step", "seed", "sites", "workload",
        "flexibility", "baseline", "plan", "ledger",
    }  # fmt: skip
    assert made["additionalProperties"] is False
    plan = made["$defs"]["Plan"]["properties"]
    assert plan["window"]["x-unit"] == "h"
    assert "window_h" not in plan


def test_every_reference_within_the_schema_leads_somewhere() -> None:
    text = FILE.read_text(encoding="utf-8")
    names = json.loads(text)["$defs"]
    asked = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert asked <= set(names)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_shipped_scenario_names_the_schema_in_its_first_line(path: Path) -> None:
    assert path.read_text(encoding="utf-8").splitlines()[0] == FIRST_LINE
    assert (path.parent / FIRST_LINE.partition("=")[2]).resolve() == FILE


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_an_editor_finds_no_fault_in_a_shipped_scenario(path: Path) -> None:
    assert faults(config.read_yaml(path).data, SCHEMA, SCHEMA) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"plan": {"gapp": 1}}, "plan.gapp"),
        ({"plan": {"gap": 120}}, "plan.gap"),
        ({"plan": {"foresight": "none"}}, "plan.foresight"),
        ({"sites": {"lingang": {"modell": "x"}}}, "sites.lingang.modell"),
        ({"sites": {"lingang": {"overrides": {"hal": {}}}}}, "sites.lingang.overrides.hal"),
        ({"seed": "soon"}, "seed"),
    ],
)
def test_an_editor_finds_what_is_wrong(change: dict[str, Any], place: str) -> None:
    week = config.read_yaml(REPOSITORY / "scenarios" / "lingang-week.yaml").data
    assert faults(config.merge(week, change, named=False), SCHEMA, SCHEMA) == [place]


def test_an_editor_asks_for_the_keys_of_a_file_that_extends_no_other() -> None:
    week = config.read_yaml(REPOSITORY / "scenarios" / "lingang-week.yaml").data
    del week["plan"]
    assert faults(week, SCHEMA, SCHEMA) == ["plan"]
    assert faults({"extends": "lingang-week.yaml", "seed": 7}, SCHEMA, SCHEMA) == []


def test_an_editor_takes_changes_of_the_catalog_as_a_file_may_write_them() -> None:
    overrides = {
        "rated_it_kw": "3 MW",
        "pools": {"0": {"server_count": 3}},
        "electrical": {"ups": "eco-mode"},
        "battery": {"like": "lfp-2h", "c_rate_per_h": 1},
    }
    data = {"extends": "lingang-week.yaml", "sites": {"lingang": {"overrides": overrides}}}
    assert faults(data, SCHEMA, SCHEMA) == []


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_shipped_scenario_loads_under_the_name_of_its_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (
        "weather/CHN_SH_Shanghai-Hongqiao_TMYx_1956_2023.epw",
        "jobs/helios_venus_2vc_2020-09.csv.gz",
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    monkeypatch.setenv("AIDC_REAL_DATA", str(tmp_path))
    assert aidc.load(path).name == path.stem


@pytest.mark.parametrize("variant", ["cost", "big-pv", "synthetic-hours", "battery"])
def test_a_shipped_variant_loads(variant: str) -> None:
    path = REPOSITORY / "scenarios" / "lingang-week.yaml"
    assert aidc.load(path, variant=variant).raw != aidc.load(path).raw


@pytest.mark.parametrize("path", PATHWAYS, ids=lambda path: path.stem)
def test_a_shipped_pathway_loads(path: Path) -> None:
    assert load_pathway(path).last_year == 2050
