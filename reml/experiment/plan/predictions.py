"""What a predictor answers to the examples of a split, with what an access model finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from reml.contract.access import ResponseProcessor
from reml.contract.collections import Collection
from reml.contract.examples import Answer
from reml.contract.retrieved import Hits
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import received
from reml.experiment.plan.node import Node
from reml.experiment.plan.predict import complete, predict
from reml.experiment.plan.store import Stage
from reml.experiment.plan.trained_predictors import Speaker
from reml.files.atomic import read_json, write_json
from reml.files.records import write_examples
from reml.training.data.task_prefix import with_task

PREDICTIONS = "predictions.jsonl"
WORDS_READ = "words_read.json"  # of the items of each example, in order


@dataclass(frozen=True)
class Shown:
    """What a predictor is shown. k: items. pages: of its provenance. prefix: the task's name where it sees it."""

    k: int
    pages: int
    processors: Sequence[ResponseProcessor] = ()
    prefix: str = ""


def predictions(
    name: str,
    speaker: Node[Speaker],
    found: tuple[Node[Any], Node[Examples], Node[Hits]],
    *,
    shown: Shown,
    batch_size: int,
    console: Console,
) -> Node[Path]:
    """Give the file of predictions, in KILT's format. found: a collection, examples and their hits."""
    return Node(
        kind="predictions",
        name=name,
        make=_predict,
        open=_open,
        inputs=(speaker, *found),
        given={"shown": shown},
        beside={"batch_size": batch_size, "console": console},
    )


def words_read(stage: Stage) -> float | None:
    """Give the words of items that an example's predictor read, on average; unknown for predictions of older versions.

    `stage`: of predictions.
    """
    path = stage.folder / WORDS_READ
    if not path.is_file():
        return None
    words = np.array(read_json(path), dtype=np.float64)
    return float(words.mean()) if len(words) else 0.0


def _open(folder: Path) -> Path:
    return folder / PREDICTIONS


def _predict(
    folder: Path,
    speaker: Speaker,
    collection: Collection,
    examples: Examples,
    hits: Hits,
    *,
    shown: Shown,
    batch_size: int,
    console: Console,
) -> None:
    predictor, read = speaker.on(collection), hits.first(shown.k)
    batches = [slice(start, start + batch_size) for start in range(0, len(examples), batch_size)]
    answers: list[Answer] = []
    words: list[int] = []
    for batch in track(batches, "predict", console=console, transient=True, disable=not console.is_terminal):
        responses = received(collection, shown.processors, examples[batch], Hits(read.rows[batch], read.scores[batch]))
        asked = with_task(shown.prefix, examples[batch]) if shown.prefix else examples[batch]
        answers += predict(predictor, asked, responses)
        words += [sum(len(item.text.split()) for item in items) for items in responses.items]
    pairs = zip(examples, complete(answers, hits, collection, shown.pages), strict=True)
    write_examples((replace(example, output=(answer,), meta={}) for example, answer in pairs), folder / PREDICTIONS)
    write_json(folder / WORDS_READ, words)
