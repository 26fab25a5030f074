"""Numbers keep the bounds of their annotations and lists are no texts, wherever a class is made."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import reml
from reml.access.limits import Limits
from reml.contract.arguments.checked import ArgumentError, checked
from reml.contract.arguments.kinds import asked
from reml.contract.arguments.numbers import Count, Finite, Positive, Seed, Share, Weight
from reml.experiment.settings.access import Budget
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.experiment.settings.system import Passages
from reml.experiment.settings.train_on import Phase
from reml.feedback.contrastive import Contrastive
from reml.feedback.weak_supervision import Rank
from reml.predictors.in_context import InContext
from reml.predictors.knn_lm import KnnLm
from reml.retrievers.bm25 import BM25
from reml.retrievers.dense import Dense
from reml.testing import MemoryCollection
from reml.training.data.rounds import Round
from reml.training.regimes.sparsity import L1


@checked("thing")
@dataclass(frozen=True)
class Thing:
    count: Count = 1
    maybe: Count | None = None
    seed: Seed = 0
    rate: Positive = 1.0
    weight: Weight = 0.0
    share: Share = 0.5
    shift: Finite = 0.0
    plain: int = 0
    flag: bool = False
    name: str = "a"
    names: Sequence[str] = ()
    either: str | Sequence[str] = ()
    counts: Sequence[Count] = ()
    rates: Mapping[str, Weight] = field(default_factory=dict)


NOT_COUNTS = (0, -1, -5, 1.5, math.nan, math.inf, True, None, "3", 2**31, 10**30)


@pytest.mark.parametrize("value", NOT_COUNTS)
def test_what_counts_nothing_is_no_count(value: object) -> None:
    with pytest.raises(ValueError, match=r"thing\.count is .*, but must be"):
        Thing(count=value)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"thing\.counts\[1\] is .*, but must be"):
        Thing(counts=[1, value])  # type: ignore[list-item]
    if value is not None:
        with pytest.raises(ValueError, match=r"thing\.maybe is .*, but must be .*, or left out"):
            Thing(maybe=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        *[("rate", value) for value in (0, 0.0, -1.0, math.nan, math.inf, -math.inf, None, "1", True, 10**400)],
        *[("weight", value) for value in (-0.1, math.nan, math.inf, None)],
        *[("share", value) for value in (-0.1, 1.1, math.nan, math.inf, "half")],
        *[("shift", value) for value in (math.nan, math.inf, -math.inf, None)],
        *[("seed", value) for value in (-1, 1.0, None, 2**63, True)],
        *[("rates", {"encoder": value}) for value in (-1.0, math.nan, None, "x")],
        *[("plain", value) for value in (None, 1.5, True, "1")],
        *[("flag", value) for value in (None, 1, "off")],
        *[("name", value) for value in (None, 1, True)],
        ("names", None),
    ],
)
def test_what_breaks_a_bound_is_named(setting: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=rf"thing\.{setting}.* is .*, but must be"):
        Thing(**{setting: wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("one", ["abc", b"abc", 3])
def test_one_text_is_not_several(one: object) -> None:
    with pytest.raises(TypeError, match=r"thing\.names is .*, one \w+, where several are wanted: give a list"):
        Thing(names=one)  # type: ignore[arg-type]


def test_what_keeps_the_bounds_is_taken_and_kept() -> None:
    thing = Thing(np.int64(3), None, 2**63 - 1, 1, 0, 1, -2, either="abc", names=["abc"], rates={"a": 0})  # type: ignore[arg-type]
    assert (thing.count, thing.seed, thing.either, thing.rates) == (3, 2**63 - 1, "abc", {"a": 0})
    with pytest.raises(ValueError, match=r"thing\.count is 0"):
        dataclasses.replace(thing, count=0)


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda: reml.Reading(limit=-5), "reading.limit is -5"),
        (lambda: reml.Reading(limit=0), "reading.limit is 0"),
        (lambda: reml.Reading(k=True), "reading.k is True"),
        (lambda: reml.Reading(batch_size=0), "reading.batch_size is 0"),
        (lambda: reml.Reading(depth=10**30), "reading.depth is 1000"),
        (lambda: reml.Reading(split=None), "reading.split is null"),  # type: ignore[arg-type]
        (lambda: reml.TrainOn("a", k=0), "train_on.k is 0"),
        (lambda: reml.TrainOn("a", k=-1), "train_on.k is -1"),
        (lambda: reml.TrainOn("a", limit=-5), "train_on.limit is -5"),
        (lambda: reml.TrainOn("a", dev_limit=-1), "train_on.dev_limit is -1"),
        (lambda: reml.TrainOn("a", temperature=math.nan), "train_on.temperature is nan"),
        (lambda: Phase(k=0), "train_on.phases.k is 0"),
        (lambda: Phase(rate=math.nan), "train_on.phases.rate is nan"),
        (lambda: Round(steps=-1), "train.rounds.steps is -1"),
        (lambda: reml.Training(rate=math.nan), "training.rate is nan"),
        (lambda: reml.Training(rate=math.inf), "training.rate is inf"),
        (lambda: reml.Training(clip=math.inf), "training.clip is inf"),
        (lambda: reml.Training(warmup=math.nan), "training.warmup is nan"),
        (lambda: reml.Training(weight_decay=math.nan), "training.weight_decay is nan"),
        (lambda: reml.Training(rates={"encoder": math.nan}), "training.rates.encoder is nan"),
        (lambda: reml.Training(steps=10**20), "training.steps is 1000"),
        (lambda: reml.Training(seed=-1), "training.seed is -1"),
        (lambda: reml.Training(epochs=math.nan), "training.epochs is nan"),
        (lambda: reml.Access(k=0), "access.k is 0"),
        (lambda: reml.Access(depth=-1), "access.depth is -1"),
        (lambda: reml.Access(temperature=math.nan), "access.temperature is nan"),
        (lambda: reml.Access(temperature=math.inf), "access.temperature is inf"),
        (lambda: Budget(-1), "budget.asks is -1"),
        (lambda: Limits(k=0), "limits.k is 0"),
        (lambda: Limits(asks=-1), "limits.asks is -1"),
        (lambda: AccessFeedback(learner="a", reembed=-1), "feedback.reembed is -1"),
        (lambda: AccessFeedback(learner="a", weight=math.nan), "feedback.weight is nan"),
        (lambda: AccessFeedback(learner="a", limit=0), "feedback.limit is 0"),
        (lambda: RetrieverTraining(held_out=-1), "train.held_out is -1"),
        (lambda: RetrieverTraining(random_negatives=math.nan), "train.random_negatives is nan"),
        (lambda: Passages(MemoryCollection([]), words=0), "collections.words is 0"),  # type: ignore[arg-type]
        (lambda: BM25(k1=math.nan), "BM25.k1 is nan"),
        (lambda: BM25(k1=math.inf), "BM25.k1 is inf"),
        (lambda: BM25(delta=math.nan), "BM25.delta is nan"),
        (lambda: Contrastive(temperature=math.inf), "temperature is inf"),
        (lambda: Rank(margin=math.inf), "margin is inf"),
        (lambda: L1(math.inf), "L1.weight is inf"),
        (lambda: InContext(answer_tokens=-1), "InContext.answer_tokens is -1"),
        (lambda: InContext(input_tokens=0), "InContext.input_tokens is 0"),
        (lambda: KnnLm(temperature=math.nan), "KnnLm.temperature is nan"),
    ],
)
def test_settings_are_checked_where_they_are_made(make: object, place: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the place is looked for below
        make()  # type: ignore[operator]
    assert place in str(caught.value)


class _Plain:
    """Prints as Python prints an object, by its address."""


@pytest.mark.parametrize("value", [_Plain(), [_Plain()], {"a": _Plain()}, lambda: 3, print])
def test_an_object_is_named_by_its_class(value: object) -> None:
    with pytest.raises(ArgumentError) as caught:
        Thing(count=value)  # type: ignore[arg-type]
    assert " at 0x" not in str(caught.value)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "a whole number"),
        (int | None, "a whole number, or left out"),
        (Count, "a whole number, 1 or more"),
        (Count | None, "a whole number, 1 or more, or left out"),
        (Share, "a number, 0 or more, at most 1"),
        (str | Path, "a text or a path"),
        (Literal["a", "b"], "one of 'a', 'b'"),
        (Sequence[str], "a list"),
        (tuple[int, ...], "a list"),
        (Mapping[str, int], "a mapping by name"),
        (Callable[[], int], "a class or function"),
        (Thing, "`Thing(...)`"),
        (bool, "true or false"),
    ],
)
def test_what_is_asked_is_said_in_words(hint: object, words: str) -> None:
    assert asked(hint) == words


def test_a_dataclass_is_named_with_its_module() -> None:
    with pytest.raises(ArgumentError, match=r"`Encoding\(...\)` of reml.retrievers.encoders.dense_encoder"):
        Dense(encoding={"pooling": "clss"})  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"`Training\(...\)` of reml.training.settings"):
        AccessFeedback(learner="a", training={"steps": 3})  # type: ignore[arg-type]


@pytest.mark.parametrize("wide", [2**63, -(2**63), 10**20, 10**400])
def test_a_plain_whole_number_fits_64_bits(wide: int) -> None:
    assert Thing(plain=2**63 - 1).plain == 2**63 - 1
    with pytest.raises(ArgumentError, match=r"thing\.plain is .*, but must be a whole number of at most 64 bits"):
        Thing(plain=wide)
