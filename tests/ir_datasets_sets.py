"""Small datasets that are registered with ir_datasets, as its own are, from files on this machine."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

DOCUMENTS = "d1\tThe capital of Chad is N'Djamena.\nd2\tOslo is cold.\nd3\t\n"
QUERIES = "q1\tcapital of Chad\nq2\twhere is it cold\nq3\tnothing relevant\n"
JUDGEMENTS = "q1 0 d1 2\nq1 0 d2 0\nq2 0 d2 1\nq2 0 d2 1\nq2 0 d1 1\nq3 0 d1 0\n"
_NUMBERS = itertools.count()


def registered(folder: Path, *, judged: bool = True) -> str:
    """Register a dataset of three documents and three queries; give its id."""
    ir_datasets = pytest.importorskip("ir_datasets")
    files = {"docs.tsv": DOCUMENTS, "queries.tsv": QUERIES, "qrels.txt": JUDGEMENTS}
    for name, text in files.items():
        (folder / name).write_text(text)
    identifier = f"reml-test/{next(_NUMBERS)}"
    made = ir_datasets.create_dataset(
        docs_tsv=folder / "docs.tsv",
        queries_tsv=folder / "queries.tsv",
        qrels_trec=folder / "qrels.txt" if judged else None,
    )
    ir_datasets.registry.register(identifier, made)
    return identifier
