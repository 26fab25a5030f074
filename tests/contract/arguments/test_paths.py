"""A text is taken wherever a path is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reml.cli.evaluation_commands import evaluate as evaluate_command
from reml.collection.disk import create_collection, open_collection
from reml.contract.arguments.paths import takes_paths
from reml.contract.retrieved import Hits, Queries
from reml.evaluation.kilt_files import evaluate_files
from reml.evaluation.passages import evaluate_passage_files
from reml.evaluation.trec import RankedPage, read_run, write_relevance, write_run
from reml.files.atomic import file_digest, read_json, write_json, write_text
from reml.files.hits import open_hits, save_hits
from reml.files.lines import numbered_lines
from reml.files.records import read_examples, write_examples
from reml.index.impact import ImpactIndex
from reml.retrievers.bm25 import BM25, BM25F
from reml.retrievers.fusion import Fusion
from reml.tasks.jsonl import Jsonl
from reml.testing import MemoryCollection
from tests.small_experiment import write_experiment

ITEMS = MemoryCollection(["copper is mined", "rice is planted"])
HITS = Hits(np.array([[1, 0]]), np.array([[2.0, 1.0]], dtype=np.float32))
USES: dict[str, Callable[[str], object]] = {
    "BM25": lambda folder: len(BM25().index(ITEMS, f"{folder}/a").search(Queries.of(["copper"]), 1)) == 1,  # type: ignore[arg-type]
    "BM25F": lambda folder: len(BM25F().index(ITEMS, f"{folder}/b").search(Queries.of(["copper"]), 1)) == 1,  # type: ignore[arg-type]
    "Fusion": lambda folder: Fusion([BM25(), BM25F()]).index(ITEMS, f"{folder}/c"),  # type: ignore[arg-type]
    "ImpactIndex": lambda folder: ImpactIndex.build(f"{folder}/i", 4, []),  # type: ignore[arg-type]
    "collections": lambda folder: create_collection(f"{folder}/d") and open_collection(f"{folder}/d"),
    "hits": lambda folder: [save_hits(f"{folder}/h", HITS), open_hits(f"{folder}/h").k],  # type: ignore[arg-type]
    "json": lambda folder: [write_json(f"{folder}/x.json", 1), read_json(f"{folder}/x.json")],  # type: ignore[arg-type]
    "text": lambda folder: [write_text(f"{folder}/x.txt", "x"), file_digest(f"{folder}/x.txt")],  # type: ignore[arg-type]
    "lines": lambda folder: list(numbered_lines(f"{folder}/dev.jsonl")),  # type: ignore[arg-type]
    "records": lambda folder: write_examples(read_examples(f"{folder}/dev.jsonl"), f"{folder}/copy.jsonl"),  # type: ignore[arg-type]
    "run": lambda folder: [write_run(f"{folder}/r", {"q": [RankedPage("p", 1.0)]}, tag="t"), read_run(f"{folder}/r")],  # type: ignore[arg-type]
    "relevance": lambda folder: write_relevance(f"{folder}/q", []),  # type: ignore[arg-type]
    "evaluate_files": lambda folder: evaluate_files(f"{folder}/one.jsonl", f"{folder}/one.jsonl"),  # type: ignore[arg-type]
    "passages": lambda folder: evaluate_passage_files(f"{folder}/one.jsonl", f"{folder}/one.jsonl"),  # type: ignore[arg-type]
    "the command": lambda folder: evaluate_command(gold=f"{folder}/one.jsonl", guess=f"{folder}/two.jsonl"),  # type: ignore[arg-type]
    "a task of paths": lambda folder: Jsonl(
        "t", {"dev": Path(folder) / "dev.jsonl"}, knowledge_source=Path(folder) / "pages.jsonl"
    ).source(),
}


@pytest.mark.parametrize("name", USES)
def test_texts_are_taken_for_paths(name: str, tmp_path: Path) -> None:
    write_experiment(tmp_path)
    record = {"id": "1", "input": "?", "output": [{"answer": "ice", "provenance": [{"wikipedia_id": "1"}]}]}
    for name_of_file in ("one.jsonl", "two.jsonl"):
        (tmp_path / name_of_file).write_text(json.dumps(record) + "\n")
    USES[name](str(tmp_path))


def test_other_arguments_stay_as_they_are() -> None:
    @takes_paths
    def both(path: Path, name: str, more: Path | None = None) -> tuple[object, ...]:
        return path, name, more

    assert both("a", "b", more="c") == (Path("a"), "b", Path("c"))  # type: ignore[arg-type]
    assert both(path=Path("a"), name="b") == (Path("a"), "b", None)
