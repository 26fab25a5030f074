"""What is written in the tests of faults: how it begins, the work, and what can be read afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reml.collection.disk import build_collection, open_collection
from reml.contract.vectors import DenseVectors
from reml.files.atomic import MANIFEST, atomic_folder, read_json, read_manifest, write_json, write_manifest, write_text
from reml.index.faiss import FaissIndex
from reml.index.impact import ImpactIndex
from tests.index.vectors import random_matrix, sparse
from tests.memory_pages import numbered_page, numbered_pages

ROWS = np.arange(30, dtype=np.int64)
MATRIX = random_matrix(60, 6, density=0.5, seed=1)
QUERIES = sparse(random_matrix(5, 6, density=0.5, seed=2))
DENSE = DenseVectors(np.random.default_rng(0).standard_normal((30, 8)).astype(np.float32))


@dataclass(frozen=True)
class Scenario:
    """begin: makes what is there before. work: what meets the fault, and goes on from wherever a former try ended.

    state: reads what is there, as something that can be compared; it raises if that is damaged.
    """

    begin: Callable[[Path], None]
    work: Callable[[Path], None]
    state: Callable[[Path], object]


def _nothing(folder: Path) -> None:
    """Begin with nothing."""


def _text(folder: Path) -> object:
    return (folder / "a.txt").read_text()


def _write_folder(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        with atomic_folder(folder / "made") as draft:
            (draft / "inner").mkdir()
            (draft / "inner" / "part").write_text(text)
            write_manifest(draft, "thing", {"text": text})

    return write


def _folder(folder: Path) -> object:
    said = read_manifest(folder / "made", "thing")["text"]
    assert (folder / "made" / "inner" / "part").read_text() == said
    return said


def _build(folder: Path) -> None:
    build_collection(numbered_pages(10), folder / "c", words=3, segment_rows=8)


def _change(folder: Path) -> None:
    collection = open_collection(folder / "c")
    if len(collection) < 26 and collection.version == 1:
        collection.append([numbered_page(20), numbered_page(21), numbered_page(22)])
    if collection.version == 2:
        collection.delete(np.array([3, 21]))
    collection.prune()


def _items(folder: Path) -> object:
    if not (folder / "c" / MANIFEST).is_file():
        return None
    collection = open_collection(folder / "c")
    collection.verify()
    return [(item.row, item.text) for item in collection.get(collection.rows())]


def _build_index(folder: Path) -> None:
    ImpactIndex.build(folder / "ix", 6, [(ROWS, sparse(MATRIX[:30]))])


def _change_index(folder: Path) -> None:
    index = ImpactIndex.open(folder / "ix")
    if index.version == 1:
        index.add(ROWS + 30, sparse(MATRIX[30:]))
        index.commit()
    if index.version == 2:
        index.delete(ROWS[:4])
        index.commit()
    index.merge()
    index.commit()


def _hits(folder: Path) -> object:
    if not (folder / "ix" / MANIFEST).is_file():
        return None
    index = ImpactIndex.open(folder / "ix")
    index.verify()
    return index.search(QUERIES, 10).rows.tolist()


def _save(count: int) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        index = FaissIndex(8)
        index.add(ROWS[:count], DenseVectors(DENSE.values[:count]))
        index.save(folder / "faiss")

    return save


def _nearest(folder: Path) -> object:
    return FaissIndex.open(folder / "faiss").search(DenseVectors(DENSE.values[:3]), 20).rows.tolist()


SCENARIOS = {
    "atomic_file": Scenario(
        lambda folder: write_text(folder / "a.txt", "old"), lambda folder: write_text(folder / "a.txt", "new"), _text
    ),
    "atomic_folder": Scenario(_write_folder("old"), _write_folder("new"), _folder),
    "write_json": Scenario(
        lambda folder: write_json(folder / "a.json", {"is": "old"}),
        lambda folder: write_json(folder / "a.json", {"is": "new"}),
        lambda folder: json.dumps(read_json(folder / "a.json")),
    ),
    "collection: build": Scenario(_nothing, _build, _items),
    "collection: append and delete": Scenario(_build, _change, _items),
    "impact index: build": Scenario(_nothing, _build_index, _hits),
    "impact index: add, delete and merge": Scenario(_build_index, _change_index, _hits),
    "FAISS index: save again": Scenario(_save(20), _save(30), _nearest),
}
