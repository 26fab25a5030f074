"""Whole runs over six pages, made in a second: BM25, and an answer that is a title or the first words of a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

import reml
from reml.contract.examples import Example
from reml.files.records import read_examples, write_examples
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.first_words import FirstWords
from tests.small_experiment import write_experiment

QUIET = Console(quiet=True)
TWO_WORDS = partial(FirstWords, words=2.0)  # all right, where FirstTitle is all wrong


def experiment(folder: Path, **changes: Any) -> reml.Experiment:
    """One that trains nothing, on the three questions of dev; the files are in `folder`."""
    parts: dict[str, Any] = {
        "tasks": [places(folder)],
        "access": {"bm25": reml.Access(BM25()), "closed_book": reml.Access()},
        "predictor": FirstTitle,
        "reading": reading(),
        "name": "small",
        "seed": 7,
    }
    return reml.Experiment(**{**parts, **changes})


def reading(**changes: Any) -> reml.Reading:
    return reml.Reading(**{"k": 2, "depth": 4, "words": 40, **changes})


def places(folder: Path, name: str = "places", dev: str = "dev.jsonl", **settings: Any) -> Jsonl:
    files = {"train": str(folder / "train.jsonl"), "dev": str(folder / dev)}
    return Jsonl(name, files, knowledge_source=str(folder / "pages.jsonl"), **settings)


def made(folder: Path, home: Path, **changes: Any) -> reml.Results:
    """Run it; its files are written first if they are not there."""
    if not (folder / "dev.jsonl").is_file():
        write_experiment(folder)
    return reml.run(experiment(folder, **changes), home, QUIET)


def rewrite(folder: Path, name: str, change: Callable[[Example], Example]) -> None:
    """Write the questions of dev, each changed, under another name."""
    write_examples(map(change, list(read_examples(folder / "dev.jsonl"))), folder / name)


def asking(text: str) -> Callable[[Example], Example]:
    return lambda example: replace(example, input=f"{text} {example.input}")


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the manifest of a run says, as another version would have written it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    manifest.pop("signature", None)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def forget_records(folder: Path) -> None:
    """Leave out of a run's manifest which files it has, as former versions did."""
    if (folder / "manifest.json").is_file():
        change_manifest(folder, lambda manifest: manifest.pop("files", None))
