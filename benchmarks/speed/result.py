"""The result of a run: figures, what they were measured on and with, and what was left out."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import cast

from reml.benchmarks.speed.figures import Comparison, Skipped
from reml.benchmarks.speed.growth import FULL, Growth
from reml.contract.examples import Json

KIND = "reml speed benchmark"
PACKAGES = ("reml", "numpy", "numba", "scipy", "bm25s", "tantivy", "pyterrier-pisa", "pyseismic-lsr")


@dataclass(frozen=True, slots=True)
class Result:
    """All that a run has found out."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    settings: Mapping[str, str]
    comparisons: Sequence[Comparison]
    growths: Sequence[Growth]
    skipped: Sequence[Skipped]

    def to_json(self) -> Json:
        """Lay the result out as JSON."""
        return {"kind": KIND, "full_rows": FULL, **cast(dict[str, Json], asdict(self))}


def machine() -> dict[str, str]:
    """Describe this machine: processor, the cores that may be used, memory, system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def versions() -> dict[str, str]:
    """Give the versions of the packages that take part and are installed."""
    installed = {name: _version(name) for name in PACKAGES}
    return {name: version for name, version in installed.items() if version}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
