"""What is said of the lists that access models with feedback learn on: by their predictor, and by judges.

A predictor that stays as it is says the same of a list each time: it is asked once, for all that learn from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reml.access.composed_access import FoundAccess
from reml.access.limits import Limits
from reml.contract.collections import Collection
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.contract.signals import Signal
from reml.devices.progress import tracked
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.node import Node
from reml.experiment.trained.predictors import Speaker
from reml.feedback.judges.judging import Judging
from reml.feedback.judges.teacher import Teacher
from reml.training.data.sets import RetrievedExamples
from reml.training.data.task_prefix import with_task
from reml.training.regimes.signal_cache import cache_signals, cache_utility
from reml.training.regimes.signals import available, require

SIGNALS = "signals.safetensors"
BATCH = 16


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists that are learnt on, by access model, and the collections of their items."""

    collections: Mapping[str, Collection]
    read: RetrievedExamples


def lists(
    name: str, of: Node[Examples], found: Mapping[str, tuple[Node[Any], Node[Hits]]], *, items: int, room: int
) -> Node[Lists]:
    """Give `room` examples to learn on, drawn at random of those that have an answer, and `items` hits of each.

    found: the collection and the hits of each access model that is read.
    """
    return Node(
        kind="lists",
        name=name,
        open=_draw,
        inputs=(of, *(node for pair in found.values() for node in pair)),
        given={"names": list(found), "items": items, "room": room},
    )


def collected(name: str, speaker: Node[Speaker], of: Node[Lists], *, signals: Signal, prefix: str) -> Node[Path]:
    """Give the file of a predictor's signals on lists. prefix: the task's name where the predictor sees it."""
    return Node(
        kind="signals",
        name=name,
        make=_collect,
        open=_open,
        inputs=(speaker, of),
        given={"signals": signals, "prefix": prefix},
    )


def judgement(
    name: str,
    speaker: Node[Speaker],
    of: Node[Lists],
    teachers: Node[Mapping[str, Teacher]],
    *,
    judge: Judging,
    prefix: str,
) -> Node[Path]:
    """Give the file of the utility of all items of lists. teachers: by the names that the judge calls them."""
    return Node(
        kind="signals",
        name=name,
        make=_judge,
        open=_open,
        inputs=(speaker, of, teachers),
        given={"judge": judge, "prefix": prefix},
    )


def _open(folder: Path) -> Path:
    return folder / SIGNALS


def _draw(of: Examples, *opened: Any, names: Sequence[str], items: int, room: int) -> Lists:
    answered = [place for place, example in enumerate(of) if example.answers]
    places = np.sort(np.random.default_rng(0).permutation(answered)[:room]).astype(np.int64)
    collections = dict(zip(names, opened[::2], strict=True))
    ahead = {name: hits.first(items).take(places) for name, hits in zip(names, opened[1::2], strict=True)}
    there = {name: hits for name, hits in ahead.items() if hits.k}
    access = {name: FoundAccess(collections[name], Limits(hits.k, hits.k), name) for name, hits in there.items()}
    return Lists(collections, RetrievedExamples([of[place] for place in places], there, access))


def _collect(folder: Path, speaker: Speaker, of: Lists, *, signals: Signal, prefix: str) -> None:
    predictor = speaker.begin(of.collections)
    require(type(predictor).__name__, available(predictor.signals), signals)
    cache_signals(predictor, _batches(of.read, prefix), signals, folder / SIGNALS)


def _judge(
    folder: Path,
    speaker: Speaker,
    of: Lists,
    teachers: Mapping[str, Teacher],
    *,
    judge: Judging,
    prefix: str,
) -> None:
    cache_utility(judge.open(speaker.begin(of.collections), teachers), _batches(of.read, prefix), folder / SIGNALS)


def _batches(read: RetrievedExamples, prefix: str) -> Iterator[Batch]:
    """Go through lists, with the examples as the predictor sees them."""
    starts: Sequence[int] = list(range(0, len(read), BATCH))
    for start in tracked(starts, "ask the predictor", unit="batches"):
        batch = read.take(np.arange(start, min(start + BATCH, len(read))))
        shown = with_task(prefix, batch.examples) if prefix else batch.examples
        yield Batch.of(shown, batch.read)
