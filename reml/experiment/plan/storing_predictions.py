"""Predictions with an access model that stores: batch after batch, each finding what those before it wrote.

    memory/         what was written, an overlay of what the access model began with
    batches.jsonl   a record for each batch: its answers, what it found, and the version of the memory after it

A batch is committed by its record. A run that is killed goes on after the last one: what a batch without a record wrote
is forgotten and written again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from reml.access.information_access import InformationAccess
from reml.contract.access import Storage
from reml.contract.examples import Example, Json
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.node import Node
from reml.experiment.plan.predict import complete, predict
from reml.experiment.plan.predictions import PREDICTIONS, Shown, words_of, write_predictions
from reml.experiment.plan.trained_predictors import Speaker
from reml.files.hits import save_hits
from reml.files.record_log import RecordLog
from reml.files.records import format_record, parse_record
from reml.training.data.task_prefix import with_task

MEMORY, BATCHES = "memory", "batches.jsonl"


@dataclass(frozen=True)
class Memory:
    """All that decides what is written and found.

    storage: keeps it. shown: what the predictor is shown. depth: hits of each example. batch_size: examples predicted
    at once, none of which finds what another of them wrote before it is through.
    """

    storage: Storage
    shown: Shown
    depth: int
    batch_size: int


def predictions(
    name: str,
    speaker: Node[Speaker],
    asked: Node[Model],
    of: Node[Examples],
    memory: Memory,
    console: Console,
) -> Node[Path]:
    """Give the file of predictions; beside it lie the memory and the hits (`reml.files.hits`)."""
    return Node(
        kind="predictions",
        name=name,
        make=_predict,
        open=_open,
        inputs=(speaker, asked, of),
        given={"memory": memory},
        beside={"console": console},
    )


def _open(folder: Path) -> Path:
    return folder / PREDICTIONS


def _predict(
    folder: Path, speaker: Speaker, asked: Model, examples: Examples, *, memory: Memory, console: Console
) -> None:
    assert isinstance(asked, InformationAccess)  # noqa: S101 - `Access` refuses a storage without a retriever
    log = RecordLog(folder / BATCHES)
    done = [_Record.parse(record) for record in log.read()]
    version = done[-1].version if done else None
    access = asked.storing(memory.storage.open(asked.retriever, folder / MEMORY, version))
    predictor, size = speaker.on(asked.collection), memory.batch_size
    starts = range(len(done) * size, len(examples), size)
    for start in track(starts, "predict", console=console, transient=True, disable=not console.is_terminal):
        done.append(_batch(predictor, access, examples[start : start + size], memory))
        log.append(done[-1].content())
    hits = _hits(done, memory.depth)
    save_hits(folder, hits)
    answers = [example.output[0] for record in done for example in record.answered]
    completed = complete(answers, hits, access.collection, memory.shown.pages)
    write_predictions(folder, zip(examples, completed, strict=True), [n for record in done for n in record.words])


@dataclass(frozen=True, eq=False)
class _Record:
    """What is on record of a batch: examples with the one answer each got, and the version of the memory after it."""

    answered: Sequence[Example]
    words: Sequence[int]
    found: Sequence[Sequence[tuple[int, float]]]
    version: int

    @classmethod
    def parse(cls, content: Any) -> _Record:
        answered = [parse_record(record) for record in content["answered"]]
        found = [[(row, score) for row, score in hits] for hits in content["found"]]
        return cls(answered, content["words"], found, content["version"])

    def content(self) -> Mapping[str, Json]:
        return {
            "answered": [format_record(example) for example in self.answered],
            "words": list(self.words),
            "found": [[[row, score] for row, score in hits] for hits in self.found],
            "version": self.version,
        }


def _batch(predictor: Predictor, access: InformationAccess, examples: Sequence[Example], memory: Memory) -> _Record:
    """Predict a batch, let the predictor write, and commit what it wrote."""
    hits, shown = access.search(examples, memory.depth), memory.shown
    session = access.open(examples, hits)
    seen = with_task(shown.prefix, examples) if shown.prefix else examples
    answers = predict(predictor, Batch(tuple(seen), {shown.access: session}))
    answered = [Example(one.id, one.input, (answer,)) for one, answer in zip(examples, answers, strict=True)]
    words = words_of(access.collection, session, len(examples))
    return _Record(answered, words, _pairs(hits), _committed(access))


def _committed(access: InformationAccess) -> int:
    assert access.storage is not None  # noqa: S101 - it was opened with one
    return access.storage.commit()


def _pairs(hits: Hits) -> list[list[tuple[int, float]]]:
    return [
        [(row, score) for row, score in zip(rows, scores, strict=True) if row >= 0]
        for rows, scores in zip(hits.rows.tolist(), hits.scores.tolist(), strict=True)
    ]


def _hits(records: Sequence[_Record], depth: int) -> Hits:
    found = [pairs for record in records for pairs in record.found]
    padded = [[*pairs, *[(-1, -math.inf)] * (depth - len(pairs))] for pairs in found]
    rows = np.array([[row for row, _ in pairs] for pairs in padded], dtype=np.int64).reshape(len(found), depth)
    scores = np.array([[score for _, score in pairs] for pairs in padded], dtype=np.float32)
    return Hits(rows, scores.reshape(rows.shape))
