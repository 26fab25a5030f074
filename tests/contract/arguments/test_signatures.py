"""Classes that a configuration may name are told where their annotations are not those of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from reml.access.presenting import DistinctPages, First
from reml.access.querying import MentionQuery
from reml.contract.access import QueryGenerator, ResponseProcessor
from reml.contract.arguments.signatures import unlike, untyped
from reml.contract.examples import Example
from reml.contract.predictors import Feedback
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Indexer, Scorer
from reml.contract.tasks import MetricTask, Task
from reml.feedback.pdist import Pdist
from reml.retrievers.bm25 import BM25
from reml.retrievers.dense import Dense
from reml.tasks.jsonl import Jsonl
from reml.tasks.kilt import Kilt
from tests.overlap import Overlap
from tests.unannotated import BareQueries, BareRetriever, BareTask


class Narrow:
    def __call__(self, examples: list[Example]) -> Queries:
        return Queries.of_inputs(examples)


class OtherName:
    def __call__(self, given: Sequence[Example]) -> Queries:
        return Queries.of_inputs(given)


@pytest.mark.parametrize(
    ("kind", "contract"),
    [
        (Jsonl, Task),
        (Jsonl, MetricTask),
        (Kilt, Task),
        (BM25, Indexer),
        (Dense, Indexer),
        (MentionQuery, QueryGenerator),
        (First, ResponseProcessor),
        (DistinctPages, ResponseProcessor),
        (Pdist, Feedback),
        (Overlap, Scorer),  # which imports Tensor where the contract does so for checkers alone
    ],
)
def test_what_fulfils_a_contract_is_not_complained_of(kind: type, contract: type) -> None:
    assert list(unlike(kind, contract)) == []
    assert list(untyped(kind)) == []


@pytest.mark.parametrize(
    ("kind", "contract", "wanted"),
    [
        (BareTask, Task, ["write `-> KnowledgeSource`", "write `split: str`, `-> Sequence[Example]`"]),
        (BareQueries, QueryGenerator, ["write `examples: Sequence[Example]`, `-> Queries`"]),
        (Narrow, QueryGenerator, ["write `examples: Sequence[Example]`"]),
        (OtherName, QueryGenerator, ["write `examples: Sequence[Example]`"]),
        (BareRetriever, Indexer, ["write `collection: Collection`, `folder: Path`, `-> Retriever`"]),
    ],
)
def test_the_wanted_annotations_are_written(kind: type, contract: Any, wanted: list[str]) -> None:
    told = list(unlike(kind, contract))
    assert [message.partition(": ")[2] for message in told] == wanted


def test_an_argument_that_says_nothing_is_named() -> None:
    assert list(untyped(BareRetriever)) == [
        "an annotation of its argument 'depth': write what it takes, such as `depth: str`"
    ]
