"""A new study folder."""

import json
from importlib.resources import files
from pathlib import Path

from aidc.errors import InputError
from aidc.scenario_schema import schema

FILES = {"scenario.yaml": "scenario.yaml", "study.py": "study.py.txt"}  # new name -> template


def new_study(folder: Path) -> list[Path]:
    """Writes a scenario, a script and the JSON Schema into a folder; what was written.

    Raises:
        InputError: one of them exists; nothing is overwritten.
    """
    wanted = [folder / name for name in (*FILES, "scenario.schema.json")]
    there = [str(path) for path in wanted if path.exists()]
    if there:
        raise InputError(f"{', '.join(there)} exists; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, template in FILES.items():
        text = (files("aidc.api") / "new_study" / template).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    wanted[-1].write_text(json.dumps(schema(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return wanted
