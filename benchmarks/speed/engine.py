"""What an engine must offer to be compared, and the engines there are."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from reml.benchmarks.speed.scoring import Scoring
from reml.benchmarks.speed.workload import Model, Workload
from reml.types import Int64Array, SparseVectors

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
    def package(self) -> str:
        """The package that must be installed, as it is imported."""

    @property
    def install(self) -> str:
        """The command that installs it."""

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


def load_engine(name: str) -> Engine:
    """Make an engine by its name or class path; `ValueError` if there is none."""
    path = ENGINES.get(name, name)
    module_name, _, class_name = path.rpartition(".")
    try:
        engine: Engine = vars(importlib.import_module(module_name))[class_name]()
    except (KeyError, ValueError, ModuleNotFoundError) as error:
        raise ValueError(
            f"there is no engine {name!r}: give names among {', '.join(ENGINES)}, or the class path of your own."
        ) from error
    return engine


def absent(engine: Engine) -> str:
    """Say why an engine cannot run here; "" if it can."""
    if importlib.util.find_spec(engine.package) is not None:
        return ""
    return f"{engine.package} is not installed: {engine.install}"


def chosen(names: Sequence[str]) -> dict[str, Engine]:
    """Make the engines of these names, each once."""
    return {name: load_engine(name) for name in names}
