"""The long pages of a knowledge source, and some questions that they answer: a small collection of documents.

    python -m reml.benchmarks.kilt.long_pages --data ../shared/data/minikilt --folder long-pages

What is written: pages.jsonl, and train.jsonl and dev.jsonl, questions drawn at random among those whose evidence lies
on these pages. Configurations read that folder by the environment variable LONG_PAGES.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.benchmarks.kilt.script import run_script
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
) -> list[Path]:
    """Write the long pages of a knowledge source, and questions of a task on them; give the files.

    Args:
        data: a folder with knowledge_source.jsonl.gz and the files of the task in KILT's schema.
        folder: where to write; what is there is replaced.
        task: begins the names of its files.
        words: that a page has at least.
        train: questions to learn from, at most.
        dev: questions to measure, at most.
        seed: of the draw.
    """
    every = {split: list(read_examples(data / f"{task}-{split}-kilt.jsonl.gz")) for split in ("train", "dev")}
    pages = JsonlPages(data / "knowledge_source.jsonl.gz").pages()
    kept = [page for page in pages if sum(len(paragraph.split()) for paragraph in page.paragraphs) >= words]
    there = {page.id for page in kept}
    asked = {split: [one for one in examples if _answered(one, there)] for split, examples in every.items()}
    if missing := [split for split, examples in asked.items() if not examples]:
        raise ValueError(f"no {missing[0]} question of {task!r} lies on a page of {words:,} words: lower `words`.")
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / "pages.jsonl"]
    write_pages(kept, made[0])
    for split, count in (("train", train), ("dev", dev)):
        chosen = np.random.default_rng(seed).permutation(len(asked[split]))[:count]
        made.append(folder / f"{split}.jsonl")
        write_examples([asked[split][place] for place in chosen.tolist()], made[-1])
    return made


def _answered(example: Example, pages: set[str]) -> bool:
    return any(place.wikipedia_id in pages for answer in example.output for place in answer.provenance)


if __name__ == "__main__":
    run_script(write_long_pages)
