"""The benchmark cases of optimal chiller loading in ``docs/chiller-loading.yaml``, as machines."""

from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from aidc.plant.loading import CubicMachine

KW_PER_RT: Final = 3.516_852_842  # 12,000 Btu/h
_FILE = YAML(typ="safe").load(Path(__file__).parents[1] / "docs" / "chiller-loading.yaml")
CASES: Final[dict[str, tuple[tuple[CubicMachine, ...], dict[int, float]]]] = {
    name: (
        tuple(
            CubicMachine(rt * KW_PER_RT, _FILE["plr_min_frac"], (a, b, c, d))
            for rt, a, b, c, d in case["machines"]
        ),
        case["optima"],
    )
    for name, case in _FILE["cases"].items()
}  # machines, and load in RT -> least power in kW
