"""What a predictor answers to the examples of a split, with what an access model finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from reml.access.composed_access import FoundAccess
from reml.access.limits import Limits
from reml.access.session import AccessSession
from reml.access.trajectory import owners_of, trajectories
from reml.collection.passages import count_words
from reml.contract.access import QueryGenerator, Session
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits, Responses
from reml.contract.vectors import Int64Array
from reml.devices.progress import tracked
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.node import Node
from reml.experiment.plan.store import Stage
from reml.experiment.predict import complete, predict
from reml.experiment.trained.predictors import Speaker
from reml.files.atomic import read_json, write_json
from reml.files.records import write_examples
from reml.files.trajectories import TRAJECTORIES, TrajectoryFile
from reml.training.data.task_prefix import with_task

PREDICTIONS = "predictions.jsonl"
WORDS_READ = "words_read.json"  # of the items of each example, in order


@dataclass(frozen=True)
class Shown:
    """What a predictor is shown. pages: of its provenance. prefix: the task's name where it sees it."""

    pages: int
    prefix: str = ""


@dataclass(frozen=True, eq=False)
class Asked:
    """An access model that a predictor is given, or its nodes.

    model: opens it, for asks that were not answered ahead. hits: those of its own queries. limits: how much is handed
    over.
    """

    name: str
    model: Any
    collection: Any
    hits: Any
    queries: QueryGenerator
    limits: Limits

    @property
    def nodes(self) -> list[Node[Any]]:
        """The nodes, in order."""
        return [self.model, self.collection, self.hits]

    @cached_property
    def _found(self) -> FoundAccess:
        return FoundAccess(self.collection, self.limits, self.name, queries=self.queries, live=self.model)

    def session(self, examples: Examples, places: slice) -> AccessSession:
        """Open the session of the examples, those at these places of a split."""
        hits: Hits = self.hits
        return self._found.open(examples, hits.take(places))


def predictions(
    name: str, speaker: Node[Speaker], of: Node[Examples], asked: Sequence[Asked], *, shown: Shown, batch_size: int
) -> Node[Path]:
    """Give the file of predictions, in KILT's format, by a predictor that is given access models.

    batch_size: examples predicted at once, which changes no prediction.
    """
    given = [(one.name, one.queries, one.limits) for one in asked]
    return Node(
        kind="predictions",
        name=name,
        make=_predict,
        open=_open,
        inputs=(speaker, of, *(node for one in asked for node in one.nodes)),
        given={"asked": given, "shown": shown},
        beside={"batch_size": batch_size},
    )


def words_read(stage: Stage) -> float | None:
    """Give the words of items that an example's predictor read, on average; nothing where there are no examples.

    It is unknown for predictions of older versions.

    `stage`: of predictions.
    """
    path = stage.folder / WORDS_READ
    if not path.is_file():
        return None
    words = np.array(read_json(path), dtype=np.float64)
    return float(words.mean()) if len(words) else None


def _open(folder: Path) -> Path:
    return folder / PREDICTIONS


def _predict(
    folder: Path,
    speaker: Speaker,
    examples: Examples,
    *opened: Any,
    asked: Sequence[tuple[str, QueryGenerator, Limits]],
    shown: Shown,
    batch_size: int,
) -> None:
    parts = []
    for place, (name, queries, limits) in enumerate(asked):
        model, collection, hits = opened[3 * place : 3 * place + 3]
        parts.append(Asked(name, model, collection, hits, queries, limits))
    predictor = speaker.begin({part.name: part.collection for part in parts})
    batches = [slice(start, start + batch_size) for start in range(0, len(examples), batch_size)]
    answers: list[Answer] = []
    words: list[int] = []
    asked_of = TrajectoryFile(folder / TRAJECTORIES)
    asked_by: list[frozenset[str]] = []
    for places in tracked(batches, "predict", unit="examples", size=lambda places: len(examples[places])):
        asked_for = tuple(example.unanswered for example in examples[places])
        sessions = {part.name: part.session(asked_for, places) for part in parts}
        seen = with_task(shown.prefix, examples[places]) if shown.prefix else examples[places]
        batch = Batch(tuple(seen), sessions)
        answers += predict(predictor, batch)
        words += words_of(batch)
        told = trajectories(batch, answers[-len(seen) :])
        asked_by += [frozenset(one.access for one in trajectory.asks) for trajectory in told]
        asked_of.add(told)
    asked_of.close()
    whole: Iterable[Answer] = answers
    for part in parts:
        hits = _of_those_asked(part.hits, [part.name in names for names in asked_by])
        whole = complete(list(whole), hits, part.collection, shown.pages, ranked=part.limits.order != Limits.order)
    write_predictions(folder, zip(examples, whole, strict=True), words)


def _of_those_asked(hits: Hits, asked: Sequence[bool]) -> Hits:
    """Leave out the hits of examples that asked nothing of an access model: what none has asked for is no evidence."""
    if all(asked):
        return hits
    mine = np.array(asked, dtype=np.bool_)[:, None]
    return Hits(np.where(mine, hits.rows, -1), np.where(mine, hits.scores, -np.inf).astype(np.float32), hits.shown)


def write_predictions(folder: Path, answered: Iterable[tuple[Example, Answer]], words: Sequence[int]) -> None:
    """Write the files of predictions. words: that were read for each example."""
    write_examples((replace(example, output=(answer,), meta={}) for example, answer in answered), folder / PREDICTIONS)
    write_json(folder / WORDS_READ, list(words))


def words_of(batch: Batch) -> list[int]:
    """Count the words of all items that were handed over for each example of a batch."""
    words = np.zeros(len(batch.examples), dtype=np.int64)
    for session in batch.sessions.values():
        for queries, found in session.asked:
            of_items = _words(session, found)
            np.add.at(words, owners_of(queries, found), of_items)
    return [int(number) for number in words]


def _words(session: Session, found: Responses) -> Int64Array:
    """Count the words of each list, [Q], as its items are shown."""
    if found.as_kept:
        counted: Int64Array = np.where(found.rows >= 0, session.values("words", found).cpu().numpy(), 0).sum(axis=1)
        return counted
    return np.array([sum(count_words(item.text) for item in items) for items in found.items], dtype=np.int64)
