"""aidc plans and proves how an AI data centre uses less energy and emits less carbon.

A user meets five verbs: `load`, `simulate`, `plan`, `account`, `report`. They are imported when
first used, so that ``import aidc`` and ``aidc --help`` stay quick.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aidc.api import account, load, pareto, plan, report, simulate

__all__ = ["__version__", "account", "load", "pareto", "plan", "report", "simulate"]
__version__ = "0.1.0"

logging.getLogger("aidc").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("aidc.api"), name)
    raise AttributeError(f"module 'aidc' has no attribute {name!r}")
