"""Which workloads are compared: synthetic ones of each size and model, and real texts beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast, get_args

from reml.benchmarks.speed.figures import Skipped
from reml.benchmarks.speed.workloads.corpus import SyntheticCorpus
from reml.benchmarks.speed.workloads.real_corpus import RealCorpus
from reml.benchmarks.speed.workloads.real_texts import RealTexts
from reml.benchmarks.speed.workloads.real_vectors import RealVectors
from reml.benchmarks.speed.workloads.vectors import SNRM, SPLADE, SyntheticVectors, VectorLaw
from reml.benchmarks.speed.workloads.workload import Model, Workload, write_texts, write_vectors
from reml.retrievers import snrm
from reml.retrievers.splade import Splade

SYNTHETIC = "synthetic"
SPLADE_MODEL = "package:cognition/model"
LAWS = {"splade": SPLADE, "snrm": SNRM}
# Small enough to take seconds: what an engine compiles once on a machine is compiled on it, before anything is timed.
SMALL_CORPUS = SyntheticCorpus(200, terms=500)
SMALL_LAW = VectorLaw(width=50, shift=5.0, item_draws=10, query_draws=(3, 6), scale=0.5)

# Writes a workload in a new folder.
Plan = Callable[[Path], Workload]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Models, numbers of synthetic items, real texts, and the number of queries of each kind.

    kept: the folder in which what models encoded stays. splade: the masked language model that encodes real texts.
    """

    models: Sequence[str]
    rows: Sequence[int]
    corpora: Sequence[RealTexts]
    queries: int
    kept: Path
    splade: str = SPLADE_MODEL

    def __post_init__(self) -> None:
        unknown = [model for model in self.models if model not in get_args(Model)]
        if unknown or not self.models:
            raise ValueError(f"there is no model {', '.join(unknown)!r}: name some of {', '.join(get_args(Model))}.")


def plans(wanted: Wanted) -> list[Plan]:
    """List the workloads, the smallest first."""
    synthetic = [
        _synthetic(cast(Model, model), rows, wanted.queries) for rows in sorted(wanted.rows) for model in wanted.models
    ]
    there = [texts for texts in wanted.corpora if not texts.missing()]
    return synthetic + [_real(cast(Model, model), texts, wanted) for texts in there for model in wanted.models]


def rehearsals(wanted: Wanted) -> list[Plan]:
    """List a tiny workload of each model."""
    made: list[Plan] = []
    for model in wanted.models:
        if model == "bm25":
            made.append(partial(write_texts, corpus="rehearsal", texts=SMALL_CORPUS, queries=20))
        else:
            vectors = SyntheticVectors(200, SMALL_LAW)
            name = cast(Model, model)
            made.append(partial(write_vectors, corpus="rehearsal", vectors=vectors, model=name, queries=20))
    return made


def absent_corpora(wanted: Wanted) -> list[Skipped]:
    """Say which folders hold no real texts."""
    told = [(texts.name, texts.missing()) for texts in wanted.corpora]
    return [Skipped(f"corpus {name}", reason) for name, reason in told if reason]


def _synthetic(model: Model, rows: int, queries: int) -> Plan:
    if model == "bm25":
        return partial(write_texts, corpus=SYNTHETIC, texts=SyntheticCorpus(rows), queries=queries)
    vectors = SyntheticVectors(rows, LAWS[model])
    return partial(write_vectors, corpus=SYNTHETIC, vectors=vectors, model=model, queries=queries)


def _real(model: Model, texts: RealTexts, wanted: Wanted) -> Plan:
    if model == "bm25":
        return lambda folder: write_texts(folder, texts.name, RealCorpus(texts), queries=wanted.queries)
    indexer = Splade(model=wanted.splade) if model == "splade" else snrm.SNRM()

    def write(folder: Path) -> Workload:
        vectors = RealVectors(texts, indexer.encoder, wanted.kept / model)
        return write_vectors(folder, texts.name, vectors, model=model, queries=wanted.queries)

    return write
