"""Predictions with an access model that stores: batch after batch, each finding what those before it wrote.

    ACCESS/memory/  what was written to an access model, an overlay of what it began with
    batches.jsonl   a record for each batch: its answers, what it asked and found, the versions of the memories after it

A batch is committed by its record. A run that is killed goes on after the last one: what a batch without a record wrote
is forgotten and written again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.trajectory import trajectories
from reml.contract.access import Storage, Trajectory
from reml.contract.examples import Answer, Example, Json
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, room_for
from reml.contract.retrieved import Shown as ShownTexts
from reml.devices.progress import tracked
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.node import Node
from reml.experiment.plan.predictions import PREDICTIONS, Shown, words_of, write_predictions
from reml.experiment.predict import complete, predict
from reml.experiment.trained.predictors import Speaker
from reml.files.hits import open_hits, save_hits
from reml.files.record_log import RecordLog
from reml.files.records import format_record, parse_record
from reml.files.trajectories import TRAJECTORIES, TrajectoryFile, row_of, trajectory_of
from reml.training.data.task_prefix import with_task

MEMORY, BATCHES = "memory", "batches.jsonl"
Found = Sequence[Sequence[tuple[int, float]]]
Told = Sequence[tuple[int, int, str, Sequence[int]]]  # example of the batch, place, text, span


@dataclass(frozen=True)
class Memory:
    """All that decides what is written and found.

    access: the name of each access model, its storage if it stores, and its limits. shown: what the predictor is shown.
    batch_size: examples predicted at once, none of which finds what another of them wrote before it is through.
    """

    access: Sequence[tuple[str, Storage | None, Limits]]
    shown: Shown
    batch_size: int


def predictions(
    name: str,
    speaker: Node[Speaker],
    asked: Sequence[Node[Model]],
    of: Node[Examples],
    memory: Memory,
) -> Node[Path]:
    """Give the file of predictions; beside it lie, by access model, the hits (`reml.files.hits`) and the memory."""
    return Node(
        kind="predictions",
        name=name,
        make=_predict,
        open=_open,
        inputs=(speaker, of, *asked),
        given={"memory": memory},
    )


def found_in(predictions: Path, access: str) -> tuple[Hits, Path]:
    """Give what an access model found, and the folder of its memory. predictions: the file that was opened."""
    folder = predictions.parent / access
    return open_hits(folder), folder / MEMORY


def _open(folder: Path) -> Path:
    return folder / PREDICTIONS


def _predict(folder: Path, speaker: Speaker, examples: Examples, *asked: Model, memory: Memory) -> None:
    log = RecordLog(folder / BATCHES)
    done = [_Record.parse(record) for record in log.read()]
    versions = done[-1].versions if done else {}
    given = {
        name: _opened(model, storage, folder / name / MEMORY, versions.get(name))
        for model, (name, storage, _) in zip(asked, memory.access, strict=True)
    }
    predictor, size = speaker.begin({name: model.collection for name, model in given.items()}), memory.batch_size
    starts = range(len(done) * size, len(examples), size)
    for start in tracked(
        starts,
        "predict",
        unit="examples",
        size=lambda start: len(examples[start : start + size]),
        done=len(done) * size,
    ):
        done.append(_batch(predictor, given, examples[start : start + size], memory))
        log.append(done[-1].content())
    answers: list[Answer] = [example.output[0] for record in done for example in record.answered]
    for name, _, limits in memory.access:
        hits = _hits([record.found[name] for record in done], limits.depth)
        hits = replace(hits, shown=_shown([record.told.get(name, ()) for record in done], done, hits))
        save_hits(folder / name, hits)
        answers = list(
            complete(answers, hits, given[name].collection, memory.shown.pages, ranked=limits.order != Limits.order)
        )
    asked_of = TrajectoryFile(folder / TRAJECTORIES)
    for record in done:
        asked_of.add(record.trajectories)
    asked_of.close()
    write_predictions(folder, zip(examples, answers, strict=True), [n for record in done for n in record.words])


def _opened(model: Model, storage: Storage | None, folder: Path, version: int | None) -> Model:
    """Open an access model over its memory, if it stores."""
    if storage is None:
        return model
    assert isinstance(model, InformationAccess)  # noqa: S101 - `Access` refuses a storage without a retriever
    return model.storing(storage.open(model.retriever, folder, version))


@dataclass(frozen=True, eq=False)
class _Record:
    """What is on record of a batch: examples with the one answer each got.

    found: what each access model found. versions: of the memory of each that stores, after the batch. told: the texts
    of items that a processor changed, by access model.
    """

    answered: Sequence[Example]
    words: Sequence[int]
    found: Mapping[str, Found]
    trajectories: Sequence[Trajectory]
    versions: Mapping[str, int]
    told: Mapping[str, Told]

    @classmethod
    def parse(cls, content: Any) -> _Record:
        answered = [parse_record(record) for record in content["answered"]]
        found = {
            name: [[(row, score) for row, score in hits] for hits in lists] for name, lists in content["found"].items()
        }
        asked = [trajectory_of(row) for row in content["trajectories"]]
        return cls(answered, content["words"], found, asked, content["versions"], content.get("told", {}))

    def content(self) -> Mapping[str, Json]:
        return {
            "answered": [format_record(example) for example in self.answered],
            "words": list(self.words),
            "found": {
                name: [[[row, score] for row, score in hits] for hits in lists] for name, lists in self.found.items()
            },
            "trajectories": [row_of(one) for one in self.trajectories],
            "versions": dict(self.versions),
            "told": {name: [list(text) for text in told] for name, told in self.told.items()},
        }


def _batch(predictor: Predictor, given: Mapping[str, Model], examples: Sequence[Example], memory: Memory) -> _Record:
    """Predict a batch, let the predictor write, and commit what it wrote."""
    hits = {name: given[name].search(examples, limits.depth) for name, _, limits in memory.access}
    asked_for = [example.unanswered for example in examples]
    sessions = {name: given[name].open(asked_for, found) for name, found in hits.items()}
    seen = with_task(memory.shown.prefix, examples) if memory.shown.prefix else examples
    batch = Batch(tuple(seen), sessions)
    answers = predict(predictor, batch)
    answered = [Example(one.id, one.input, (answer,)) for one, answer in zip(examples, answers, strict=True)]
    words, found = words_of(batch), {name: _pairs(one) for name, one in hits.items()}
    told = {name: _told(one) for name, one in hits.items() if one.shown is not None}
    return _Record(answered, words, found, trajectories(batch, answers), _committed(given), told)


def _committed(given: Mapping[str, Model]) -> dict[str, int]:
    stores = {name: one for name, one in given.items() if isinstance(one, InformationAccess)}
    return {name: one.storage.commit() for name, one in stores.items() if one.storage is not None}


def _pairs(hits: Hits) -> list[list[tuple[int, float]]]:
    return [
        [(row, score) for row, score in zip(rows, scores, strict=True) if row >= 0]
        for rows, scores in zip(hits.rows.tolist(), hits.scores.tolist(), strict=True)
    ]


def _told(hits: Hits) -> Told:
    """Give the texts that items are shown with."""
    shown = hits.shown
    if shown is None:
        return ()
    numbers = [(query, place, int(shown.at[query, place])) for query, place in np.argwhere(shown.at >= 0).tolist()]
    return [(query, place, shown.texts[one], shown.spans[one].tolist()) for query, place, one in numbers]


def _shown(batches: Sequence[Told], done: Sequence[_Record], hits: Hits) -> ShownTexts | None:
    """Lay the texts of batches one behind the other; nothing where none was changed."""
    starts = np.cumsum([0, *(len(record.answered) for record in done)]).tolist()
    told = [(start + query, *rest) for start, batch in zip(starts, batches, strict=False) for query, *rest in batch]
    if not told:
        return None
    at = np.full(hits.rows.shape, -1, dtype=np.int64)
    for number, (query, place, _, _) in enumerate(told):
        at[query, place] = number
    spans = np.array([span for _, _, _, span in told], dtype=np.int64)
    return ShownTexts(at, tuple(text for _, _, text, _ in told), spans)


def _hits(batches: Sequence[Found], depth: int) -> Hits:
    found = [pairs for batch in batches for pairs in batch]
    room = room_for(depth, max(map(len, found), default=0))
    padded = [[*pairs, *[(-1, -math.inf)] * (room - len(pairs))] for pairs in found]
    rows = np.array([[row for row, _ in pairs] for pairs in padded], dtype=np.int64).reshape(len(found), room)
    scores = np.array([[score for _, score in pairs] for pairs in padded], dtype=np.float32)
    return Hits(rows, scores.reshape(rows.shape))
