"""A whole experiment over six pages: two words answer each question, and they begin the page that is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from reml.collection.sources.kilt_pages import write_pages
from reml.contract.examples import Answer, Example, Page, Provenance
from reml.files.records import write_examples

FACTS = {
    "Chad": "Mosque minarets rise over the markets of Chad, where cotton is traded.",
    "Peru": "Stone terraces climb the mountains of Peru, where potatoes are grown.",
    "Fiji": "Coral reefs ring the islands of Fiji, where sugar is milled.",
    "Oman": "Frankincense trees grow in the valleys of Oman, where copper was mined.",
    "Cuba": "Tobacco barns stand in the plains of Cuba, where cigars are rolled.",
    "Laos": "Wooden boats cross the rivers of Laos, where rice is planted.",
}


def write_experiment(folder: Path, **changes: object) -> Path:
    """Write pages, examples and the experiment's YAML; `changes` replace its parts. Give the YAML's path.

    Without `train_on` there is no `training`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = [Page(name.lower(), name, (f"{name}\n", f"{text}\n")) for name, text in FACTS.items()]
    write_pages(pages, folder / "pages.jsonl")
    examples = [_example(name, text) for name, text in FACTS.items()]
    write_examples(examples[:4], folder / "train.jsonl")
    write_examples(examples[3:], folder / "dev.jsonl")
    bm25 = {"class_path": "reml.retrievers.bm25.BM25"}
    experiment: dict[str, object] = {
        "name": "small",
        "seed": 7,
        "tasks": [task_of(folder, "places")],
        "access": {
            "bm25": {"retriever": bm25},
            "flat": {"retriever": {**bm25, "init_args": {"b": 0.0}}},
            "both": {"fuse": ["bm25", "flat"]},
            "closed_book": {},
        },
        "predictor": {"class_path": "tests.first_words.FirstWords"},
        "train_on": {"access": "both"},
        "training": {"steps": 12, "batch_size": 2, "rate": 0.3, "warmup": 0.0, "check_every": 6},
        "reading": {"k": 2, "depth": 4, "words": 40},
    }
    path = folder / "experiment.yaml"
    if changes.get("train_on", ...) is None:
        del experiment["training"]
    path.write_text(yaml.safe_dump({**experiment, **changes}, sort_keys=False), encoding="utf-8")
    return path


def task_of(folder: Path, name: str, *, splits: Sequence[str] = ("train", "dev")) -> dict[str, object]:
    """Give the settings of a task over the files of the experiment that is written to `folder`."""
    settings = {
        "name": name,
        "examples": {split: str(folder / f"{split}.jsonl") for split in splits},
        "knowledge_source": str(folder / "pages.jsonl"),
        "measure": "em",
    }
    return {"class_path": "reml.tasks.jsonl.Jsonl", "init_args": settings}


def _example(name: str, text: str) -> Example:
    answer = Answer(" ".join(text.split()[:2]), (Provenance(name.lower(), name),))
    return Example(f"q-{name.lower()}", f"What is seen in {name}?", (answer,))


def read_lines(path: Path) -> list[object]:
    """Read a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
