"""What a predictor answers to the examples of a split, with what an access model finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from reml.access.composed_access import FoundAccess
from reml.access.limits import Limits
from reml.access.trajectory import trajectories
from reml.contract.access import QueryGenerator, Session
from reml.contract.collections import Collection
from reml.contract.examples import Answer
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.node import Node
from reml.experiment.plan.predict import complete, predict
from reml.experiment.plan.store import Stage
from reml.experiment.plan.trained_predictors import Speaker
from reml.files.atomic import read_json, write_json
from reml.files.records import write_examples
from reml.files.trajectories import TRAJECTORIES, TrajectoryFile
from reml.training.data.task_prefix import with_task

PREDICTIONS = "predictions.jsonl"
WORDS_READ = "words_read.json"  # of the items of each example, in order


@dataclass(frozen=True)
class Shown:
    """What a predictor is shown.

    access: the name of the access model. queries: what it asks. k: items. pages: of its provenance. prefix: the task's
    name where it sees it.
    """

    access: str
    queries: QueryGenerator
    k: int
    pages: int
    prefix: str = ""


@dataclass(frozen=True, eq=False)
class Pace:
    """What changes no prediction: how many examples are predicted at once, and where progress is shown."""

    batch_size: int
    console: Console


def predictions(
    name: str,
    speaker: Node[Speaker],
    asked: Node[Callable[[], Model]],
    found: tuple[Node[Any], Node[Examples], Node[Hits]],
    *,
    shown: Shown,
    pace: Pace,
) -> Node[Path]:
    """Give the file of predictions, in KILT's format.

    asked: opens the access model, for asks that were not answered ahead. found: a collection, examples and their hits.
    """
    return Node(
        kind="predictions",
        name=name,
        make=_predict,
        open=_open,
        inputs=(speaker, asked, *found),
        given={"shown": shown},
        beside={"pace": pace},
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
    asked: Callable[[], Model],
    collection: Collection,
    examples: Examples,
    hits: Hits,
    *,
    shown: Shown,
    pace: Pace,
) -> None:
    predictor, limits = speaker.on(collection), Limits(depth=max(shown.k, hits.k), k=shown.k)
    found = FoundAccess(collection, limits, shown.access, queries=shown.queries, live=asked)
    size, console = pace.batch_size, pace.console
    batches = [slice(start, start + size) for start in range(0, len(examples), size)]
    answers: list[Answer] = []
    words: list[int] = []
    asked_of = TrajectoryFile(folder / TRAJECTORIES)
    for places in track(batches, "predict", console=console, transient=True, disable=not console.is_terminal):
        session = found.open(examples[places], Hits(hits.rows[places], hits.scores[places]))
        seen = with_task(shown.prefix, examples[places]) if shown.prefix else examples[places]
        batch = Batch(tuple(seen), {shown.access: session})
        answers += predict(predictor, batch)
        words += _words(collection, session, len(batch.examples))
        asked_of.add(trajectories(batch, answers[-len(seen) :]))
    asked_of.close()
    pairs = zip(examples, complete(answers, hits, collection, shown.pages), strict=True)
    write_examples((replace(example, output=(answer,), meta={}) for example, answer in pairs), folder / PREDICTIONS)
    write_json(folder / WORDS_READ, words)


def _words(collection: Collection, session: Session, count: int) -> list[int]:
    """Count the words of all items that were handed over for each example of a batch."""
    words = np.zeros(count, dtype=np.int64)
    for queries, found in session.asked:
        of_items = np.where(found.rows >= 0, collection.values("words", found.rows), 0)
        owners = queries.owners if len(found) == len(queries) else np.arange(count)
        np.add.at(words, owners, of_items.sum(axis=1))
    return [int(number) for number in words]
