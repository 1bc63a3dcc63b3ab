"""What importing the supply costs."""

import subprocess
import sys


def test_no_heavy_library_is_imported_before_it_is_used() -> None:
    names = [
        "battery",
        "csv_weather",
        "epw",
        "grid",
        "pv",
        "sun",
        "tariff",
        "timeseries",
        "typical",
        "weather",
    ]
    code = (
        "import sys\n"
        + "".join(f"import aidc.supply.{name}\n" for name in names)
        + "print([name for name in ('pvlib', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
