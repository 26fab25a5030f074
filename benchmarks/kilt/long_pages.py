"""The long pages of a knowledge source, and some questions that they answer: a small collection of documents.

    python -m reml.benchmarks.kilt.long_pages --data ../shared/data/minikilt --folder long-pages

What is written: pages.jsonl, and train.jsonl and dev.jsonl, questions drawn at random among those whose evidence lies
on these pages. Configurations read that folder by the environment variable LONG_PAGES.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jsonargparse import auto_cli

from reml.collection.sources.kilt_pages import JsonlPages, write_pages
from reml.contract.arguments.numbers import Count, Seed
from reml.contract.examples import Example
from reml.files.records import read_examples, write_examples


def write_long_pages(
    data: Path,
    folder: Path,
    *,
    task: str = "squad",
    words: Count = 1_200,
    train: Count = 340,
    dev: Count = 1_000,
    seed: Seed = 0,
) -> None:
    """Write the pages of this many words or more, and questions of a task on them.

    Args:
        data: a folder with knowledge_source.jsonl.gz and the files of the task in KILT's schema.
        folder: where to write; what is there is replaced.
        task: begins the names of its files.
        words: of the shortest page.
        train: questions to learn from, at most.
        dev: questions to measure, at most.
        seed: of the draw.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = JsonlPages(data / "knowledge_source.jsonl.gz").pages()
    kept = [page for page in pages if sum(len(paragraph.split()) for paragraph in page.paragraphs) >= words]
    write_pages(kept, folder / "pages.jsonl")
    there = {page.id for page in kept}
    for split, count in (("train", train), ("dev", dev)):
        every = [one for one in read_examples(data / f"{task}-{split}-kilt.jsonl.gz") if _answered(one, there)]
        chosen = np.random.default_rng(seed).permutation(len(every))[:count]
        write_examples([every[place] for place in chosen.tolist()], folder / f"{split}.jsonl")


def _answered(example: Example, pages: set[str]) -> bool:
    return any(place.wikipedia_id in pages for answer in example.output for place in answer.provenance)


if __name__ == "__main__":
    auto_cli(write_long_pages, as_positional=False)
