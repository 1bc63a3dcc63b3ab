"""Fixtures that several folders of tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("aidc", deadline=None)  # a shared machine is no fault of the code
settings.load_profile("aidc")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real traces, weather and factors, named by AIDC_REAL_DATA."""
    named = os.environ.get("AIDC_REAL_DATA")
    if not named:
        pytest.skip("AIDC_REAL_DATA is not set: no folder of real traces and weather")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"AIDC_REAL_DATA names {named}, which is not a folder")
    return folder


@pytest.fixture(scope="session")
def reference(real_data: Path) -> Path:
    """Folder of published and computed reference values, beside the real data."""
    folder = real_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not a folder: no reference values")
    return folder
