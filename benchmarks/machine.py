"""What a run ran on: enough to judge the numbers by, nothing that names the machine."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from benchmarks.memory import MIB

_PACKAGES: Final = (
    *("smspartner", "msgspec", "lxml", "defusedxml", "requests", "urllib3", "orjson"),
    *("pydantic", "ijson", "xmltodict", "pygixml", "parshred", "orxml"),
)
_CPU: Final = Path("/proc/cpuinfo")


def about() -> Iterator[tuple[str, str]]:
    """Yield what there is, and which."""
    yield "processor", f"{_processor()}, {os.cpu_count()} cores"
    if sys.platform != "win32":
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        yield "memory", f"{size / MIB / 1024:.0f} GiB"
    yield "system", f"{platform.system()} on {platform.machine()}"
    yield "Python", f"{platform.python_implementation()} {platform.python_version()}"
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def _processor() -> str:
    lines = _CPU.read_text().splitlines() if _CPU.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
