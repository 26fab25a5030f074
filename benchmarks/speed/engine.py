"""What an engine must offer to be compared, and the engines there are."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from reml.benchmarks.speed.scoring import Scoring
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.arguments.extras import install_hint
from reml.contract.vectors import Int64Array, SparseVectors

Source = Literal["term ids", "text", "vectors"]
Batch = TypeVar("Batch")
Found = TypeVar("Found")

# Any other class path that is given as an engine is one, too.
ENGINES: Mapping[str, str] = {
    "impact": "reml.benchmarks.speed.engines.impact.Impact",
    "bm25s": "reml.benchmarks.speed.engines.bm25s.BM25S",
    "tantivy": "reml.benchmarks.speed.engines.tantivy.Tantivy",
    "pisa": "reml.benchmarks.speed.engines.pisa.Pisa",
    "scipy": "reml.benchmarks.speed.engines.scipy.SciPy",
    "seismic": "reml.benchmarks.speed.engines.seismic.Seismic",
}


class Searcher(Protocol[Batch, Found]):
    """An open index. Queries are brought into the engine's own form before the clock starts."""

    def prepare(self, queries: SparseVectors) -> Batch:
        """Bring queries into the engine's form: vectors for learned sparse models, counted terms for BM25."""

    def search(self, batch: Batch, k: int, threads: int) -> Found:
        """Find the k best items of each query. This is what is timed."""

    def rows(self, found: Found) -> list[Int64Array]:
        """Give the rows found for each query, best first; k or fewer."""


class Engine(Protocol):
    """An engine with its settings."""

    @property
    def sources(self) -> Mapping[Model, tuple[Source, ...]]:
        """What it can be built from, for each model it serves; the index from the first one is searched."""

    @property
    def scoring(self) -> Mapping[Model, Scoring]:
        """What it computes, for each model it serves."""

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:
        """Build an index in an empty folder; only what is needed to search stays there."""

    def open(self, workload: Workload, folder: Path) -> Searcher[Any, Any]:  # each engine has forms of its own
        """Open the index that was built in a folder."""


class AbsentError(ImportError):
    """An engine is not installed; the message says how to install it."""


def load_engine(name: str) -> Engine:
    """Make an engine by its name or class path; `ValueError` if there is none, `AbsentError` if it is not installed."""
    module_name, _, class_name = ENGINES.get(name, name).rpartition(".")
    try:
        made: Engine = vars(importlib.import_module(module_name))[class_name]()
    except ModuleNotFoundError as error:
        if error.name and not module_name.startswith(error.name):
            raise AbsentError(f"{error.name} is not installed: {install_hint('benchmark')}.") from error
        raise _unknown(name) from error
    except (KeyError, ValueError) as error:
        raise _unknown(name) from error
    return made


def _unknown(name: str) -> ValueError:
    known = ", ".join(ENGINES)
    return ValueError(f"there is no engine {name!r}: name some of {known}, or give the class path of your own.")
